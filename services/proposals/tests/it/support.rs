//! The world of the tests: proposals over real gRPC with the access layer, nats-server, jobs and the business clock.
//! Membership and forums are played: by testkit's directory, and by two services here that publish what a test says.
//!
//! ```ignore
//! run(Store::Sqlite, async |world| {
//!     let proposal = world.open_proposal("Päivätoimintaan lisää ulkoilua").await?;
//!     world.on("2026-11-05").await?;
//!     world.jobs_done().await?;
//!     let request = world.by(world.manager(world.units.ii_day), pb::GiveResponseRequest { .. })?;
//!     ...
//! })
//! .await
//! ```

mod payloads;
mod stories;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use chassis::{Context, Parts, Service, StartError};
use futures::FutureExt as _;
use kernel::{
    Assurance, Caller, Date, ForumId, HeldRole, Ids, ProposalId, Role, ScopeRef, Subject, TenantId, UnitId,
    Uuid,
};
use messaging::{Database, NewEvent, Writer};
use proposals::app::App;
use prost::{Message, Name};
use proto::membership::{PolicySet, ServiceUnitRegistered};
use proto::messaging::SetClockRequest;
use proto::messaging::operator_service_client::OperatorServiceClient;
use proto::proposals::handling_service_client::HandlingServiceClient;
use proto::proposals::proposals_service_client::ProposalsServiceClient;
use sea_orm::{ConnectionTrait, QueryResult, Statement, TryGetable};
use testkit::system::System;
use tonic::transport::Channel;
use tonic::{Code, Status};

pub(crate) use payloads::{CANARY, TITLE_CANARY};
pub(crate) use testkit::system::Store;

/// Pohjois-Pohjanmaa: the county of the tests.
pub(crate) const POHDE: &str = "19";
/// Lappi: another one.
pub(crate) const LAPHA: &str = "21";
/// How long jobs may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// References of the people of a world: clients, staff …, each kind with numbers of its own.
const CLIENTS: u128 = 0xC11E_0000;
const OFFICERS: u128 = 0x0FF1_0000;

/// What a running service of the test writes with.
#[derive(Clone)]
struct Handle {
    writer: Writer,
    database: Database,
    app: App,
}

/// Handles by folder and name: two worlds in one process do not meet.
static HANDLES: Mutex<Option<HashMap<(PathBuf, &'static str), Handle>>> = Mutex::new(None);

fn keep(context: &Context) {
    let app = App::new(
        context.database.clone(),
        context.writer.clone(),
        context.clock.clone(),
        context.ids.clone(),
        context.tenants.clone(),
        context.secrets.clone(),
    );
    let handle = Handle { writer: context.writer.clone(), database: context.database.clone(), app };
    let mut handles = HANDLES.lock().unwrap_or_else(PoisonError::into_inner);
    handles.get_or_insert_default().insert((context.data_dir.clone(), context.name), handle);
}

fn build_proposals(context: &Context) -> Result<Parts, StartError> {
    keep(context);
    (proposals::SERVICE.build)(context)
}

fn build_other(context: &Context) -> Result<Parts, StartError> {
    keep(context);
    Ok(Parts::default())
}

/// The services of a world.
pub(crate) const PROPOSALS: Service = Service { build: build_proposals, ..proposals::SERVICE };
pub(crate) const MEMBERSHIP: Service =
    Service { name: "membership", defaults: "", migrations: Vec::new, build: build_other };
pub(crate) const FORUMS: Service =
    Service { name: "forums", defaults: "", migrations: Vec::new, build: build_other };

/// The units of a world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Units {
    /// Iin päivätoiminta.
    pub(crate) ii_day: UnitId,
    /// Iin työtoiminta.
    pub(crate) ii_work: UnitId,
    /// Pudasjärven asuminen.
    pub(crate) pudasjarvi_housing: UnitId,
    /// Simon päivätoiminta, in the other county.
    pub(crate) simo_day: UnitId,
}

/// A running system with units, two forums and people; it begins on 7.9.2026, the first day of scenario 4.
pub(crate) struct World {
    pub(crate) system: System,
    pub(crate) units: Units,
    /// The joint regional forum of Oulunkaari: led by Pohde, with Lapha.
    pub(crate) forum: ForumId,
    /// A forum of Lapha alone.
    pub(crate) other_forum: ForumId,
    pub(crate) ids: Ids,
}

/// Runs a test in a new world on its first day, then finishes: everything published, nothing parked or given up.
pub(crate) async fn run(
    store: Store,
    test: impl AsyncFnOnce(&mut World) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut world = World::start(store, &[]).await?;
    test(&mut world).await?;
    world.system.finish().await
}

impl World {
    /// A new world with these settings besides.
    pub(crate) async fn start(store: Store, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut all = vec![("demo", "true"), ("clock.demo_start", "2026-09-07T09:00:00Z")];
        all.extend(settings);
        let system = System::start(&[PROPOSALS, MEMBERSHIP, FORUMS], store, &all).await?;
        let ids = Ids::system();
        let units = Units {
            ii_day: ids.new_id(),
            ii_work: ids.new_id(),
            pudasjarvi_housing: ids.new_id(),
            simo_day: ids.new_id(),
        };
        let world = Self { system, units, forum: ids.new_id(), other_forum: ids.new_id(), ids };
        for (county, unit, name, kind, municipality) in [
            (POHDE, units.ii_day, "Iin päivätoiminta", "day_activity", "139"),
            (POHDE, units.ii_work, "Iin työtoiminta", "work_activity", "139"),
            (POHDE, units.pudasjarvi_housing, "Pudasjärven asuminen", "housing", "615"),
            (LAPHA, units.simo_day, "Simon päivätoiminta", "day_activity", "751"),
        ] {
            let registered = ServiceUnitRegistered {
                unit_id: unit.to_string(),
                name: name.to_owned(),
                kind: kind.to_owned(),
                municipality: municipality.to_owned(),
            };
            world.membership_says(county, &registered).await?;
        }
        let founded = |forum: ForumId| proto::forums::ForumFounded {
            forum_id: forum.to_string(),
            r#type: "client_forum".to_owned(),
            level: "regional".to_owned(),
            service_group: "disability_services".to_owned(),
            term_starts_on: "2026-05-01".to_owned(),
            term_ends_on: "2028-04-30".to_owned(),
        };
        world.forums_say(POHDE, &[LAPHA], &founded(world.forum)).await?;
        world.forums_say(LAPHA, &[], &founded(world.other_forum)).await?;
        Ok(world)
    }

    // Time, events, jobs.

    /// Sets the business clock to noon of this day, for example "2026-11-05".
    pub(crate) async fn on(&self, date: &str) -> anyhow::Result<()> {
        let noon = kernel::deadline::start_of_day(day(date)) + time::Duration::hours(12);
        let now = Some(prost_types::Timestamp { seconds: noon.as_seconds(), nanos: 0 });
        let roles = vec![HeldRole { role: Role::Operator, scope: ScopeRef::Cell }];
        let operator = Caller { roles, ..Caller::service("test-operator") };
        let message = SetClockRequest { service: "proposals".to_owned(), now };
        let request = self.system.request("proposals", operator, message)?;
        OperatorServiceClient::new(self.system.channel()).set_clock(request).await?;
        Ok(())
    }

    /// Waits until no job of proposals is due by the business clock: all were run.
    pub(crate) async fn jobs_done(&self) -> anyhow::Result<()> {
        let clock = self.handle("proposals")?.writer.clocks().business.clone();
        testkit::eventually(PATIENCE, async || {
            let question = format!(
                "SELECT COUNT(*) FROM job WHERE state IN ('waiting', 'running') AND run_at <= {}",
                clock.now().as_micros()
            );
            self.value::<i64>(&question).await == 0
        })
        .await;
        self.system.settle().await
    }

    /// Publishes an event as membership does, and waits until proposals has it.
    pub(crate) async fn membership_says<M: Message + Name>(
        &self,
        county: &str,
        event: &M,
    ) -> anyhow::Result<()> {
        self.say("membership", county, &[], std::slice::from_ref(event)).await
    }

    /// Publishes an event as forums does, and waits until proposals has it.
    pub(crate) async fn forums_say<M: Message + Name>(
        &self,
        county: &str,
        others: &[&str],
        event: &M,
    ) -> anyhow::Result<()> {
        self.say("forums", county, others, std::slice::from_ref(event)).await
    }

    /// Sets a policy of Pohde from 1.1.2026 on.
    pub(crate) async fn policy(&self, key: &str, value: &str) -> anyhow::Result<()> {
        let (key, value, valid_from) = (key.to_owned(), value.to_owned(), "2026-01-01".to_owned());
        self.membership_says(POHDE, &PolicySet { key, value, valid_from }).await
    }

    /// Publishes several events as forums does, and waits until proposals has them.
    pub(crate) async fn forums_say_all<M: Message + Name>(
        &self,
        county: &str,
        others: &[&str],
        events: &[M],
    ) -> anyhow::Result<()> {
        self.say("forums", county, others, events).await
    }

    async fn say<M: Message + Name>(
        &self,
        service: &'static str,
        county: &str,
        others: &[&str],
        events: &[M],
    ) -> anyhow::Result<()> {
        let others: Vec<TenantId> =
            others.iter().map(|code| TenantId::new(code)).collect::<Result<_, _>>()?;
        let tenant = TenantId::new(county)?;
        let story = |event| NewEvent::of(tenant, "story", self.ids.uuid(), event).joint(others.clone());
        let events: Vec<NewEvent> = events.iter().map(story).collect();
        let writer = self.handle(service)?.writer;
        let publish = writer.internal("story", events, |tx, events| {
            async move {
                events.iter().for_each(|event| tx.publish(event.clone()));
                Ok(())
            }
            .boxed()
        });
        publish.await?;
        self.system.settle().await
    }

    /// Stops the services the soft way and starts them again on the same data.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        self.restart_as(&[PROPOSALS, MEMBERSHIP, FORUMS]).await
    }

    /// The same, with these services from now on. What this world kept of the old ones would keep their files open.
    pub(crate) async fn restart_as(&mut self, services: &[Service]) -> anyhow::Result<()> {
        self.let_go();
        self.system.restart_as(services).await
    }

    /// Forgets the handles of this world's services.
    fn let_go(&self) {
        let folder = self.system.folder();
        let mut handles = HANDLES.lock().unwrap_or_else(PoisonError::into_inner);
        handles.get_or_insert_default().retain(|(of, _), _| *of != folder);
    }

    /// The writer of proposals, for what no contract can bring about in time.
    pub(crate) fn writer(&self) -> anyhow::Result<Writer> {
        Ok(self.handle("proposals")?.writer)
    }

    /// The database of proposals, while it runs in this process.
    pub(crate) fn database(&self) -> anyhow::Result<Database> {
        Ok(self.handle("proposals")?.database)
    }

    fn handle(&self, service: &'static str) -> anyhow::Result<Handle> {
        let handles = HANDLES.lock().unwrap_or_else(PoisonError::into_inner);
        let handle = handles.as_ref().and_then(|handles| handles.get(&(self.system.folder(), service)));
        handle.cloned().context("the service runs")
    }

    /// Tells proposals that a person has left, as its job learns it from membership.
    pub(crate) async fn forget(&self, person: Subject) -> anyhow::Result<()> {
        Ok(self.handle("proposals")?.app.forget(vec![person], 1).await?)
    }

    /// Runs the job that looks whether the effect of a change was measured, as a restart may once more.
    pub(crate) async fn impact_due(&self, proposal: ProposalId) -> anyhow::Result<()> {
        Ok(self.handle("proposals")?.app.impact_due(proposal).await?)
    }

    // What is in the database.

    /// The first column of the first row; the database of proposals.
    pub(crate) async fn value<T: TryGetable>(&self, question: &str) -> T {
        self.rows(question).await.first().expect("a row").try_get_by_index(0).unwrap()
    }

    /// The first column of all rows, as text.
    pub(crate) async fn texts(&self, question: &str) -> Vec<String> {
        self.rows(question).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// All rows of a question to the database of proposals.
    pub(crate) async fn rows(&self, question: &str) -> Vec<QueryResult> {
        let database = self.handle("proposals").unwrap().database;
        let connection = database.read();
        let statement = Statement::from_string(connection.get_database_backend(), question);
        connection.query_all_raw(statement).await.unwrap()
    }

    /// Every event of type `M` that proposals published, in order.
    pub(crate) async fn published<M: Message + Name + Default>(&self) -> Vec<M> {
        let question = format!(
            "SELECT payload FROM event_log WHERE event_type = '{}' ORDER BY lane, seq",
            M::full_name()
        );
        let payload = |row: &QueryResult| row.try_get_by_index::<Vec<u8>>(0).unwrap();
        self.rows(&question).await.iter().map(|row| M::decode(payload(row).as_slice()).unwrap()).collect()
    }

    /// The names of all events that proposals published, in order, without the package.
    pub(crate) async fn event_names(&self) -> Vec<String> {
        let types = self.texts("SELECT event_type FROM event_log ORDER BY lane, seq").await;
        types.iter().map(|name| name.rsplit('.').next().unwrap_or_default().to_owned()).collect()
    }

    // Who calls.

    /// A request of this caller, with a new idempotency key.
    pub(crate) fn by<T>(&self, caller: Caller, message: T) -> anyhow::Result<tonic::Request<T>> {
        self.system.request("proposals", caller, message)
    }

    /// A request of nobody, with a new idempotency key.
    pub(crate) fn anonymous<T>(&self, message: T) -> anyhow::Result<tonic::Request<T>> {
        let mut request = tonic::Request::new(message);
        request.metadata_mut().insert("idempotency-key", self.ids.uuid().to_string().parse()?);
        Ok(request)
    }

    /// The reference of a client.
    pub(crate) fn person(&self, number: u16) -> Subject {
        Uuid::from_u128(CLIENTS + u128::from(number)).into()
    }

    /// A signed-in client of Pohde.
    pub(crate) fn client(&self, number: u16) -> Caller {
        let tenants = vec![tenant(POHDE)];
        Caller { tenants, assurance: Assurance::Substantial, ..Caller::person(self.person(number)) }
    }

    /// The area coordinator of Pohde.
    pub(crate) fn coordinator(&self) -> Caller {
        self.coordinator_of(POHDE)
    }

    /// The area coordinator of a county.
    pub(crate) fn coordinator_of(&self, county: &str) -> Caller {
        self.officer(Role::AreaCoordinator, ScopeRef::Tenant(tenant(county)))
    }

    /// The manager of a unit.
    pub(crate) fn manager(&self, unit: UnitId) -> Caller {
        self.officer(Role::UnitManager, ScopeRef::Unit(unit))
    }

    /// A member of a unit's staff.
    pub(crate) fn staff(&self, unit: UnitId) -> Caller {
        self.officer(Role::UnitStaff, ScopeRef::Unit(unit))
    }

    /// The secretary of a forum.
    pub(crate) fn secretary(&self, forum: ForumId) -> Caller {
        self.officer(Role::ForumSecretary, ScopeRef::Forum(forum))
    }

    /// Somebody with this role in this scope, surely identified; the same one each time.
    pub(crate) fn officer(&self, role: Role, scope: ScopeRef) -> Caller {
        let place = scope.id().bytes().fold(0_u128, |sum, byte| (sum * 31 + u128::from(byte)) % 0xFFF);
        let subject: Subject = Uuid::from_u128(OFFICERS + place * 32 + role as u128).into();
        let roles = vec![HeldRole { role, scope }];
        Caller { roles, assurance: Assurance::High, ..Caller::person(subject) }
    }

    // Clients of the contracts.

    pub(crate) fn proposals(&self) -> ProposalsServiceClient<Channel> {
        ProposalsServiceClient::new(self.system.channel())
    }

    pub(crate) fn handling(&self) -> HandlingServiceClient<Channel> {
        HandlingServiceClient::new(self.system.channel())
    }
}

/// A day from its text.
pub(crate) fn day(text: &str) -> Date {
    kernel::deadline::parse_date(text).unwrap()
}

pub(crate) fn tenant(code: &str) -> TenantId {
    TenantId::new(code).unwrap()
}

/// Status code and the service's own code of a refusal.
pub(crate) fn refusal<T>(answer: Result<T, Status>) -> anyhow::Result<(Code, String)> {
    let status = answer.err().context("this must be refused")?;
    let code = chassis::fault(&status).code().to_owned();
    Ok((status.code(), code))
}
