//! The Oulunkaari forum with all its 28 seats filled and a deputy in Ii, over the wire.

use kernel::{
    ActingMode, Assurance, Attestation, Caller, ElectionId, ForumId, HeldRole, Ids, MunicipalityCode, Role,
    RollClaim, ScopeRef, Subject, TenantId, UnitId,
};
use proto::common::MunicipalitySeats;
use proto::forums as pb;
use proto::forums::elections_service_client::ElectionsServiceClient;
use proto::forums::forums_service_client::ForumsServiceClient;
use proto::forums::meetings_service_client::MeetingsServiceClient;
use proto::messaging::event_feed_service_client::EventFeedServiceClient;
use proto::messaging::operator_service_client::OperatorServiceClient;
use proto::messaging::{Envelope, ReadEventsRequest, SetClockRequest};
use testkit::system::{Store, System};
use tonic::transport::Channel;
use tonic::{Code, Request};

use hpke::kem::X25519HkdfSha256;
use hpke::{Kem as _, Serializable as _};

use super::PROPOSALS;
use crate::grpc::{MEMBERSHIP, PATIENCE};
use crate::world::{GROUP, day};

/// Municipalities with their seats, in the order of their codes.
pub(crate) const PLAN: [(&str, u32); 5] = [("139", 8), ("615", 8), ("751", 4), ("785", 4), ("889", 4)];

/// A seat and who holds it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) municipality: String,
    pub(crate) seat_no: u32,
    pub(crate) person: Subject,
}

pub(crate) struct House {
    pub(crate) system: System,
    pub(crate) forum: String,
    /// By municipality and number.
    pub(crate) seats: Vec<Held>,
    pub(crate) deputy: Subject,
    pub(crate) secretary: Subject,
    pub(crate) chair: Subject,
    pub(crate) unit: UnitId,
    board_private: Vec<u8>,
}

impl House {
    /// On 21.4.2026 the forum is elected.
    pub(crate) async fn new(store: Store) -> anyhow::Result<Self> {
        let settings = [("demo", "true"), ("clock.demo_start", "2026-03-02T10:00:00Z")];
        let services = [forums::SERVICE, MEMBERSHIP, PROPOSALS];
        let ids = Ids::system();
        let mut house = Self {
            system: System::start(&services, store, &settings).await?,
            forum: String::new(),
            seats: Vec::new(),
            deputy: ids.new_id(),
            secretary: ids.new_id(),
            chair: ids.new_id(),
            unit: ids.new_id(),
            board_private: Vec::new(),
        };
        house.found().await?;
        house.elect().await?;
        Ok(house)
    }

    pub(crate) fn meetings(&self) -> MeetingsServiceClient<Channel> {
        MeetingsServiceClient::new(self.system.channel())
    }

    pub(crate) fn forums(&self) -> ForumsServiceClient<Channel> {
        ForumsServiceClient::new(self.system.channel())
    }

    fn elections(&self) -> ElectionsServiceClient<Channel> {
        ElectionsServiceClient::new(self.system.channel())
    }

    pub(crate) fn by<T>(&self, caller: Caller, message: T) -> anyhow::Result<Request<T>> {
        self.system.request("forums", Caller { assurance: Assurance::Substantial, ..caller }, message)
    }

    /// A role in the forum.
    pub(crate) fn holding(&self, person: Subject, role: Role) -> anyhow::Result<Caller> {
        let roles = vec![HeldRole { role, scope: ScopeRef::Forum(self.forum.parse()?) }];
        Ok(Caller { roles, ..Caller::person(person) })
    }

    pub(crate) fn secretary<T>(&self, message: T) -> anyhow::Result<Request<T>> {
        self.by(self.holding(self.secretary, Role::ForumSecretary)?, message)
    }

    pub(crate) fn chair<T>(&self, message: T) -> anyhow::Result<Request<T>> {
        self.by(self.holding(self.chair, Role::ForumChair)?, message)
    }

    /// An area coordinator of a county.
    pub(crate) fn coordinator<T>(&self, county: &str, message: T) -> anyhow::Result<Request<T>> {
        let scope = ScopeRef::Tenant(TenantId::new(county)?);
        let roles = vec![HeldRole { role: Role::AreaCoordinator, scope }];
        self.by(Caller { roles, ..Caller::person(self.secretary) }, message)
    }

    /// A member or deputy with a session of their own.
    pub(crate) fn member<T>(&self, person: Subject, message: T) -> anyhow::Result<Request<T>> {
        self.by(Caller::person(person), message)
    }

    /// Noon of this day.
    pub(crate) async fn on(&self, date: &str) -> anyhow::Result<()> {
        let noon = kernel::deadline::start_of_day(day(date)) + time::Duration::hours(12);
        let now = Some(prost_types::Timestamp { seconds: noon.as_seconds(), nanos: 0 });
        let message = SetClockRequest { service: "forums".to_owned(), now };
        let request = self.system.request("forums", operator(), message)?;
        OperatorServiceClient::new(self.system.channel()).set_clock(request).await?;
        Ok(())
    }

    async fn found(&mut self) -> anyhow::Result<()> {
        let mut charter = pb::FoundForumRequest {
            tenant: "19".to_owned(),
            co_tenants: vec!["21".to_owned()],
            agreement_id: "POHDE/2026/17".to_owned(),
            name: "Oulunkaaren seudullinen asiakasfoorumi".to_owned(),
            purpose: "Asiakkaat kehittävät vammaispalveluja yhdessä.".to_owned(),
            purpose_plain: "Me asiakkaat kehitämme palveluja yhdessä.".to_owned(),
            service_group: GROUP.to_owned(),
            term_starts_on: "2026-05-01".to_owned(),
            term_ends_on: "2028-04-30".to_owned(),
            founding_decision: "POHDE/2026/16".to_owned(),
            ..pb::FoundForumRequest::default()
        };
        charter.set_type(pb::ForumType::ClientForum);
        charter.set_level(pb::ForumLevel::Regional);
        let found = self.forums().found_forum(self.coordinator("19", charter)?).await?.into_inner();
        self.forum = found.forum.unwrap_or_default().forum_id;
        let scope = ScopeRef::Tenant(TenantId::new("21")?);
        let roles = vec![HeldRole { role: Role::Administrator, scope }];
        let administrator = Caller { roles, ..Caller::person(self.secretary) };
        let joint = pb::ConfirmJointForumRequest { tenant: "21".to_owned(), forum_id: self.forum.clone() };
        self.forums().confirm_joint_forum(self.by(administrator, joint)?).await?;
        let seats = PLAN.map(|(code, seats)| MunicipalitySeats { municipality: code.to_owned(), seats });
        let plan = pb::ApproveSeatPlanRequest {
            tenant: "19".to_owned(),
            forum_id: self.forum.clone(),
            seats: seats.to_vec(),
            total: 28,
        };
        self.forums().approve_seat_plan(self.coordinator("19", plan)?).await?;
        Ok(())
    }

    /// As many candidates as seats, and one more in Ii, whom nobody approves.
    async fn elect(&mut self) -> anyhow::Result<()> {
        let ids = Ids::system();
        let (private, public) = X25519HkdfSha256::derive_keypair(&ids.bytes::<32>());
        self.board_private = private.to_bytes().to_vec();
        let officer = self.holding(ids.new_id(), Role::ElectionOfficer)?;
        let announce = pb::AnnounceElectionRequest {
            forum_id: self.forum.clone(),
            nomination_opens_on: "2026-03-02".to_owned(),
            nomination_closes_on: "2026-03-20".to_owned(),
            voting_opens_on: "2026-04-13".to_owned(),
            voting_closes_on: "2026-04-17".to_owned(),
            board_public_key: public.to_bytes().to_vec(),
            supplementary: false,
        };
        let announced = self.elections().announce_election(self.by(officer.clone(), announce)?).await?;
        let election_id = announced.into_inner().election.unwrap_or_default().election_id;
        self.system.settle().await?;
        let mut voter = None;
        for (code, seats) in PLAN {
            for _ in 0..seats + u32::from(code == "139") {
                let client = self.client(&election_id, code, ids.new_id())?;
                self.stand(&election_id, code, &client).await?;
                voter = voter.or(Some(client));
            }
        }
        self.on("2026-03-23").await?;
        let forum_id = self.forum.clone();
        let close =
            pb::CloseNominationsRequest { forum_id: forum_id.clone(), election_id: election_id.clone() };
        self.elections().close_nominations(self.by(officer.clone(), close)?).await?;
        self.on("2026-04-13").await?;
        let open = pb::OpenVotingRequest { forum_id: forum_id.clone(), election_id: election_id.clone() };
        self.elections().open_voting(self.by(officer.clone(), open)?).await?;
        let cast = pb::CastBallotRequest {
            forum_id: forum_id.clone(),
            election_id: election_id.clone(),
            approvals: (1..=8).collect(),
            confirmed: false,
        };
        let voter = voter.unwrap_or_else(Caller::anonymous);
        self.elections().cast_ballot(self.by(voter, cast)?).await?;
        self.on("2026-04-20").await?;
        let close = pb::CloseVotingRequest { forum_id: forum_id.clone(), election_id: election_id.clone() };
        self.elections().close_voting(self.by(officer.clone(), close)?).await?;
        let count = pb::CountBallotsRequest {
            forum_id: forum_id.clone(),
            election_id: election_id.clone(),
            board_private_key: self.board_private.clone(),
        };
        self.elections().count_ballots(self.by(officer.clone(), count)?).await?;
        let confirm = pb::ConfirmResultRequest { forum_id, election_id };
        self.elections().confirm_result(self.by(officer, confirm)?).await?;
        self.see_seats().await?;
        // So that what is told of the election is out of the way.
        testkit::eventually(PATIENCE, async || self.system.directory().notices().len() == 1).await;
        Ok(())
    }

    /// Reads who holds which seat.
    pub(crate) async fn see_seats(&mut self) -> anyhow::Result<()> {
        let purpose = "Attendance of a meeting".to_owned();
        let list = pb::ListSeatHoldersRequest { forum_id: self.forum.clone(), purpose };
        let holders = self.forums().list_seat_holders(self.secretary(list)?).await?.into_inner().holders;
        self.seats.clear();
        for one in holders {
            let person: Subject = one.holder_ref.parse()?;
            if one.deputy {
                self.deputy = person;
            } else {
                self.seats.push(Held { municipality: one.municipality, seat_no: one.seat_no, person });
            }
        }
        Ok(())
    }

    fn client(&self, election: &str, code: &str, person: Subject) -> anyhow::Result<Caller> {
        let (election, municipality): (ElectionId, _) = (election.parse()?, MunicipalityCode::new(code)?);
        let attestation = Attestation { group: GROUP.to_owned(), municipality, since: day("2026-01-15") };
        let rolls = vec![RollClaim { election, municipality }];
        Ok(Caller { attestations: vec![attestation], rolls, ..Caller::person(person) })
    }

    async fn stand(&self, election: &str, code: &str, client: &Caller) -> anyhow::Result<()> {
        let nominate = pb::NominateCandidateRequest {
            forum_id: self.forum.clone(),
            election_id: election.to_owned(),
            municipality: code.to_owned(),
            voucher: String::new(),
        };
        let nominated = self.elections().nominate_candidate(self.by(client.clone(), nominate)?).await?;
        let accept = pb::AcceptCandidacyRequest {
            forum_id: self.forum.clone(),
            election_id: election.to_owned(),
            candidate_id: nominated.into_inner().candidate.unwrap_or_default().candidate_id,
            ballot_name: "Ehdokas".to_owned(),
            picture: Vec::new(),
            picture_text: String::new(),
            publish_name: false,
        };
        self.elections().accept_candidacy(self.by(client.clone(), accept)?).await?;
        Ok(())
    }

    /// A meeting planned for this day, with these topics on its agenda.
    pub(crate) async fn planned(&self, held_on: &str, items: &[String]) -> anyhow::Result<String> {
        let plan = self.secretary(self.plan(held_on))?;
        let planned = self.meetings().plan_meeting(plan).await?.into_inner();
        let meeting_id = planned.meeting.unwrap_or_default().meeting_id;
        for item in items {
            self.schedule(&meeting_id, item).await?;
        }
        Ok(meeting_id)
    }

    pub(crate) fn plan(&self, held_on: &str) -> pb::PlanMeetingRequest {
        let mut plan = pb::PlanMeetingRequest {
            forum_id: self.forum.clone(),
            held_on: held_on.to_owned(),
            starts_at: "13:00".to_owned(),
            place: "Iin kunnantalo".to_owned(),
            remote_link: "https://kokous.example.fi/oulunkaari".to_owned(),
            ..pb::PlanMeetingRequest::default()
        };
        plan.set_mode(pb::MeetingMode::Hybrid);
        plan
    }

    pub(crate) async fn schedule(&self, meeting: &str, item: &str) -> Result<(), tonic::Status> {
        let schedule = pb::ScheduleTopicRequest {
            forum_id: self.forum.clone(),
            tenant: String::new(),
            meeting_id: meeting.to_owned(),
            item_id: item.to_owned(),
        };
        let request = self.secretary(schedule).map_err(|error| tonic::Status::internal(error.to_string()))?;
        self.meetings().schedule_topic(request).await.map(|_| ())
    }

    pub(crate) fn notice(&self, meeting: &str) -> pb::SendNoticeRequest {
        pb::SendNoticeRequest {
            forum_id: self.forum.clone(),
            tenant: String::new(),
            meeting_id: meeting.to_owned(),
            notice: both("Foorumi kokoontuu", "Tervetuloa Iihin."),
        }
    }

    /// Calls a meeting in time and opens it on its day.
    pub(crate) async fn opened(
        &self,
        called: &str,
        held_on: &str,
        items: &[String],
    ) -> anyhow::Result<String> {
        self.on(called).await?;
        let meeting_id = self.planned(held_on, items).await?;
        self.meetings().send_notice(self.secretary(self.notice(&meeting_id))?).await?;
        self.on(held_on).await?;
        let open = pb::OpenMeetingRequest {
            forum_id: self.forum.clone(),
            tenant: String::new(),
            meeting_id: meeting_id.clone(),
        };
        self.meetings().open_meeting(self.secretary(open)?).await?;
        Ok(meeting_id)
    }

    /// So many seats of each municipality of the plan, from the first on.
    pub(crate) fn some(&self, counts: [u32; 5]) -> Vec<Held> {
        let wanted = |held: &&Held| {
            let place = PLAN.iter().position(|(code, _)| *code == held.municipality);
            place.is_some_and(|place| held.seat_no <= counts[place])
        };
        self.seats.iter().filter(wanted).cloned().collect()
    }

    pub(crate) fn attendance(&self, meeting: &str, present: &[Held]) -> pb::RecordAttendanceRequest {
        let seat = |held: &Held| pb::PresentSeat {
            municipality: held.municipality.clone(),
            seat_no: held.seat_no,
            deputy_order: 0,
            remote: false,
        };
        pb::RecordAttendanceRequest {
            forum_id: self.forum.clone(),
            tenant: String::new(),
            meeting_id: meeting.to_owned(),
            present: present.iter().map(seat).collect(),
            chair_municipality: "615".to_owned(),
            chair_seat_no: 1,
            support_persons: 7,
            manager_present: true,
        }
    }

    pub(crate) fn put(&self, item: &str) -> pb::PutToVoteRequest {
        pb::PutToVoteRequest { forum_id: self.forum.clone(), tenant: String::new(), item_id: item.to_owned() }
    }

    pub(crate) fn close_vote(&self, item: &str) -> pb::CloseVoteRequest {
        pb::CloseVoteRequest {
            forum_id: self.forum.clone(),
            item_id: item.to_owned(),
            ..pb::CloseVoteRequest::default()
        }
    }

    pub(crate) fn vote(&self, meeting: &str, item: &str, vote: pb::VoteChoice) -> pb::CastForumVoteRequest {
        let mut cast = pb::CastForumVoteRequest {
            forum_id: self.forum.clone(),
            meeting_id: meeting.to_owned(),
            item_id: item.to_owned(),
            ..pb::CastForumVoteRequest::default()
        };
        cast.set_vote(vote);
        cast
    }

    pub(crate) async fn seen(&self, meeting: &str) -> anyhow::Result<(pb::Meeting, Vec<pb::AgendaItem>)> {
        let get = pb::GetMeetingRequest { meeting_id: meeting.to_owned() };
        let seen = self.meetings().get_meeting(get).await?.into_inner();
        Ok((seen.meeting.unwrap_or_default(), seen.agenda))
    }

    /// Topics that wait, by proposal or first title.
    pub(crate) async fn topics(&self) -> anyhow::Result<Vec<pb::AgendaItem>> {
        self.system.settle().await?;
        let list = pb::ListTopicsRequest {
            forum_id: self.forum.clone(),
            purpose: "Agenda of the next meeting".to_owned(),
            ..pb::ListTopicsRequest::default()
        };
        Ok(self.meetings().list_topics(self.secretary(list)?).await?.into_inner().items)
    }

    /// The topic of a proposal that waits.
    pub(crate) async fn topic_of(&self, which: u128) -> anyhow::Result<String> {
        let id = super::proposal(which).to_string();
        let found = self.topics().await?.into_iter().find(|item| item.proposal_id == id);
        Ok(found.unwrap_or_default().item_id)
    }

    /// What forums has published in the lane of the lead county.
    pub(crate) async fn events(&self) -> anyhow::Result<Vec<Envelope>> {
        let mut client = EventFeedServiceClient::new(self.system.channel());
        let mut all: Vec<Envelope> = Vec::new();
        loop {
            let from_seq = all.last().map_or(1, |event| event.seq + 1);
            let (service, lane) = ("forums".to_owned(), "19".to_owned());
            let read = ReadEventsRequest { service, lane, from_seq, limit: 256 };
            let page = client.read_events(self.system.request("forums", operator(), read)?).await?;
            let page = page.into_inner().events;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// The events of one type.
    pub(crate) async fn told<M: prost::Message + prost::Name + Default>(&self) -> anyhow::Result<Vec<M>> {
        let events = self.events().await?;
        let of_type = events.iter().filter(|event| event.event_type == M::full_name());
        of_type.map(|event| Ok(M::decode(event.payload.as_slice())?)).collect()
    }

    pub(crate) fn forum_id(&self) -> anyhow::Result<ForumId> {
        Ok(self.forum.parse()?)
    }
}

fn operator() -> Caller {
    let roles = vec![HeldRole { role: Role::Operator, scope: ScopeRef::Cell }];
    Caller { roles, ..Caller::service("test-operator") }
}

/// A member with a helper beside them.
pub(crate) fn assisted(person: Subject) -> Caller {
    Caller { mode: ActingMode::Assisted, ..Caller::person(person) }
}

/// A text in standard and plain Finnish.
pub(crate) fn both(title: &str, body: &str) -> Vec<pb::MeetingText> {
    ["fi", "fi-selko"].map(|language| text(language, title, body)).to_vec()
}

pub(crate) fn text(language: &str, title: &str, body: &str) -> pb::MeetingText {
    pb::MeetingText { language: language.to_owned(), title: title.to_owned(), body: body.to_owned() }
}

/// The service's own code of a refusal.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, tonic::Status>) -> String {
    let status = answer.expect_err("this must be refused");
    assert_ne!(status.code(), Code::Internal, "{status}");
    chassis::fault(&status).code().to_owned()
}
