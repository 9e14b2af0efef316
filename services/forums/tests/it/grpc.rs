//! A whole election over the wire: real gRPC with signed tokens and the access layer, nats-server, timers and notices.
//! Only membership is played: by testkit's directory, and by a service here that freezes every roll.

use anyhow::Context as _;
use chassis::{Context, Parts, Purpose, Service, StartError, Voucher};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::{
    Assurance, Attestation, Caller, ElectionId, HeldRole, Ids, MunicipalityCode, Role, RollClaim, ScopeRef,
    Subject, SystemClock, TenantId,
};
use kernel::{Clock as _, ForumId};
use messaging::{HandlerError, NewEvent, Received, Tx};
use proto::common::{MunicipalityCount, MunicipalitySeats};
use proto::forums as pb;
use proto::forums::elections_service_client::ElectionsServiceClient;
use proto::forums::forums_service_client::ForumsServiceClient;
use proto::membership::RollFrozen;
use proto::messaging::SetClockRequest;
use proto::messaging::operator_service_client::OperatorServiceClient;
use testkit::system::{Store, System};
use tonic::Code;
use tonic::transport::Channel;

use hpke::kem::X25519HkdfSha256;
use hpke::{Kem as _, Serializable as _};

use crate::world::{GROUP, day};

/// Freezes a roll of twenty people in each municipality when an election is announced.
const MEMBERSHIP: Service =
    Service { name: "membership", defaults: "", migrations: Vec::new, build: build_membership };

fn build_membership(_: &Context) -> Result<Parts, StartError> {
    Ok(Parts::default().consume("forums", freeze))
}

fn freeze<'a>(tx: &'a Tx, received: &'a Received) -> BoxFuture<'a, Result<(), HandlerError>> {
    async move {
        if received.is::<pb::ElectionAnnounced>() {
            let announced: pb::ElectionAnnounced = received.decode()?;
            let count = |seats: &MunicipalitySeats| MunicipalityCount {
                municipality: seats.municipality.clone(),
                count: 20,
            };
            let counts = announced.seats.iter().map(count).collect();
            let id = announced.election_id.clone();
            let frozen = RollFrozen { election_id: announced.election_id, roll_hash: vec![1; 32], counts };
            let tenant = TenantId::new(&received.envelope.lane)
                .map_err(|error| HandlerError::Permanent(error.to_string()))?;
            tx.publish(NewEvent::of(tenant, "roll", id, &frozen));
        }
        Ok(())
    }
    .boxed()
}

/// How long timers and notices may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// The election and those who take part in it.
struct Play<'a> {
    system: &'a System,
    officers: [Subject; 2],
    witness: Subject,
    clients: Vec<Subject>,
    forum: String,
    election: String,
    municipality: MunicipalityCode,
}

impl Play<'_> {
    fn forums(&self) -> ForumsServiceClient<Channel> {
        ForumsServiceClient::new(self.system.channel())
    }

    fn elections(&self) -> ElectionsServiceClient<Channel> {
        ElectionsServiceClient::new(self.system.channel())
    }

    fn by<T>(&self, caller: Caller, message: T) -> anyhow::Result<tonic::Request<T>> {
        self.system.request("forums", Caller { assurance: Assurance::Substantial, ..caller }, message)
    }

    fn officer<T>(&self, which: usize, message: T) -> anyhow::Result<tonic::Request<T>> {
        self.by(self.holding(self.officers[which], Role::ElectionOfficer)?, message)
    }

    fn holding(&self, person: Subject, role: Role) -> anyhow::Result<Caller> {
        let forum: ForumId = self.forum.parse()?;
        let roles = vec![HeldRole { role, scope: ScopeRef::Forum(forum) }];
        Ok(Caller { roles, ..Caller::person(person) })
    }

    fn client(&self, which: usize) -> Caller {
        let rolls = self.election.parse().map(|election: ElectionId| self.roll(election)).unwrap_or_default();
        Caller { attestations: self.attestations(), rolls, ..Caller::person(self.clients[which]) }
    }

    fn roll(&self, election: ElectionId) -> Vec<RollClaim> {
        vec![RollClaim { election, municipality: self.municipality }]
    }

    fn attestations(&self) -> Vec<Attestation> {
        let (group, since) = (GROUP.to_owned(), day("2026-01-15"));
        vec![Attestation { group, municipality: self.municipality, since }]
    }

    fn voucher(&self, purpose: Purpose, which: usize) -> anyhow::Result<String> {
        let rolls =
            if purpose == Purpose::PaperBallot { self.roll(self.election.parse()?) } else { Vec::new() };
        let attestations = if purpose == Purpose::Nominate { self.attestations() } else { Vec::new() };
        self.system.directory().voucher(&Voucher {
            id: Ids::system().uuid(),
            purpose,
            audience: "forums".to_owned(),
            subject: self.clients[which],
            attestations,
            rolls,
            expires: SystemClock.now() + time::Duration::minutes(5),
        })
    }

    /// Sets the business clock to noon of this day.
    async fn on(&self, date: &str) -> anyhow::Result<()> {
        let noon = kernel::deadline::start_of_day(day(date)) + time::Duration::hours(12);
        let now = Some(prost_types::Timestamp { seconds: noon.as_seconds(), nanos: 0 });
        let roles = vec![HeldRole { role: Role::Operator, scope: ScopeRef::Cell }];
        let operator = Caller { roles, ..Caller::service("test-operator") };
        let message = SetClockRequest { service: "forums".to_owned(), now };
        let request = self.system.request("forums", operator, message)?;
        OperatorServiceClient::new(self.system.channel()).set_clock(request).await?;
        Ok(())
    }

    async fn cast(&self, which: usize, approvals: &[u32]) -> anyhow::Result<Result<(), tonic::Status>> {
        let message = pb::CastBallotRequest {
            forum_id: self.forum.clone(),
            election_id: self.election.clone(),
            approvals: approvals.to_vec(),
        };
        let request = self.by(self.client(which), message)?;
        Ok(self.elections().cast_ballot(request).await.map(|_| ()))
    }
}

/// Status code and the service's own code.
fn refusal<T>(answer: Result<T, tonic::Status>) -> anyhow::Result<(Code, String)> {
    let status = answer.err().context("this must be refused")?;
    let code = chassis::fault(&status).code().to_owned();
    Ok((status.code(), code))
}

#[tokio::test]
async fn an_election_over_the_wire_on_sqlite() -> anyhow::Result<()> {
    election_over_the_wire(Store::Sqlite).await
}

#[tokio::test]
async fn an_election_over_the_wire_on_postgres() -> anyhow::Result<()> {
    election_over_the_wire(Store::Postgres).await
}

async fn election_over_the_wire(store: Store) -> anyhow::Result<()> {
    let settings = [("demo", "true"), ("clock.demo_start", "2026-03-02T10:00:00Z")];
    let system = System::start(&[forums::SERVICE, MEMBERSHIP], store, &settings).await?;
    let ids = Ids::system();
    let mut play = Play {
        system: &system,
        officers: std::array::from_fn(|_| ids.new_id()),
        witness: ids.new_id(),
        clients: (0..12).map(|_| ids.new_id()).collect(),
        forum: String::new(),
        election: String::new(),
        municipality: MunicipalityCode::new("889")?,
    };
    let private = found_and_announce(&mut play, &ids).await?;
    stand(&play).await?;
    vote(&play).await?;
    finish(&play, private).await?;
    let templates: Vec<String> =
        system.directory().notices().into_iter().map(|notice| notice.template).collect();
    assert_eq!(templates, ["forums.candidacy_offered", "forums.seat_filled"]);
    system.finish().await
}

/// Gives the board's private key.
async fn found_and_announce(play: &mut Play<'_>, ids: &Ids) -> anyhow::Result<Vec<u8>> {
    let scope = ScopeRef::Tenant(TenantId::new("19")?);
    let roles = vec![HeldRole { role: Role::AreaCoordinator, scope }];
    let coordinator = Caller { roles, ..Caller::person(ids.new_id()) };
    let mut charter = pb::FoundForumRequest {
        tenant: "19".to_owned(),
        name: "Utajärven asiakasfoorumi".to_owned(),
        purpose: "Asiakkaat kehittävät palveluja.".to_owned(),
        purpose_plain: "Me kehitämme palveluja.".to_owned(),
        service_group: GROUP.to_owned(),
        term_starts_on: "2026-05-01".to_owned(),
        term_ends_on: "2028-04-30".to_owned(),
        founding_decision: "POHDE/2026/16".to_owned(),
        ..pb::FoundForumRequest::default()
    };
    charter.set_type(pb::ForumType::ClientForum);
    let without_level = play.forums().found_forum(play.by(coordinator.clone(), charter.clone())?).await;
    assert_eq!(refusal(without_level)?, (Code::InvalidArgument, "request.invalid".to_owned()));
    charter.set_level(pb::ForumLevel::Local);
    let found = play.forums().found_forum(play.by(coordinator.clone(), charter)?).await?.into_inner();
    play.forum = found.forum.unwrap_or_default().forum_id;
    let plan = |municipality: &str, total| pb::ApproveSeatPlanRequest {
        tenant: "19".to_owned(),
        forum_id: play.forum.clone(),
        seats: vec![MunicipalitySeats { municipality: municipality.to_owned(), seats: 1 }],
        total,
    };
    for (wrong, code) in [
        (plan("9", 1), "request.invalid"),
        (plan("889", 2), "forums.seat_plan_sum"),
        (plan("751", 1), "forums.municipality_not_in_tenant"),
    ] {
        let refused = play.forums().approve_seat_plan(play.by(coordinator.clone(), wrong)?).await;
        assert_eq!(refusal(refused)?, (Code::InvalidArgument, code.to_owned()));
    }
    play.forums().approve_seat_plan(play.by(coordinator, plan("889", 1))?).await?;

    let (private, public) = X25519HkdfSha256::derive_keypair(&ids.bytes::<32>());
    let announce = pb::AnnounceElectionRequest {
        forum_id: play.forum.clone(),
        nomination_opens_on: "2026-03-02".to_owned(),
        nomination_closes_on: "2026-03-20".to_owned(),
        voting_opens_on: "2026-04-13".to_owned(),
        voting_closes_on: "2026-04-17".to_owned(),
        board_public_key: public.to_bytes().to_vec(),
        supplementary: false,
    };
    let announced = play.elections().announce_election(play.officer(0, announce)?).await?.into_inner();
    play.election = announced.election.unwrap_or_default().election_id;
    play.system.settle().await?;
    Ok(private.to_bytes().to_vec())
}

/// Client 0 nominates themselves, client 1 is nominated by client 0 with a voucher; both accept.
async fn stand(play: &Play<'_>) -> anyhow::Result<()> {
    let nominate = |voucher: String| pb::NominateCandidateRequest {
        forum_id: play.forum.clone(),
        election_id: play.election.clone(),
        municipality: "889".to_owned(),
        voucher,
    };
    let wrong = nominate(play.voucher(Purpose::PaperBallot, 1)?);
    let refused = play.elections().nominate_candidate(play.by(play.client(0), wrong)?).await;
    assert_eq!(refusal(refused)?, (Code::InvalidArgument, "forums.voucher".to_owned()));
    play.elections().nominate_candidate(play.by(play.client(0), nominate(String::new()))?).await?;
    let voucher = play.voucher(Purpose::Nominate, 1)?;
    play.elections().nominate_candidate(play.by(play.client(0), nominate(voucher))?).await?;
    // The notice goes while the candidacy waits for its answer.
    testkit::eventually(PATIENCE, async || play.system.directory().notices().len() == 1).await;
    for which in [0, 1] {
        let mine = pb::ListMyCandidaciesRequest { forum_id: play.forum.clone() };
        let mine =
            play.elections().list_my_candidacies(play.by(play.client(which), mine)?).await?.into_inner();
        let accept = pb::AcceptCandidacyRequest {
            forum_id: play.forum.clone(),
            election_id: play.election.clone(),
            candidate_id: mine.candidacies[0].candidate_id.clone(),
            ballot_name: format!("Ehdokas {which}"),
            picture: Vec::new(),
            picture_text: String::new(),
            publish_name: true,
        };
        play.elections().accept_candidacy(play.by(play.client(which), accept)?).await?;
    }
    play.on("2026-03-23").await?;
    let close =
        pb::CloseNominationsRequest { forum_id: play.forum.clone(), election_id: play.election.clone() };
    play.elections().close_nominations(play.officer(0, close)?).await?;
    Ok(())
}

/// Five online, one on paper.
async fn vote(play: &Play<'_>) -> anyhow::Result<()> {
    play.on("2026-04-13").await?;
    let open = pb::OpenVotingRequest { forum_id: play.forum.clone(), election_id: play.election.clone() };
    play.elections().open_voting(play.officer(0, open)?).await?;
    let nine = play.cast(2, &[1, 2]).await?;
    assert_eq!(refusal(nine)?, (Code::InvalidArgument, "forums.too_many_approvals".to_owned()));
    for which in 2..7 {
        play.cast(which, &[if which < 5 { 1 } else { 2 }]).await??;
    }
    assert_eq!(refusal(play.cast(2, &[1]).await?)?, (Code::AlreadyExists, "forums.already_voted".to_owned()));
    let hand = pb::HandPaperBallotRequest {
        forum_id: play.forum.clone(),
        election_id: play.election.clone(),
        voucher: play.voucher(Purpose::PaperBallot, 7)?,
    };
    let handed = play.elections().hand_paper_ballot(play.officer(0, hand)?).await?.into_inner();
    assert_eq!(handed.handed, 1);
    assert_eq!(refusal(play.cast(7, &[1]).await?)?, (Code::AlreadyExists, "forums.already_voted".to_owned()));
    Ok(())
}

/// The timer closes the boxes; paper, count, lots (three approvals each), confirmation.
async fn finish(play: &Play<'_>, private: Vec<u8>) -> anyhow::Result<()> {
    let (forum_id, election_id) = (play.forum.clone(), play.election.clone());
    play.on("2026-04-20").await?;
    let state = async || -> anyhow::Result<pb::ElectionState> {
        let get = pb::GetElectionRequest { election_id: play.election.clone() };
        Ok(play.elections().get_election(get).await?.into_inner().election.unwrap_or_default().state())
    };
    // The timer closes voting.
    testkit::eventually(PATIENCE, async || {
        state().await.is_ok_and(|state| state == pb::ElectionState::Counting)
    })
    .await;
    for official in [0, 1] {
        let entry = pb::EnterPaperBatchRequest {
            forum_id: forum_id.clone(),
            election_id: election_id.clone(),
            municipality: "889".to_owned(),
            batch: "1".to_owned(),
            ballots: 1,
            blank: 0,
            invalid: 0,
            tallies: vec![pb::CandidateTally { number: 2, approvals: 1 }],
        };
        play.elections().enter_paper_batch(play.officer(official, entry)?).await?;
    }
    let count = pb::CountBallotsRequest {
        forum_id: forum_id.clone(),
        election_id: election_id.clone(),
        board_private_key: private,
    };
    play.elections().count_ballots(play.officer(0, count)?).await?;
    assert_eq!(state().await?, pb::ElectionState::TieByLot, "three approvals each");
    let witness = pb::WitnessLotsRequest {
        forum_id: forum_id.clone(),
        election_id: election_id.clone(),
        municipality: "889".to_owned(),
        number: "4163".to_owned(),
    };
    let not_a_witness = play.elections().witness_lots(play.officer(0, witness.clone())?).await;
    assert_eq!(refusal(not_a_witness)?.0, Code::PermissionDenied);
    let mut both = play.holding(play.witness, Role::ElectionWitness)?;
    both.roles.extend(play.holding(play.witness, Role::ElectionOfficer)?.roles);
    let an_officer = play.elections().witness_lots(play.by(both, witness.clone())?).await;
    assert_eq!(refusal(an_officer)?, (Code::PermissionDenied, "forums.witness_is_officer".to_owned()));
    let witnessing = play.by(play.holding(play.witness, Role::ElectionWitness)?, witness)?;
    play.elections().witness_lots(witnessing).await?;
    let mut list = pb::ListLotsWitnessesRequest {
        forum_id: forum_id.clone(),
        election_id: election_id.clone(),
        purpose: String::new(),
    };
    let unsaid = play.elections().list_lots_witnesses(play.officer(0, list.clone())?).await;
    assert_eq!(refusal(unsaid)?, (Code::InvalidArgument, "request.invalid".to_owned()));
    list.purpose = "Minutes of the drawing".to_owned();
    let by_witness = play.by(play.holding(play.witness, Role::ElectionWitness)?, list.clone())?;
    let by_witness = play.elections().list_lots_witnesses(by_witness).await;
    assert_eq!(refusal(by_witness)?.0, Code::PermissionDenied);
    let listed = play.elections().list_lots_witnesses(play.officer(0, list)?).await?.into_inner();
    let expected = pb::LotsWitness {
        municipality: "889".to_owned(),
        number: "4163".to_owned(),
        witness_ref: play.witness.to_string(),
    };
    assert_eq!(listed.witnesses, [expected]);
    let draw = pb::DrawLotsRequest {
        forum_id: forum_id.clone(),
        election_id: election_id.clone(),
        municipality: "889".to_owned(),
    };
    play.elections().draw_lots(play.officer(0, draw)?).await?;
    let confirm = pb::ConfirmResultRequest { forum_id, election_id: election_id.clone() };
    play.elections().confirm_result(play.officer(0, confirm)?).await?;
    let result = pb::GetElectionResultRequest { election_id };
    let result = play.elections().get_election_result(result).await?.into_inner();
    assert_eq!((result.seats_filled, result.turnout_bp), (1, 3000));
    assert_eq!(result.constituencies[0].lots.as_ref().map(|lots| lots.seats_left), Some(1));
    testkit::eventually(PATIENCE, async || play.system.directory().notices().len() == 2).await;
    Ok(())
}
