//! A canary in every text that the contracts take: it appears nowhere it can be read by those who only watch
//! (OBS-02, SEC-31).
//!
//! Two rounds against the program as operators run it, at the level debug: one logs JSON, the other lines for people.
//! In both every RPC is called by an administrator, once with the canary in every text and once with the canary only
//! where words of people belong and true codes and ids elsewhere, so that it comes past the first checks. In the first
//! round the play runs before, up to the nominations, with the names, addresses and numbers of its 142 people. Then
//! the system is backed up, checked and restored by its commands. On SQLite and on PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
};
use proto::membership::IssueActorTokenRequest;
use proto::proposals::{Category, Content, CreateDraftRequest};
use standalone::client::Server;
use standalone::demo::{Contest, Play, Progress, example};
use testkit::system::Store;
use testkit::{nats, raw};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

use super::metrics;
use crate::support::process::{Process, log_of, program};
use crate::support::{dump, stream, world};

/// A person who exists nowhere else.
const NAME: &str = "Kanerva Kanarialintu";
const PHONE: &str = "0409876123";
/// Calls that publish the names of places and the words of rules: whatever an official writes there is for everybody,
/// by contract (docs/events.md). So their texts hold another canary, which is looked for everywhere but in events.
const PUBLISHING: [&str; 3] = ["RegisterServiceUnit", "DefineRegion", "SetPolicy"];
/// A place that exists nowhere else.
const PLACE: &str = "Kanervikon kanarialintula";
/// Where the names of places belong.
const EVENTS: [&str; 2] = ["a stream", "an event log"];
/// How deep messages are filled.
const DEEP: usize = 5;

/// An OTLP receiver that keeps everything as text.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<String>>);

impl Receiver {
    async fn start(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .add_service(MetricsServiceServer::new(self.clone()))
            .add_service(LogsServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        address
    }

    fn keep<T: std::fmt::Debug, R: Default>(&self, request: Request<T>) -> Result<Response<R>, Status> {
        let text = format!("{:?}\n", request.into_inner());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
        Ok(Response::new(R::default()))
    }

    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.keep(request)
    }
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.keep(request)
    }
}

#[tonic::async_trait]
impl LogsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.keep(request)
    }
}

/// What the texts of a request are filled with.
#[derive(Clone, Copy)]
enum Fill<'a> {
    /// The canary, everywhere.
    Canary,
    /// The canary where words belong, else what lets the call through.
    Plausible { forum: &'a str, election: &'a str, proposal: &'a str, words: &'a str },
}

impl Fill<'_> {
    fn text(self, field: &str) -> String {
        let Fill::Plausible { forum, election, proposal, words } = self else {
            return format!("{NAME} {PHONE}");
        };
        match field {
            "tenant" => "19".to_owned(),
            "municipality" | "municipalities" => "139".to_owned(),
            "key" => "election_appeal_days".to_owned(),
            "valid_from" => "2026-05-01".to_owned(),
            "service_group" => "disability_services".to_owned(),
            "service" => "membership".to_owned(),
            "page_token" => String::new(),
            "forum_id" => forum.to_owned(),
            "election_id" => election.to_owned(),
            "proposal_id" => proposal.to_owned(),
            "language" | "form" => "fi".to_owned(),
            "email" => format!("{}@example.fi", NAME.replace(' ', ".")),
            "phone" => PHONE.to_owned(),
            _ if field.ends_with("_on") => "2026-05-01".to_owned(),
            _ if field.ends_with("_id") || field.ends_with("_ref") => {
                kernel::Ids::system().uuid().to_string()
            }
            _ => words.to_owned(),
        }
    }

    fn message(self, kind: &MessageDescriptor, deep: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(kind.clone());
        for field in kind.fields() {
            if let Some(value) = self.value(&field, deep) {
                let value = if field.is_list() { Value::List(vec![value]) } else { value };
                message.set_field(&field, value);
            }
        }
        message
    }

    fn value(self, field: &FieldDescriptor, deep: usize) -> Option<Value> {
        match field.kind() {
            _ if field.is_map() => None,
            Kind::String => Some(Value::String(self.text(field.name()))),
            Kind::Bytes => Some(Value::Bytes(self.text(field.name()).into_bytes().into())),
            Kind::Enum(kind) => kind.values().nth(1).map(|value| Value::EnumNumber(value.number())),
            Kind::Message(kind) if deep > 0 && !kind.full_name().starts_with("google.protobuf.") => {
                Some(Value::Message(self.message(&kind, deep - 1)))
            }
            _ => None,
        }
    }
}

/// Calls an RPC; gives what a refusal says.
async fn call(channel: Channel, method: &MethodDescriptor, body: Vec<u8>, token: &str) -> Option<String> {
    let mut request = Request::new(bytes::Bytes::from(body));
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
    let key = kernel::Ids::system().uuid().to_string();
    request.metadata_mut().insert("idempotency-key", key.parse().expect("a header"));
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let answer = raw::call(channel, &path, request).await;
    answer.err().map(|status| {
        format!("{} {} {}", method.full_name(), status.message(), String::from_utf8_lossy(status.details()))
    })
}

/// Tokens of the administrator by service; the calls that follow may end the session.
async fn tokens(play: &Play) -> BTreeMap<&'static str, String> {
    let session = play.administrator.session().expect("signed in");
    let token = async |audience: &str| {
        let (session, audience) = (session.to_owned(), audience.to_owned());
        let ask = IssueActorTokenRequest { session, audience, ..Default::default() };
        let answer = play.server.public().sign_in().issue_actor_token(ask).await.expect("a token");
        answer.into_inner().token.expect("a token").token
    };
    let mut tokens = BTreeMap::new();
    for service in world::SERVICES {
        tokens.insert(service.name, token(service.name).await);
    }
    tokens
}

/// A draft with the canary in every text; gives its id.
async fn draft(play: &Play) -> String {
    let canary = || format!("{NAME} {PHONE}");
    let content = Content {
        language: "fi".to_owned(),
        title: canary(),
        summary: canary(),
        body: canary(),
        own_words: canary(),
        strength: canary(),
        category: Category::Content.into(),
        ..Default::default()
    };
    let request =
        CreateDraftRequest { tenant: "19".to_owned(), content: Some(content), ..Default::default() };
    let made = play.administrator.proposals().create_draft(request).await.expect("a draft").into_inner();
    made.proposal.expect("a draft").proposal_id
}

/// Calls every RPC of ours twice; gives what refusals say.
async fn call_everything(
    play: &Play,
    address: &str,
    (contest, proposal): (&Contest, &str),
    tokens: &BTreeMap<&str, String>,
) -> Vec<String> {
    let channel = Endpoint::from_shared(address.to_owned()).expect("an address").connect_lazy();
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts");
    let methods: Vec<MethodDescriptor> =
        pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    let ours: Vec<&MethodDescriptor> =
        methods.iter().filter(|method| method.full_name().starts_with("osallisuus.")).collect();
    assert!(ours.len() > 50, "only {} calls", ours.len());
    let person = format!("{NAME} {PHONE}");
    let plausible =
        |words| Fill::Plausible { forum: &play.forum_id, election: &contest.election_id, proposal, words };
    let mut refusals = Vec::new();
    for is_plausible in [false, true] {
        for method in &ours {
            let words = if PUBLISHING.contains(&method.name()) { PLACE } else { person.as_str() };
            let fill = if is_plausible { plausible(words) } else { Fill::Canary };
            // What every service answers is asked of membership here.
            let service = method.full_name().split('.').nth(1).unwrap_or_default();
            let token = tokens.get(service).unwrap_or(&tokens["membership"]);
            let body = fill.message(&method.input(), DEEP).encode_to_vec();
            refusals.extend(call(channel.clone(), method, body, token).await);
        }
    }
    refusals
}

/// Everything that would give somebody away.
fn canaries() -> BTreeSet<String> {
    let mut texts = BTreeSet::from([NAME, PHONE, example::ADMINISTRATOR].map(str::to_owned));
    texts.insert(NAME.replace(' ', "."));
    for (_, _, register) in example::REGISTERS {
        for line in register.lines().skip(1) {
            let columns: Vec<&str> = line.split(',').collect();
            // Register key, name, language, e-mail, phone.
            texts.extend([1, 3, 4].map(|column| columns[column].to_owned()));
        }
    }
    texts.remove("");
    texts.into_iter().map(|text| text.to_lowercase()).collect()
}

/// The lines of a text that hold a canary.
fn found(canaries: &BTreeSet<String>, text: &str) -> Vec<String> {
    let is_bad = |line: &&str| {
        let line = line.to_lowercase();
        canaries.iter().any(|canary| line.contains(canary.as_str()))
    };
    text.lines().filter(is_bad).take(5).map(str::to_owned).collect()
}

/// The names of all files in a folder.
fn names(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let name = |path: std::path::PathBuf| {
        let below = if path.is_dir() { names(&path) } else { String::new() };
        format!("{}\n{below}", path.display())
    };
    entries.map(name).collect()
}

/// Commands of an operator, and what they say, to people and to programs.
struct Commands<'a> {
    settings: &'a Path,
    said: String,
}

impl Commands<'_> {
    fn run(&mut self, arguments: &[&str]) {
        let mut command = Command::new(program("osallisuus"));
        command.args(arguments).arg("--config").arg(self.settings);
        let ended = command.env("OSALLISUUS_TELEMETRY__LOG", "debug").output().expect("it runs");
        let said = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert!(ended.status.success(), "{arguments:?}: {}", said.concat());
        self.said.extend(said);
    }

    /// Beside the running system.
    fn beside(&mut self, backup: &str) {
        self.run(&["backup", backup]);
        for form in ["text", "json"] {
            for command in ["log", "audit"] {
                self.run(&[command, "verify", "--output", form]);
            }
            self.run(&["config", "show", "--output", form]);
        }
    }

    /// When it has ended.
    fn alone(&mut self, backup: &str) {
        self.run(&["restore", backup, "--replace", "--output", "json"]);
        self.run(&["new-epoch"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn obs_02_a_canary_in_every_text_is_seen_by_nobody_who_watches() {
    nobody_sees(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn obs_02_a_canary_in_every_text_is_seen_by_nobody_who_watches_on_postgresql() {
    nobody_sees(Store::Postgres).await;
}

async fn nobody_sees(store: Store) {
    let folder = tempfile::Builder::new().prefix("osallisuus-canary-").tempdir().expect("a folder");
    let (nats, receiver) = (nats::Server::start().expect("a nats-server"), Receiver::default());
    let databases = world::new_databases(store, folder.path()).await;
    let endpoint = format!("\"http://{}\"", receiver.start().await);
    let more = [
        ("telemetry.log", "\"debug\""),
        ("telemetry.otlp_endpoint", endpoint.as_str()),
        ("telemetry.metrics_seconds", "1"),
        ("telemetry.prometheus", "\"127.0.0.1:0\""),
        ("listen.reflection", "true"),
    ];
    let settings = world::settings(folder.path(), &nats.url(), &["19", "21"], &databases, &more);
    let setup_code = world::set_up(&settings).await;
    let mut told: Vec<(&str, String)> = Vec::new();

    let process = Process::run(&["up"], &settings, &[("OSALLISUUS_TELEMETRY__FORMAT", "json")]);
    let listen = process.address.trim_start_matches("http://").to_owned();
    let server = Server::at(&process.address).expect("an address");
    let mut play = Play::begin(server, &setup_code, Progress::silent()).await.expect("an administrator");
    play.register().await.expect("registered");
    play.found().await.expect("founded");
    let mut contest = play.announce(Contest::first()).await.expect("announced");
    play.nominate(&mut contest).await.expect("nominated");
    let drafts = [draft(&play).await, draft(&play).await];
    let tokens = tokens(&play).await;
    let about = (&contest, drafts[0].as_str());
    told.push(("refusals", call_everything(&play, &process.address, about, &tokens).await.join("\n")));
    let url = process.metrics.clone().expect("metrics");
    told.push(("Prometheus", metrics::get(&url).await));
    assert_eq!(process.end().code(), Some(0));
    // The clock of a demonstration starts anew; no call of the second round needs it.
    let process = Process::run(&["up"], &settings, &[("OSALLISUUS_LISTEN__GRPC", &listen)]);
    let about = (&contest, drafts[1].as_str());
    told.push(("refusals", call_everything(&play, &process.address, about, &tokens).await.join("\n")));
    let backup = folder.path().join("backup").display().to_string();
    let mut commands = Commands { settings: &settings, said: String::new() };
    commands.beside(&backup);
    assert_eq!(process.end().code(), Some(0));
    let mut messages = stream::all(&nats.url()).await;
    commands.alone(&backup);
    assert!(commands.said.contains("forums"), "{}", commands.said);
    told.push(("commands", commands.said));
    messages.extend(stream::all(&nats.url()).await);

    told.push(("the log", std::fs::read_to_string(log_of(&settings)).expect("a log")));
    told.push(("OTLP", receiver.text()));
    told.push(("file names", names(folder.path())));
    for message in messages {
        let payload = String::from_utf8_lossy(&message.payload).into_owned();
        told.push(("a stream", format!("{} {:?} {payload}", message.subject, message.headers)));
    }
    let mut events = 0;
    for (service, url) in &databases {
        for table in dump::all(service, url).await.iter().filter(|table| table.name.ends_with(".event_log")) {
            events += table.rows.len();
            for row in &table.rows {
                let payload = row["payload"].as_deref().expect("a payload");
                let payload = data_encoding::HEXLOWER.decode(payload.as_bytes()).expect("bytes");
                told.push(("an event log", format!("{row:?} {}", String::from_utf8_lossy(&payload))));
            }
        }
    }
    let canaries = canaries();
    assert!(canaries.len() > 130 && events > 20, "{} canaries, {events} events", canaries.len());
    let log = told.iter().find(|(what, _)| *what == "the log").map(|(_, text)| text.as_str()).expect("a log");
    let is_json = |line: &&str| serde_json::from_str::<serde_json::Value>(line).is_ok();
    let (json, readable): (Vec<&str>, Vec<&str>) = log.lines().partition(|line| is_json(line));
    assert!(
        json.len() > 300 && readable.len() > 100,
        "{} lines of JSON, {} others",
        json.len(),
        readable.len()
    );
    let otlp = receiver.text();
    for word in ["rpc.server.call.duration", "request answered", "FoundForum"] {
        assert!(otlp.contains(word), "OTLP has not told {word}");
    }
    let everywhere: BTreeSet<String> = canaries.iter().cloned().chain([PLACE.to_lowercase()]).collect();
    let mut places = 0;
    for (what, text) in &told {
        let is_event = EVENTS.contains(what);
        let unwanted = if is_event { &canaries } else { &everywhere };
        assert_eq!(found(unwanted, text), Vec::<String>::new(), "in {what}");
        places += usize::from(is_event && text.contains(PLACE));
    }
    assert!(places > 0, "the names of places have come as far as events");
    // The search finds what it is to find.
    assert_eq!(found(&canaries, &format!("one\nfor {} here", NAME.to_uppercase())).len(), 1);
}
