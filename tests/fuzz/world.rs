//! What the targets run against, made once per process: services on a real server, and the handlers of events on
//! databases of their own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kernel::{
    Assurance, Attestation, Caller, Clock as _, ElectionId, ForumId, HeldRole, Ids, MunicipalityCode,
    RegionId, Role, RollClaim, ScopeRef, Subject, SystemClock, TenantId, UnitId, Uuid,
};
use messaging::{Clocks, Database, Handler, Writer, WriterSettings};
use prost::Message as _;
use proto::access::Entry;
use proto::forums::ListForumsRequest;
use serde_json::{Value, json};
use testkit::raw;
use testkit::system::{Store, System};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Request};

pub(crate) use standalone::services::SERVICES;

/// The id of every thing that the caller has a role in.
pub(crate) const KNOWN: Uuid = Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0001);

/// Half the life of a token.
const RENEW_AFTER: Duration = Duration::from_secs(150);

/// A handler of events with the service that listens and the one that speaks.
pub(crate) struct Listener {
    /// Service that listens.
    pub(crate) reader: &'static str,
    /// Service whose events it gets.
    pub(crate) source: &'static str,
    /// What an event does there.
    pub(crate) handler: Handler,
}

/// Everything that runs.
pub(crate) struct World {
    /// Runs it.
    pub(crate) runtime: Runtime,
    /// The handlers of events.
    pub(crate) listeners: Vec<Listener>,
    /// Writers of the listeners' databases, by service.
    pub(crate) writers: BTreeMap<&'static str, Writer>,
    /// Full names of all events of the contracts.
    pub(crate) event_types: Vec<String>,
    system: System,
    ids: Ids,
    /// Tokens by service; renewed in time, they live for five minutes.
    tokens: Mutex<BTreeMap<String, (Instant, MetadataValue<Ascii>)>>,
    _folder: tempfile::TempDir,
}

impl World {
    /// Starts services and databases.
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let folder = tempfile::Builder::new().prefix("osallisuus-fuzz-").tempdir().expect("a folder");
        secrets(folder.path());
        let ids = Ids::system();
        let secrets = folder.path().display().to_string();
        let settings = [("secrets.dir", secrets.as_str()), ("telemetry.log", "off")];
        let system = runtime.block_on(System::start(SERVICES, Store::Sqlite, &settings));
        let system = system.expect("the services");
        let (listeners, writers) = runtime.block_on(listeners(folder.path(), &ids));
        Self {
            runtime,
            listeners,
            writers,
            event_types: event_types(),
            system,
            ids,
            tokens: Mutex::default(),
            _folder: folder,
        }
    }

    /// A token with these claims over those of a good one, signed with the published key.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let now = SystemClock.now().as_seconds();
        let mut all = json!({
            "iss": "osallisuus/test", "aud": "forums", "sub": KNOWN, "jti": KNOWN, "iat": now, "nbf": now,
            "exp": now + 240, "mode": "self", "acr": "low",
        });
        match (all.as_object_mut(), claims.as_object()) {
            (Some(all), Some(claims)) => all.extend(claims.clone()),
            _ => all = claims.clone(),
        }
        self.system.directory().sign(&all).expect("signed")
    }

    /// Sends a request with this metadata; the service must answer, and never that it failed inside.
    pub(crate) fn answers(&self, path: &str, message: Bytes, metadata: &[(&str, MetadataValue<Ascii>)]) {
        let ask = || {
            let mut request = Request::new(message.clone());
            for (name, value) in metadata {
                let name: tonic::metadata::AsciiMetadataKey = name.parse().expect("a name");
                request.metadata_mut().insert(name, value.clone());
            }
            self.runtime.block_on(raw::call(self.system.channel(), path, request))
        };
        // HTTP/2 ends a connection on which headers were too long a thousand times. The request that comes just then
        // has no answer; on another connection it must have one.
        let answer = match ask() {
            Err(status)
                if std::error::Error::source(&status)
                    .is_some_and(<dyn std::error::Error>::is::<tonic::transport::Error>) =>
            {
                ask()
            }
            answer => answer,
        };
        if let Err(status) = answer {
            // Headers beyond the limit are refused by HTTP, before there is a gRPC answer.
            let too_long = status.message().ends_with("HTTP status code 431");
            let failed = matches!(status.code(), Code::Internal | Code::Unknown | Code::DataLoss);
            assert!(too_long || !failed, "{path}: {status:?}");
        }
    }

    /// Sends a request of somebody who may do everything with [`KNOWN`].
    pub(crate) fn asked(&self, entry: &Entry, message: Bytes) {
        let service = if entry.service.is_empty() { "forums" } else { entry.service };
        let key = self.ids.uuid().to_string().parse().expect("a header");
        let metadata = [("authorization", self.token(service)), ("idempotency-key", key)];
        self.answers(entry.path, message, &metadata);
    }

    fn token(&self, service: &str) -> MetadataValue<Ascii> {
        let mut tokens = self.tokens.lock().expect("no target panicked here");
        if let Some((made, token)) = tokens.get(service)
            && made.elapsed() < RENEW_AFTER
        {
            return token.clone();
        }
        let token = self.system.directory().token(service, everybody()).expect("a token");
        let token: MetadataValue<Ascii> = format!("Bearer {token}").parse().expect("a header");
        tokens.insert(service.to_owned(), (Instant::now(), token.clone()));
        token
    }
}

/// A request that lists the forums of a county.
pub(crate) fn list_forums() -> Bytes {
    ListForumsRequest { tenant: "19".to_owned(), ..Default::default() }.encode_to_vec().into()
}

/// An election board's key pair, private and public.
pub(crate) fn board_key() -> (Vec<u8>, Vec<u8>) {
    let key = standalone::board_key::BoardKey::generate(&Ids::seeded(7, Arc::new(SystemClock)));
    (key.private().to_vec(), key.public().to_vec())
}

/// Holds every role everywhere that a request can name.
fn everybody() -> Caller {
    let tenant = TenantId::new("19").expect("a county");
    let municipality = MunicipalityCode::new("139").expect("Ii");
    let places = [
        ScopeRef::Cell,
        ScopeRef::Tenant(tenant),
        ScopeRef::Forum(ForumId::from_uuid(KNOWN)),
        ScopeRef::Unit(UnitId::from_uuid(KNOWN)),
        ScopeRef::Region(RegionId::from_uuid(KNOWN)),
    ];
    let roles = places.iter().flat_map(|scope| {
        Role::ALL.iter().map(|role| HeldRole { role: *role, scope: *scope }).collect::<Vec<_>>()
    });
    let since = kernel::deadline::parse_date("2020-01-01").expect("a day");
    Caller {
        tenants: vec![tenant],
        roles: roles.collect(),
        rolls: vec![RollClaim { election: ElectionId::from_uuid(KNOWN), municipality }],
        attestations: vec![Attestation { group: "disability_services".to_owned(), municipality, since }],
        assurance: Assurance::High,
        ..Caller::person(Subject::from_uuid(KNOWN))
    }
}

/// What `osallisuus init` makes.
fn secrets(folder: &Path) {
    let key = membership::vault::Vault::key_text(&Ids::system().bytes());
    std::fs::write(folder.join(membership::vault::KEY_FILE), key).expect("a key file");
    forums::vault::Vault::prepare(folder, &Ids::system()).expect("a key file");
    for service in SERVICES {
        std::fs::write(folder.join(format!("{}.secret", service.name)), "secret of a test")
            .expect("a secret");
    }
}

async fn listeners(folder: &Path, ids: &Ids) -> (Vec<Listener>, BTreeMap<&'static str, Writer>) {
    let clock: Arc<dyn kernel::Clock> = Arc::new(SystemClock);
    let mut writers = BTreeMap::new();
    let mut databases = BTreeMap::new();
    for service in SERVICES {
        let url = format!("sqlite://{}/{}.sqlite", folder.display(), service.name);
        let database = Database::open(&url, service.name, service.migrations).await.expect("a database");
        let writer = Writer::start(
            &database,
            Clocks { business: clock.clone(), real: clock.clone() },
            ids.clone(),
            WriterSettings::for_kind(database.kind()),
            &TaskTracker::new(),
            CancellationToken::new(),
        );
        writers.insert(service.name, writer);
        databases.insert(service.name, database);
    }
    let app = membership::app::App::new(membership::app::Wiring {
        tenants: vec![TenantId::new("19").expect("a county"), TenantId::new("21").expect("a county")],
        cell: "test".to_owned(),
        database: databases["membership"].clone(),
        writer: writers["membership"].clone(),
        clock: clock.clone(),
        real_clock: clock,
        ids: ids.clone(),
        vault: membership::vault::Vault::open(folder).expect("the key"),
        mailer: None,
    });
    let listener = |reader, source, handler| Listener { reader, source, handler };
    let all = vec![
        listener("forums", "membership", Arc::new(forums::consumers::membership) as Handler),
        listener("membership", "forums", Arc::new(membership::consumers::forums(app))),
        listener("forums", "proposals", Arc::new(forums::consumers::proposals)),
        listener("proposals", "membership", Arc::new(proposals::consumers::membership)),
        listener("proposals", "forums", Arc::new(proposals::consumers::forums)),
    ];
    (all, writers)
}

/// The messages of every service's `events.proto`, as `proto` lists them.
fn event_types() -> Vec<String> {
    let pool = prost_reflect::DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts");
    let files = pool.files().filter(|file| file.name().ends_with("/events.proto")).collect::<Vec<_>>();
    let mut names: Vec<String> =
        files.iter().flat_map(|file| file.messages().map(|one| one.full_name().to_owned())).collect();
    names.sort();
    names
}
