//! Acknowledged commands a second: a real command of forums (its rows, an event, its idempotency record) through gRPC.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hdrhistogram::Histogram;
use kernel::{Assurance, Caller, HeldRole, Ids, Role, ScopeRef, Subject, TenantId};
use proto::forums::forums_service_client::ForumsServiceClient;
use proto::forums::{ForumLevel, ForumType, FoundForumRequest};
use testkit::system::{Store, System};

use crate::figures::{Round, heading, line, median, milliseconds};
use crate::{Options, pgbench};

/// A system under load and how its writer is set.
struct Contender {
    name: &'static str,
    system: System,
    rounds: Vec<Round>,
}

/// Measures and prints.
pub(crate) async fn report(options: &Options) -> anyhow::Result<()> {
    let raw = pgbench::Database::prepare().await?;
    let mut contenders = vec![
        start("SQLite, group commit", Store::Sqlite, "0").await?,
        start("SQLite, one command per transaction", Store::Sqlite, "1").await?,
        start("PostgreSQL, group commit", Store::Postgres, "0").await?,
        start("PostgreSQL, one command per transaction", Store::Postgres, "1").await?,
    ];
    let (mut locked, mut free) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        for contender in &mut contenders {
            let round =
                load(&contender.system, options.clients, Duration::from_secs(options.seconds)).await?;
            contender.rounds.push(round);
        }
        locked.push(raw.run(pgbench::Head::Locked, options)?);
        free.push(raw.run(pgbench::Head::Free, options)?);
    }
    heading(&format!(
        "Acknowledged commands, {} clients, median of {} rounds",
        options.clients, options.rounds
    ));
    let rates: Vec<f64> = contenders.iter().map(Contender::rate).collect();
    let (locked, free) = (median(locked), median(free));
    let notes = [
        format!("{:.2} x one by one", rates[0] / rates[1]),
        String::new(),
        format!(
            "{:.2} x one by one, {:.2} x pgbench with the lock, {:.2} x without",
            rates[2] / rates[3],
            rates[2] / locked,
            rates[2] / free
        ),
        String::new(),
    ];
    for (contender, note) in contenders.iter().zip(notes) {
        contender.print(&note);
    }
    line("pgbench, same rows, head row locked", locked, None, "");
    line("pgbench, same rows, no lock", free, None, "");
    for contender in contenders {
        contender.system.finish().await?;
    }
    Ok(())
}

impl Contender {
    fn rate(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.per_second))
    }

    fn print(&self, note: &str) {
        let p50 = median(self.rounds.iter().map(|round| round.p50));
        let p99 = median(self.rounds.iter().map(|round| round.p99));
        line(self.name, self.rate(), Some((p50, p99)), note);
    }
}

async fn start(name: &'static str, store: Store, batch: &str) -> anyhow::Result<Contender> {
    let settings = [("limits.batch", batch), ("telemetry.log", "error")];
    let system = System::start(&[forums::SERVICE], store, &settings).await.context(name)?;
    Ok(Contender { name, system, rounds: Vec::new() })
}

/// Sends `FoundForum` from `clients` at once for this long; each waits for its answer.
pub(crate) async fn load(system: &System, clients: usize, long: Duration) -> anyhow::Result<Round> {
    let latencies = Arc::new(Mutex::new(Histogram::<u64>::new(3)?));
    let stop = Arc::new(AtomicBool::new(false));
    let token = system.directory().token("forums", administrator()?)?;
    let mut tasks = Vec::new();
    let began = Instant::now();
    for _ in 0..clients {
        let client = ForumsServiceClient::new(system.channel());
        tasks.push(tokio::spawn(one_client(
            client,
            token.clone(),
            Arc::clone(&latencies),
            Arc::clone(&stop),
        )));
    }
    tokio::time::sleep(long).await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await??;
    }
    let elapsed = began.elapsed().as_secs_f64();
    let latencies = latencies.lock().map_err(|_| anyhow::anyhow!("a client panicked"))?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 commands")]
    let per_second = latencies.len() as f64 / elapsed;
    Ok(Round { per_second, p50: milliseconds(&latencies, 0.5), p99: milliseconds(&latencies, 0.99) })
}

/// Sends one `FoundForum` and waits for the answer.
pub(crate) async fn found_one(system: &System) -> anyhow::Result<()> {
    let request = system.request("forums", administrator()?, forum())?;
    ForumsServiceClient::new(system.channel()).found_forum(request).await?;
    Ok(())
}

async fn one_client(
    mut client: ForumsServiceClient<tonic::transport::Channel>,
    token: String,
    latencies: Arc<Mutex<Histogram<u64>>>,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let ids = Ids::system();
    while !stop.load(Ordering::Relaxed) {
        let mut request = tonic::Request::new(forum());
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
        request.metadata_mut().insert("idempotency-key", ids.uuid().to_string().parse()?);
        let sent = Instant::now();
        client.found_forum(request).await?;
        let micros = u64::try_from(sent.elapsed().as_micros())?;
        latencies.lock().map_err(|_| anyhow::anyhow!("a client panicked"))?.record(micros)?;
    }
    Ok(())
}

/// A request as a coordinator would send it.
fn forum() -> FoundForumRequest {
    FoundForumRequest {
        tenant: "19".into(),
        name: "Oulunkaaren seudullinen asiakasfoorumi".into(),
        purpose: "Asiakkaat kehittävät vammaispalveluja yhdessä henkilöstön kanssa.".into(),
        purpose_plain: "Foorumissa asiakkaat kertovat, miten palvelut toimivat.".into(),
        r#type: ForumType::ClientForum.into(),
        level: ForumLevel::Regional.into(),
        service_group: "disability_services".into(),
        term_starts_on: "2030-05-01".into(),
        term_ends_on: "2032-04-30".into(),
        founding_decision: "POHDE/2026/1".into(),
        ..FoundForumRequest::default()
    }
}

/// Who may found a forum.
fn administrator() -> anyhow::Result<Caller> {
    let tenant = TenantId::new("19")?;
    Ok(Caller {
        tenants: vec![tenant],
        roles: vec![HeldRole { role: Role::Administrator, scope: ScopeRef::Tenant(tenant) }],
        assurance: Assurance::Substantial,
        ..Caller::person(Ids::system().new_id::<Subject>())
    })
}
