//! The Oulunkaari forum and the people around it.

use std::sync::Arc;

use chassis::Call;
use forums::app::{Accept, AnnounceElection, App, Nominate};
use forums::consumers;
use forums::domain::candidate::Acceptance;
use forums::domain::election::Schedule;
use forums::domain::forum::{Charter, ForumLevel, ForumType, SeatQuota};
use forums::domain::sealed::BoardPublicKey;
use forums::vault::Vault;
use futures::FutureExt as _;
use hpke::kem::X25519HkdfSha256;
use hpke::{Kem as _, Serializable as _};
use kernel::deadline::{parse_date, start_of_day};
use kernel::{
    Attestation, Caller, Date, ElectionId, Fault, ForumId, HeldRole, Ids, MunicipalityCode, Role, RollClaim,
    Scope, ScopeRef, SettableClock, Subject, TenantId,
};
use messaging::{Clocks, Command, Database, Received, Writer, WriterSettings};
use prost::{Message, Name};
use proto::common::MunicipalityCount;
use proto::forums as pb;
use proto::membership::RollFrozen;
use testkit::postgres::Cluster;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) const GROUP: &str = "disability_services";

/// Where the service's rows are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

/// A client, attested in a municipality.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) subject: Subject,
    pub(crate) municipality: MunicipalityCode,
}

/// A municipality in an election as scenario 1 has it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) code: &'static str,
    pub(crate) seats: u32,
    pub(crate) eligible: usize,
    pub(crate) candidates: usize,
    pub(crate) ballots: usize,
    pub(crate) approvals: Vec<usize>,
}

/// Scenario 1's table.
pub(crate) fn places() -> Vec<Place> {
    let place = |code, seats, eligible, candidates, ballots, approvals: &[usize]| Place {
        code,
        seats,
        eligible,
        candidates,
        ballots,
        approvals: approvals.to_vec(),
    };
    vec![
        place("139", 8, 46, 12, 39, &[31, 29, 27, 24, 22, 20, 19, 15, 15, 11, 8, 6]),
        place("615", 8, 41, 9, 33, &[28, 26, 25, 23, 21, 18, 17, 14, 9]),
        place("889", 4, 13, 6, 11, &[9, 8, 7, 6, 4, 3]),
        place("785", 4, 15, 4, 0, &[]),
        place("751", 4, 12, 3, 0, &[]),
    ]
}

/// A small forum: Utajärvi alone, one seat, three candidates.
pub(crate) fn small() -> Vec<Place> {
    vec![Place { code: "889", seats: 1, eligible: 70, candidates: 3, ballots: 0, approvals: Vec::new() }]
}

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) database: Database,
    pub(crate) writer: Writer,
    pub(crate) clock: Arc<SettableClock>,
    pub(crate) ids: Ids,
    pub(crate) places: Vec<Place>,
    pub(crate) people: Vec<Vec<Person>>,
    pub(crate) forum: ForumId,
    pub(crate) board_private: Vec<u8>,
    pub(crate) board_public: Vec<u8>,
    pub(crate) officers: [Subject; 3],
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl World {
    /// A founded forum with an approved plan for these municipalities, on 2.3.2026.
    pub(crate) async fn new(store: Store, places: Vec<Place>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match store {
            Store::Sqlite => format!("sqlite://{}/forums.sqlite", folder.path().display()),
            Store::Postgres => Cluster::shared().create_database().await.unwrap(),
        };
        let database = Database::open(&url, "forums", forums::store::migrations).await.unwrap();
        let clock = Arc::new(SettableClock::stopped_at(start_of_day(day("2026-03-02"))));
        let clocks = Clocks { business: clock.clone(), real: clock.clone() };
        let (ids, stop) = (Ids::system(), CancellationToken::new());
        let settings = WriterSettings::for_kind(database.kind());
        let writer =
            Writer::start(&database, clocks, ids.clone(), settings, &TaskTracker::new(), stop.clone());
        let tenants = ["19", "21"].map(|code| TenantId::new(code).unwrap()).to_vec();
        let vault = Vault::new(ids.bytes());
        let app = App::new(vault, database.clone(), writer.clone(), clock.clone(), ids.clone(), tenants);
        let (private, public) = X25519HkdfSha256::derive_keypair(&ids.bytes::<32>());
        let person = |place: &Place| Person { subject: ids.new_id(), municipality: municipality(place.code) };
        let people =
            places.iter().map(|place| (0..place.eligible).map(|_| person(place)).collect()).collect();
        let mut world = Self {
            app,
            database,
            writer,
            clock,
            people,
            places,
            forum: ids.new_id(),
            board_private: private.to_bytes().to_vec(),
            board_public: public.to_bytes().to_vec(),
            officers: std::array::from_fn(|_| ids.new_id()),
            ids,
            stop,
            _folder: folder,
        };
        world.found().await;
        world
    }

    async fn found(&mut self) {
        let call = self.coordinator();
        let found = self.app.found_forum(&call, charter()).await.unwrap();
        self.forum = found.forum.unwrap().forum_id.parse().unwrap();
        self.app.confirm_joint_forum(&self.administrator_of("21"), self.forum).await.unwrap();
        let total = self.places.iter().map(|place| place.seats).sum();
        self.app.approve_seat_plan(&self.coordinator(), self.forum, self.quotas(), total).await.unwrap();
    }

    pub(crate) fn quotas(&self) -> Vec<SeatQuota> {
        let quota = |place: &Place| SeatQuota { municipality: municipality(place.code), seats: place.seats };
        self.places.iter().map(quota).collect()
    }

    /// Noon of this day in Finland.
    pub(crate) fn on(&self, date: &str) {
        self.clock.set(start_of_day(day(date)) + time::Duration::hours(12)).unwrap();
    }

    pub(crate) fn command(&self, subject: Subject) -> Command {
        self.command_with_key(subject, &self.ids.uuid().to_string())
    }

    pub(crate) fn command_with_key(&self, subject: Subject, key: &str) -> Command {
        Command {
            principal: format!("person:{subject}"),
            key: key.to_owned(),
            rpc: "test",
            request_hash: messaging::request_hash(key.as_bytes()),
            deadline: None,
            traceparent: None,
            correlation_id: key.to_owned(),
            audit: None,
        }
    }

    fn call(&self, caller: Caller, scope: Scope) -> Call {
        let command = self.command(caller.subject().unwrap());
        Call::new(caller, scope, command)
    }

    pub(crate) fn coordinator(&self) -> Call {
        self.call(Caller::person(self.officers[0]), Scope::Tenant(TenantId::new("19").unwrap()))
    }

    /// An administrator of a county.
    pub(crate) fn administrator_of(&self, county: &str) -> Call {
        self.call(Caller::person(self.officers[1]), Scope::Tenant(TenantId::new(county).unwrap()))
    }

    /// One of three election officers.
    pub(crate) fn officer(&self, which: usize) -> Call {
        self.call(Caller::person(self.officers[which]), Scope::Forum(self.forum))
    }

    /// A client on their own matters.
    pub(crate) fn client(&self, person: &Person) -> Call {
        self.call(self.caller(person), Scope::SelfOnly(person.subject))
    }

    /// A client on the roll of an election.
    pub(crate) fn voter(&self, person: &Person, election: ElectionId) -> Call {
        self.call(
            self.voting_caller(person, election),
            Scope::Roll { election, municipality: person.municipality },
        )
    }

    pub(crate) fn voting_caller(&self, person: &Person, election: ElectionId) -> Caller {
        let rolls = vec![RollClaim { election, municipality: person.municipality }];
        Caller { rolls, ..self.caller(person) }
    }

    pub(crate) fn caller(&self, person: &Person) -> Caller {
        let (group, since) = (GROUP.to_owned(), day("2026-01-15"));
        let attestations = vec![Attestation { group, municipality: person.municipality, since }];
        Caller { attestations, ..Caller::person(person.subject) }
    }

    pub(crate) async fn announce(&self, dates: [&str; 4], supplementary: bool) -> ElectionId {
        let announced =
            self.app.announce_election(&self.officer(0), self.announcement(dates, supplementary)).await;
        announced.unwrap().election.unwrap().election_id.parse().unwrap()
    }

    pub(crate) fn announcement(&self, dates: [&str; 4], supplementary: bool) -> AnnounceElection {
        let [nomination_opens_on, nomination_closes_on, voting_opens_on, voting_closes_on] = dates.map(day);
        AnnounceElection {
            schedule: Schedule {
                nomination_opens_on,
                nomination_closes_on,
                voting_opens_on,
                voting_closes_on,
            },
            board_key: BoardPublicKey::new(&self.board_public).unwrap(),
            supplementary,
        }
    }

    /// Tells forums of an event of membership, as its projector would.
    pub(crate) async fn hear<M: Message + Name>(&self, event: &M) -> Result<(), Fault> {
        let envelope = messaging::Envelope {
            service: "membership".to_owned(),
            lane: "19".to_owned(),
            event_type: M::full_name(),
            schema_version: 1,
            payload: event.encode_to_vec(),
            ..messaging::Envelope::default()
        };
        let received = Received::new(envelope);
        self.writer
            .internal("test", received, |tx, received| {
                async move { consumers::membership(tx, received).await.map_err(Fault::internal) }.boxed()
            })
            .await
    }

    pub(crate) async fn freeze_roll(&self, election: ElectionId) {
        let counts = self.places.iter().map(|place| MunicipalityCount {
            municipality: place.code.to_owned(),
            count: u32::try_from(place.eligible).unwrap(),
        });
        let frozen = RollFrozen {
            election_id: election.to_string(),
            roll_hash: vec![5; 32],
            counts: counts.collect(),
        };
        self.hear(&frozen).await.unwrap();
    }

    /// A client nominates themselves and accepts under this name.
    pub(crate) async fn stand(&self, person: &Person, election: ElectionId, name: &str, publish: bool) {
        self.stand_as(person, election, Acceptance::new(name, Vec::new(), "", publish).unwrap()).await;
    }

    /// The same with a picture.
    pub(crate) async fn stand_with(
        &self,
        person: &Person,
        election: ElectionId,
        name: &str,
        picture: Vec<u8>,
    ) {
        self.stand_as(person, election, Acceptance::new(name, picture, "Kuva", false).unwrap()).await;
    }

    async fn stand_as(&self, person: &Person, election: ElectionId, acceptance: Acceptance) {
        let nominated = self.nominate(person, election, person.municipality).await.unwrap();
        let candidate = nominated.candidate.unwrap().candidate_id.parse().unwrap();
        let accept = Accept { forum: self.forum, election, candidate, acceptance };
        self.app.accept_candidacy(&self.client(person), accept).await.unwrap();
    }

    pub(crate) async fn nominate(
        &self,
        person: &Person,
        election: ElectionId,
        municipality: MunicipalityCode,
    ) -> Result<pb::NominateCandidateResponse, Fault> {
        let nominate = Nominate { forum: self.forum, election, municipality, other: None };
        self.app.nominate(&self.client(person), nominate).await
    }

    pub(crate) async fn cast(
        &self,
        person: &Person,
        election: ElectionId,
        approvals: &[u32],
    ) -> Result<pb::CastBallotResponse, Fault> {
        self.app.cast_ballot(&self.voter(person, election), self.forum, approvals, false).await
    }

    pub(crate) async fn state(&self, election: ElectionId) -> pb::Election {
        self.app.get_election(election).await.unwrap().election.unwrap()
    }

    /// An election of [`small`] with candidates "A", "B", "C" and voting open on 13.4.2026.
    pub(crate) async fn open_small(&self) -> ElectionId {
        let election = self.announce(DATES, false).await;
        self.freeze_roll(election).await;
        for (person, name) in self.people[0].iter().zip(["A", "B", "C"]) {
            self.stand(person, election, name, true).await;
        }
        self.on("2026-03-21");
        self.app.close_nominations(&self.officer(0), election).await.unwrap();
        self.on("2026-04-13");
        self.app.open_voting(&self.officer(0), election).await.unwrap();
        election
    }

    pub(crate) async fn close_and_count(
        &self,
        election: ElectionId,
    ) -> Result<pb::CountBallotsResponse, Fault> {
        self.on("2026-04-18");
        self.app.close_voting(&self.officer(0), election).await.unwrap();
        self.count(election).await
    }

    pub(crate) async fn count(&self, election: ElectionId) -> Result<pb::CountBallotsResponse, Fault> {
        self.app.count_ballots(&self.officer(0), election, self.board_private.clone().into()).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The days of scenario 1.
pub(crate) const DATES: [&str; 4] = ["2026-03-02", "2026-03-20", "2026-04-13", "2026-04-17"];

pub(crate) fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

pub(crate) fn municipality(code: &str) -> MunicipalityCode {
    MunicipalityCode::new(code).unwrap()
}

pub(crate) fn charter() -> Charter {
    Charter {
        tenant: TenantId::new("19").unwrap(),
        co_tenants: vec![TenantId::new("21").unwrap()],
        agreement_id: "POHDE/2026/17".to_owned(),
        name: "Oulunkaaren seudullinen asiakasfoorumi".to_owned(),
        purpose: "Asiakkaat kehittävät vammaispalveluja yhdessä.".to_owned(),
        purpose_plain: "Me asiakkaat kehitämme palveluja yhdessä.".to_owned(),
        kind: ForumType::ClientForum,
        level: ForumLevel::Regional,
        service_group: GROUP.to_owned(),
        term_starts_on: day("2026-05-01"),
        term_ends_on: day("2028-04-30"),
        founding_decision: "POHDE/2026/16".to_owned(),
    }
}

/// A caller who is also a support person somewhere.
pub(crate) fn as_support_person(caller: Caller) -> Caller {
    Caller { roles: vec![HeldRole { role: Role::SupportPerson, scope: ScopeRef::Cell }], ..caller }
}
