//! A prepared membership on a database, with clocks that stand still, and the acts that many stories begin with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::FutureExt as _;
use kernel::{
    ActingMode, Caller, Date, Fault, HeldRole, Ids, MunicipalityCode, ParticipantId, Role, Scope, ScopeRef,
    SettableClock, Subject, TenantId, TextVariant, Timestamp, UnitId, deadline,
};
use membership::app::{App, Asked, Eligibility, NewAdministrator, NewParticipant, NewRole, Wiring};
use membership::domain::PersonId;
use membership::domain::participant::Profile;
use membership::domain::tenancy::{ServiceUnit, UnitKind};
use membership::mail::Mailer;
use membership::vault::Vault;
use messaging::{
    Clocks, Command, Database, DatabaseKind, Envelope, Received, Writer, WriterSettings, request_hash,
};
use prost::{Message, Name};
use proto::membership as pb;
use sea_orm::{ConnectionTrait, Statement, TryGetable};
use serde_json::Value;
use tempfile::TempDir;
use testkit::postgres::Cluster;
use time::macros::date;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Both engines; a failing test's output names the one it was at.
pub(crate) const ENGINES: [DatabaseKind; 2] = [DatabaseKind::Sqlite, DatabaseKind::Postgres];
/// The day on which stories begin.
pub(crate) const TODAY: Date = date!(2026 - 01 - 15);
/// The service group of the stories.
pub(crate) const GROUP: &str = "disability_services";
/// Name of the deployment.
pub(crate) const CELL: &str = "test";
/// Services that get accounts.
pub(crate) const SERVICES: [&str; 2] = ["membership", "forums"];

/// A running application.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) database: Database,
    pub(crate) writer: Writer,
    pub(crate) clock: Arc<SettableClock>,
    pub(crate) real: Arc<SettableClock>,
    pub(crate) setup_code: String,
    pub(crate) secrets: PathBuf,
    ids: Ids,
    keys: AtomicU32,
    administrators: Mutex<BTreeMap<String, Subject>>,
    stop: CancellationToken,
    tracker: TaskTracker,
    _folder: TempDir,
}

/// A county.
pub(crate) fn tenant(code: &str) -> TenantId {
    TenantId::new(code).unwrap()
}

/// A municipality.
pub(crate) fn municipality(code: &str) -> MunicipalityCode {
    MunicipalityCode::new(code).unwrap()
}

/// A name and nothing else.
pub(crate) fn profile(name: &str) -> Profile {
    Profile {
        display_name: name.to_owned(),
        language: TextVariant::Finnish,
        email: String::new(),
        phone: String::new(),
    }
}

/// Noon of a day.
pub(crate) fn noon(day: Date) -> Timestamp {
    deadline::start_of_day(day) + time::Duration::hours(12)
}

/// The code of a refusal.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
    result.expect_err("a refusal").code().to_owned()
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let bytes = data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

impl World {
    pub(crate) async fn open(engine: DatabaseKind) -> Self {
        Self::open_with(engine, None).await
    }

    /// One that sends e-mail.
    pub(crate) async fn open_with(engine: DatabaseKind, mailer: Option<Mailer>) -> Self {
        println!("engine: {engine:?}");
        let folder = TempDir::new().unwrap();
        let url = match engine {
            DatabaseKind::Sqlite => format!("sqlite://{}", folder.path().join("membership.sqlite").display()),
            DatabaseKind::Postgres => Cluster::shared().create_database().await.unwrap(),
        };
        let database = Database::open(&url, "membership", membership::migrations).await.unwrap();
        let clock = Arc::new(SettableClock::stopped_at(noon(TODAY)));
        let real = Arc::new(SettableClock::stopped_at(noon(TODAY)));
        let clocks = Clocks { business: clock.clone(), real: real.clone() };
        let ids = Ids::system();
        let secrets = folder.path().join("secrets");
        let tenants = [tenant("21"), tenant("19")];
        let (clocks_of_setup, ids_of_setup) = (clocks.clone(), ids.clone());
        let prepared = membership::setup::prepare(
            &database,
            &secrets,
            CELL,
            &SERVICES,
            &tenants,
            clocks_of_setup,
            ids_of_setup,
        );
        let setup_code = prepared.await.unwrap().expect("a setup code").code;
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let settings = WriterSettings::for_kind(database.kind());
        let writer = Writer::start(&database, clocks, ids.clone(), settings, &tracker, stop.clone());
        let app = App::new(Wiring {
            tenants: tenants.to_vec(),
            cell: CELL.to_owned(),
            database: database.clone(),
            writer: writer.clone(),
            clock: clock.clone(),
            real_clock: real.clone(),
            ids: ids.clone(),
            vault: Vault::open(&secrets).unwrap(),
            mailer,
        });
        let keys = AtomicU32::new(0);
        Self {
            app,
            database,
            writer,
            clock,
            real,
            setup_code,
            secrets,
            ids,
            keys,
            administrators: Mutex::default(),
            stop,
            tracker,
            _folder: folder,
        }
    }

    /// Stops the writer and closes the database.
    pub(crate) async fn close(self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        self.database.close().await.unwrap();
    }

    /// A new command.
    pub(crate) fn command(&self) -> Command {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        self.command_with(&format!("key-{number:012}"))
    }

    /// The command with this key.
    pub(crate) fn command_with(&self, key: &str) -> Command {
        Command {
            principal: "person:test".to_owned(),
            key: key.to_owned(),
            rpc: "test",
            request_hash: request_hash(key.as_bytes()),
            deadline: None,
            traceparent: None,
            correlation_id: "story".to_owned(),
            audit: None,
        }
    }

    /// A new id.
    pub(crate) fn id<I: From<kernel::Uuid>>(&self) -> I {
        self.ids.new_id()
    }

    /// Moves both clocks to noon of a day.
    pub(crate) fn on(&self, day: Date) {
        self.clock.set(noon(day)).unwrap();
        self.real.set(noon(day)).unwrap();
    }

    /// A person to register.
    pub(crate) fn new_participant(&self, county: &str, key: &str, link: Option<&str>) -> NewParticipant {
        NewParticipant {
            id: self.id(),
            person: self.id::<PersonId>(),
            tenant: tenant(county),
            register_key: key.to_owned(),
            profile: profile(&format!("Person {key}")),
            link_hash: link.map(|link| self.app.link_hash(link)),
        }
    }

    /// Registers a person.
    pub(crate) async fn person(&self, county: &str, key: &str, link: Option<&str>) -> ParticipantId {
        let new = self.new_participant(county, key, link);
        let id = new.id;
        self.app.register(&self.command(), new).await.unwrap();
        id
    }

    /// Registers a unit.
    pub(crate) async fn unit(&self, county: &str, name: &str, place: &str) -> UnitId {
        let unit = ServiceUnit {
            id: self.id(),
            tenant: tenant(county),
            name: name.to_owned(),
            kind: UnitKind::DayActivity,
            municipality: municipality(place),
        };
        let id = unit.id;
        self.app.register_unit(&self.command(), unit).await.unwrap();
        id
    }

    /// Gives a role.
    pub(crate) async fn role(
        &self,
        county: &str,
        participant: ParticipantId,
        role: Role,
        scope: ScopeRef,
    ) -> Result<pb::RoleAssignment, Fault> {
        let new = NewRole {
            tenant: tenant(county),
            participant,
            held: HeldRole { role, scope },
            starts_on: None,
            ends_on: None,
            by_operator: false,
        };
        Ok(self.app.assign_role(&self.command(), new).await?.assignment.unwrap())
    }

    /// A new member of a unit's staff: their reference at membership.
    pub(crate) async fn staff(&self, county: &str, unit: UnitId) -> Subject {
        let staff = self.person(county, &format!("staff-{unit}"), None).await;
        self.role(county, staff, Role::UnitStaff, ScopeRef::Unit(unit)).await.unwrap();
        self.subject(&self.sign_in(county, staff).await).await
    }

    /// Attests a person.
    pub(crate) async fn attest(
        &self,
        unit: UnitId,
        by: Subject,
        participant: ParticipantId,
        place: &str,
    ) -> Result<pb::Attestation, Fault> {
        let asked =
            Eligibility { unit, by, participant, group: GROUP.to_owned(), municipality: municipality(place) };
        Ok(self.app.attest(&self.command(), asked).await?.attestation.unwrap())
    }

    /// A caller with the county's administrator role: "Person administrator" in its register from the first time on.
    pub(crate) async fn administrator(&self, county: &str) -> Caller {
        let mut known = self.administrators.lock().await;
        let subject = match known.get(county) {
            Some(subject) => *subject,
            None => {
                let subject = self.known_person(county).await;
                known.insert(county.to_owned(), subject);
                subject
            }
        };
        let held = HeldRole { role: Role::Administrator, scope: ScopeRef::Tenant(tenant(county)) };
        Caller { roles: vec![held], tenants: vec![tenant(county)], ..Caller::person(subject) }
    }

    /// Registers an administrator who is known to membership, though nobody made the first card.
    async fn known_person(&self, county: &str) -> Subject {
        let new = self.new_participant(county, "administrator", None);
        let (person, subject) = (new.person, self.id::<kernel::Uuid>());
        self.app.register(&self.command(), new).await.unwrap();
        self.write(
            "INSERT INTO pseudonym (person, service, reference) VALUES ($1, 'membership', $2)",
            [person.as_uuid().into(), subject.into()],
        )
        .await;
        Subject::from_uuid(subject)
    }

    /// Changes the database behind the service's back.
    pub(crate) async fn write<const N: usize>(&self, sql: &'static str, values: [sea_orm::Value; N]) {
        self.writer
            .internal("test", values, move |tx, values| {
                async move {
                    let backend = tx.conn().get_database_backend();
                    let statement = Statement::from_sql_and_values(backend, sql, values.clone());
                    tx.conn().execute_raw(statement).await.map_err(Fault::internal)?;
                    Ok(())
                }
                .boxed()
            })
            .await
            .unwrap();
    }

    /// A card from the county's administrator.
    pub(crate) async fn card(&self, county: &str, participant: ParticipantId) -> pb::IssueCodeCardResponse {
        let administrator = self.administrator(county).await;
        let scope = Scope::Tenant(tenant(county));
        self.app.issue_card(&self.command(), &administrator, scope, participant).await.unwrap()
    }

    /// Signs a person in with a new card: the session's secret.
    pub(crate) async fn sign_in(&self, county: &str, participant: ParticipantId) -> String {
        let card = self.card(county, participant).await;
        let signed_in = self.app.sign_in_with_card(&self.command(), &card.card, &card.code).await.unwrap();
        signed_in.session.unwrap().session
    }

    /// Asks for an actor token.
    pub(crate) async fn token(
        &self,
        session: &str,
        audience: &str,
    ) -> Result<pb::IssueActorTokenResponse, Fault> {
        let asked = Asked {
            session: session.to_owned(),
            audience: audience.to_owned(),
            mode: ActingMode::Alone,
            on_behalf_of: None,
            support: None,
        };
        self.app.actor_token(asked).await
    }

    /// The claims of a token for forums.
    pub(crate) async fn forums_claims(&self, session: &str) -> Value {
        claims(&self.token(session, "forums").await.unwrap().token.unwrap().token)
    }

    /// The reference at membership of whoever holds this session.
    pub(crate) async fn subject(&self, session: &str) -> Subject {
        self.token(session, "membership").await.unwrap().subject.parse().unwrap()
    }

    /// Whoever holds this session, as membership sees them.
    pub(crate) async fn caller(&self, session: &str) -> Caller {
        let told = self.forums_claims(session).await;
        let counties = told["tenants"].as_array().unwrap().iter();
        let tenants = counties.map(|code| tenant(code.as_str().unwrap())).collect();
        Caller { tenants, ..Caller::person(self.subject(session).await) }
    }

    /// The first administrator.
    pub(crate) fn first_administrator(&self, code: &str) -> NewAdministrator {
        let participant = self.new_participant("19", "first-administrator", None);
        NewAdministrator { code: code.to_owned(), participant }
    }

    /// Handles an event of forums, as the projector would.
    pub(crate) async fn hear<M: Message + Name>(&self, lead: &str, others: &[&str], event: &M) {
        let envelope = Envelope {
            service: "forums".to_owned(),
            lane: lead.to_owned(),
            co_tenants: others.iter().map(|code| (*code).to_owned()).collect(),
            event_type: M::full_name(),
            schema_version: 1,
            occurred_at_us: kernel::Clock::now(self.clock.as_ref()).as_micros(),
            payload: event.encode_to_vec(),
            ..Envelope::default()
        };
        let received = Received::new(envelope);
        let handler = membership::consumers::forums(self.app.clone());
        let input = (handler, received);
        self.writer
            .internal("hear", input, |tx, (handler, received)| {
                async move { handler(tx, received).await.map_err(Fault::internal) }.boxed()
            })
            .await
            .unwrap();
    }

    /// One value from the database.
    pub(crate) async fn value<T: TryGetable>(&self, question: &str) -> T {
        let connection = self.database.read();
        let statement = Statement::from_string(connection.get_database_backend(), question);
        connection.query_one_raw(statement).await.unwrap().expect("a row").try_get_by_index(0).unwrap()
    }

    /// A column of bytes from the database.
    pub(crate) async fn bytes(&self, question: &str) -> Vec<Vec<u8>> {
        let connection = self.database.read();
        let statement = Statement::from_string(connection.get_database_backend(), question);
        let rows = connection.query_all_raw(statement).await.unwrap();
        rows.into_iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// Every published event of type `M`, in order.
    pub(crate) async fn published<M: Message + Name + Default>(&self) -> Vec<M> {
        let connection = self.database.read();
        let question = format!(
            "SELECT payload FROM event_log WHERE event_type = '{}' ORDER BY occurred_at, lane, seq",
            M::full_name()
        );
        let statement = Statement::from_string(connection.get_database_backend(), question);
        let rows = connection.query_all_raw(statement).await.unwrap();
        let payload = |row: sea_orm::QueryResult| row.try_get_by_index::<Vec<u8>>(0).unwrap();
        rows.into_iter().map(|row| M::decode(payload(row).as_slice()).unwrap()).collect()
    }
}
