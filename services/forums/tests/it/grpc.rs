//! Elections over the wire: real gRPC with signed tokens and the access layer, nats-server, timers and notices.
//! Only membership is played: by testkit's directory, and by a service here that freezes every roll.

mod others;
mod story;

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
pub(crate) const MEMBERSHIP: Service =
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
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// The election and those who take part in it.
struct Play<'a> {
    system: &'a System,
    officers: [Subject; 2],
    witness: Subject,
    clients: Vec<Subject>,
    forum: String,
    election: String,
    municipality: MunicipalityCode,
    board_private: Vec<u8>,
    board_public: Vec<u8>,
}

async fn start(store: Store) -> anyhow::Result<System> {
    let settings = [("demo", "true"), ("clock.demo_start", "2026-03-02T10:00:00Z")];
    System::start(&[forums::SERVICE, MEMBERSHIP], store, &settings).await
}

impl<'a> Play<'a> {
    fn new(system: &'a System) -> anyhow::Result<Self> {
        let ids = Ids::system();
        let (private, public) = X25519HkdfSha256::derive_keypair(&ids.bytes::<32>());
        Ok(Self {
            system,
            officers: std::array::from_fn(|_| ids.new_id()),
            witness: ids.new_id(),
            clients: (0..12).map(|_| ids.new_id()).collect(),
            forum: String::new(),
            election: String::new(),
            municipality: MunicipalityCode::new("889")?,
            board_private: private.to_bytes().to_vec(),
            board_public: public.to_bytes().to_vec(),
        })
    }

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
            recorder: None,
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
            confirmed: false,
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

/// A forum of Utajärvi alone, with one seat.
async fn found(play: &mut Play<'_>) -> anyhow::Result<()> {
    let scope = ScopeRef::Tenant(TenantId::new("19")?);
    let roles = vec![HeldRole { role: Role::AreaCoordinator, scope }];
    let coordinator = Caller { roles, ..Caller::person(Ids::system().new_id()) };
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
    Ok(())
}

async fn announce(play: &mut Play<'_>) -> anyhow::Result<()> {
    let announce = pb::AnnounceElectionRequest {
        forum_id: play.forum.clone(),
        nomination_opens_on: "2026-03-02".to_owned(),
        nomination_closes_on: "2026-03-20".to_owned(),
        voting_opens_on: "2026-04-13".to_owned(),
        voting_closes_on: "2026-04-17".to_owned(),
        board_public_key: play.board_public.clone(),
        supplementary: false,
    };
    let announced = play.elections().announce_election(play.officer(0, announce)?).await?.into_inner();
    play.election = announced.election.unwrap_or_default().election_id;
    play.system.settle().await?;
    Ok(())
}
