//! Restarts under load: whoever waits for an answer gets it, and nobody is refused for good (OBS-11).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kernel::{Assurance, Caller, HeldRole, Ids, Role, ScopeRef, Subject, TenantId};
use proto::forums::forums_service_client::ForumsServiceClient;
use tempfile::TempDir;
use testkit::directory::Directory;
use testkit::nats;
use testkit::postgres::Cluster;
use testkit::system::Store;
use tokio::task::JoinHandle;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use crate::support::process::{Process, log_of};
use crate::support::{dump, stream, world};
use crate::system::charter;

/// Clients at the same time.
const CLIENTS: usize = 6;
/// What each client does between two commands: enough load that every restart meets work, on any machine.
const THINKS: Duration = Duration::from_millis(5);
/// How long a client waits before it sends a command again with its key.
const AGAIN: Duration = Duration::from_millis(25);
/// The longest a command may take while one of two copies is restarted.
const HARDLY_NOTICED: Duration = Duration::from_secs(2);
/// How often a client may have to send the same again for each restart of one of two copies: it is turned away once by
/// the copy that ends, and may meet a connection or two that have just gone.
const AGAIN_EACH: usize = 3;
/// The longest a command may take while the only copy is restarted: a second of notice, the rest of its work, the start.
const RESTARTED: Duration = Duration::from_secs(15);
/// Commands that must be answered between two restarts.
const BETWEEN: usize = 60;

/// Copies of forums that share a database.
struct Copies {
    // Dropped in this order: processes before what they need.
    running: Vec<(Process, PathBuf)>,
    database: String,
    directory: Directory,
    nats: nats::Server,
    _folder: TempDir,
}

impl Copies {
    async fn start(store: Store, number: usize) -> Self {
        let folder = tempfile::Builder::new().prefix("osallisuus-rolling-").tempdir().expect("a folder");
        let nats = nats::Server::start().expect("a nats-server");
        let directory = Directory::start("test").await.expect("a directory");
        let secrets = folder.path().join("secrets");
        std::fs::create_dir(&secrets).expect("a folder");
        std::fs::write(secrets.join("forums.secret"), "secret of a test").expect("a secret");
        std::fs::write(secrets.join("forums.key"), "5e".repeat(32)).expect("a key");
        let database = match store {
            Store::Sqlite => format!("sqlite://{}?mode=rwc", folder.path().join("forums.sqlite").display()),
            Store::Postgres => Cluster::shared().create_database().await.expect("a database"),
        };
        let (membership, secrets) = (format!("{:?}", directory.url()), format!("{secrets:?}"));
        let more = [
            ("services.membership.address", membership.as_str()),
            ("secrets.dir", secrets.as_str()),
            // Load balancers get their time in this test too.
            ("stop.notice_seconds", "1"),
        ];
        let mut running = Vec::new();
        for copy in 0..number {
            let own = folder.path().join(format!("copy-{copy}"));
            std::fs::create_dir(&own).expect("a folder");
            let settings =
                world::settings(&own, &nats.url(), &["19"], &[("forums", database.clone())], &more);
            // Ports below those that outgoing connections take: a client that dials while nobody listens would find
            // itself.
            let port = testkit::free_port().expect("a port");
            running.push((serve(&settings, &format!("127.0.0.1:{port}")), settings));
        }
        Self { running, database, directory, nats, _folder: folder }
    }

    /// Ends a copy in order and starts it again where it was.
    fn restart(&mut self, which: usize) {
        let (process, settings) = self.running.remove(which);
        let address = process.address.trim_start_matches("http://").to_owned();
        let status = process.end();
        let log = || std::fs::read_to_string(log_of(&settings)).unwrap_or_default();
        assert_eq!(status.code(), Some(0), "a stop is no failure\n{}", log());
        self.running.insert(which, (serve(&settings, &address), settings));
    }

    /// A connection that goes to whichever copy answers.
    fn channel(&self) -> Channel {
        let endpoints = self.running.iter().map(|(process, _)| {
            let endpoint = Endpoint::from_shared(process.address.clone()).expect("an address");
            endpoint.connect_timeout(Duration::from_secs(2)).timeout(Duration::from_secs(15))
        });
        Channel::balance_list(endpoints)
    }

    fn token(&self) -> String {
        let scope = ScopeRef::Tenant(TenantId::new("19").expect("a county"));
        let roles = vec![HeldRole { role: Role::Administrator, scope }];
        let person = Caller::person(Ids::system().new_id::<Subject>());
        let caller = Caller { roles, assurance: Assurance::Substantial, ..person };
        self.directory.token("forums", caller).expect("a token")
    }
}

fn serve(settings: &Path, listen: &str) -> Process {
    Process::run(&["serve", "forums"], settings, &[("OSALLISUUS_LISTEN__GRPC", listen)])
}

/// What the clients have seen, together.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    acknowledged: AtomicUsize,
    repeated: AtomicUsize,
    /// The longest that a command took from the first time it was sent to its answer, in microseconds.
    longest: AtomicU64,
}

/// What became of a rolling restart.
struct Rolled {
    acknowledged: usize,
    repeated: usize,
    longest: Duration,
    restarts: usize,
}

/// Whether a client may send the same again: the service says so, or there was no connection to send it over.
fn may_repeat(status: &tonic::Status) -> bool {
    let transport =
        std::error::Error::source(status).is_some_and(|source| source.is::<tonic::transport::Error>());
    status.code() == Code::Unavailable || transport
}

/// Founds forums one after the other; a command whose fate is unknown is sent again with its key until it is answered.
/// Gives the names and ids of what was acknowledged.
fn client(
    number: usize,
    channel: Channel,
    token: String,
    seen: Arc<Seen>,
) -> JoinHandle<BTreeMap<String, String>> {
    tokio::spawn(async move {
        let (mut forums, ids) = (ForumsServiceClient::new(channel), Ids::system());
        let mut acknowledged = BTreeMap::new();
        while !seen.stop.load(Ordering::Relaxed) {
            let name = format!("Asiakas {number}, foorumi {}", acknowledged.len());
            let key = ids.uuid().to_string();
            let sent = Instant::now();
            let founded = loop {
                let mut request = tonic::Request::new(charter(&name));
                let metadata = request.metadata_mut();
                metadata.insert("authorization", format!("Bearer {token}").parse().expect("a header"));
                metadata.insert("idempotency-key", key.parse().expect("a header"));
                match forums.found_forum(request).await {
                    Ok(answer) => break answer.into_inner(),
                    Err(status) => {
                        assert!(may_repeat(&status), "not one for good: {status:?}");
                        seen.repeated.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(AGAIN).await;
                    }
                }
            };
            let took = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
            seen.longest.fetch_max(took, Ordering::Relaxed);
            acknowledged.insert(name, founded.forum.expect("the forum").forum_id);
            seen.acknowledged.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(THINKS).await;
        }
        acknowledged
    })
}

/// Restarts each copy in turn, some times, while clients work; then everything acknowledged is there once.
async fn roll(store: Store, number: usize, rounds: usize) -> Rolled {
    let mut copies = Copies::start(store, number).await;
    let seen = Arc::new(Seen::default());
    let token = copies.token();
    let spawn = |which| client(which, copies.channel(), token.clone(), Arc::clone(&seen));
    let clients: Vec<_> = (0..CLIENTS).map(spawn).collect();
    for round in 0..rounds * number {
        let before = seen.acknowledged.load(Ordering::Relaxed);
        testkit::eventually(Duration::from_secs(30), async || {
            let is_dead = clients.iter().any(JoinHandle::is_finished);
            is_dead || seen.acknowledged.load(Ordering::Relaxed) >= before + BETWEEN
        })
        .await;
        let copies = &mut copies;
        tokio::task::block_in_place(move || copies.restart(round % number));
    }
    seen.stop.store(true, Ordering::Relaxed);
    let mut acknowledged = BTreeMap::new();
    for client in clients {
        acknowledged.extend(client.await.expect("no command failed for good"));
    }
    let rolled = Rolled {
        acknowledged: acknowledged.len(),
        repeated: seen.repeated.load(Ordering::Relaxed),
        longest: Duration::from_micros(seen.longest.load(Ordering::Relaxed)),
        restarts: rounds * number,
    };
    assert!(acknowledged.len() >= BETWEEN * rounds * number);

    let tables = dump::all("forums", &copies.database).await;
    let rows = |name: &str| &tables.iter().find(|table| table.name == name).expect("a table").rows;
    let stored: BTreeSet<&str> = rows("forums.forum").iter().filter_map(|row| row["id"].as_deref()).collect();
    assert_eq!(stored.len(), acknowledged.len(), "nothing is missing or there twice");
    let plain = |id: &str| id.replace('-', "").to_lowercase();
    let stored: BTreeSet<String> = stored.into_iter().map(plain).collect();
    assert!(acknowledged.values().all(|id| stored.contains(&plain(id))), "every answer was true");
    // Whoever relays now goes on where the one before ended.
    let url = copies.nats.url();
    let events = rows("forums.event_log").len();
    testkit::eventually(Duration::from_secs(30), async || {
        stream::lanes(&stream::all(&url).await).get("forums.19").is_some_and(|lane| lane.len() >= events)
    })
    .await;
    for (process, _) in copies.running.drain(..) {
        assert_eq!(process.end().code(), Some(0));
    }
    rolled
}

impl Rolled {
    fn figures(&self) -> String {
        let Self { acknowledged, repeated, longest, restarts } = self;
        format!(
            "{restarts} restarts: {acknowledged} commands acknowledged, {repeated} sent again, longest {longest:?}"
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn obs_11_a_rolling_restart_under_load_fails_no_command() {
    let rolled = roll(Store::Postgres, 2, 2).await;
    println!("{}", rolled.figures());
    // One copy answers while the other is away: nobody waits for it to come back, which takes longer than this.
    assert!(rolled.longest < HARDLY_NOTICED, "a command took {:?}", rolled.longest);
    let most = CLIENTS * rolled.restarts * AGAIN_EACH;
    assert!(rolled.repeated <= most, "{} were sent again, more than {most}", rolled.repeated);
}

#[tokio::test(flavor = "multi_thread")]
async fn obs_11_a_restart_in_place_under_load_loses_no_command() {
    let rolled = roll(Store::Sqlite, 1, 3).await;
    println!("{}", rolled.figures());
    assert!(rolled.longest < RESTARTED, "a command took {:?}", rolled.longest);
}
