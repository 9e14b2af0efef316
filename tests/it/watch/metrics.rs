//! The metrics of a running system, and that dashboard and alert rules speak of nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use kernel::{Clock as _, SystemClock};
use proto::messaging::RebuildProjectionRequest;
use serde_json::Value;
use standalone::client::{ClientTls, Server};
use standalone::demo::{Contest, Play, Progress};
use testkit::nats;
use testkit::system::Store;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::promql::{self, Wanted};
use crate::support::process::{Process, program};
use crate::support::world;
use crate::transport::{certify, certify_at, files};

/// What an operator must be able to see, whatever else there is (OBS-20).
const MUST: [&str; 29] = [
    "writer_queue_depth",
    "writer_batch_size_bucket",
    "writer_batch_seconds_bucket",
    "writer_rejected_total",
    "outbox_unpublished",
    "outbox_oldest_age_seconds",
    "relay_publish_seconds_bucket",
    "relay_rewind_events_total",
    "relay_fork_total",
    "projection_lag_events",
    "projection_lag_seconds",
    "projection_delay_seconds_bucket",
    "projection_duplicates_total",
    "projection_gap_repaired_total",
    "parked_events",
    "consumer_recreated_total",
    "db_idle_in_tx",
    "db_client_connection_count",
    "authz_denied_total",
    "audit_denials_unwritten_total",
    "backup_taken_timestamp_seconds",
    "projection_rebuilding",
    "tls_certificate_left_seconds",
    "rpc_server_call_duration_seconds_bucket",
    "process_cpu_time_seconds_total",
    "process_memory_usage_bytes",
    "process_unix_file_descriptor_count",
    "tokio_alive_tasks",
    "tokio_worker_busy_seconds_total",
];
/// What Prometheus itself adds.
const ADDED: [&str; 2] = ["instance", "job"];
/// The labels there may be: none of them can name a person, and each has few values (OBS-02).
const LABELS: [&str; 21] = [
    "db_client_connection_state",
    "kind",
    "lane",
    "le",
    "osallisuus_cell",
    "projection",
    "purpose",
    "reason",
    "rpc",
    "rpc_method",
    "rpc_status_code",
    "service",
    "service_instance_id",
    "service_name",
    "service_namespace",
    "service_version",
    "source",
    "telemetry_sdk_language",
    "telemetry_sdk_name",
    "telemetry_sdk_version",
    "worker",
];

/// The outcomes of calls (gRPC's status codes), as the label rpc_status_code has them.
const CODES: [&str; 17] = [
    "ok",
    "cancelled",
    "unknown",
    "invalid_argument",
    "deadline_exceeded",
    "not_found",
    "already_exists",
    "permission_denied",
    "resource_exhausted",
    "failed_precondition",
    "aborted",
    "out_of_range",
    "unimplemented",
    "internal",
    "unavailable",
    "data_loss",
    "unauthenticated",
];

/// Metrics as they were fetched: for each name the labels of each of its series, and its value.
pub(crate) struct Metrics(BTreeMap<String, Vec<Series>>);

/// Labels and value.
type Series = (BTreeMap<String, String>, f64);

impl Metrics {
    /// Fetches them as Prometheus does.
    pub(crate) async fn fetch(url: &str) -> Self {
        let text = get(url).await;
        let mut metrics: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels.trim_end_matches('}').split("\",").filter(|label| !label.is_empty());
            let labels: BTreeMap<String, String> = labels
                .map(|label| {
                    let (key, value) = label.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
                    (key.to_owned(), value.trim_end_matches('"').to_owned())
                })
                .collect();
            let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
            let all = metrics.entry(name.to_owned()).or_default();
            assert!(all.iter().all(|(known, _)| *known != labels), "twice: {line}");
            all.push((labels, value));
        }
        Self(metrics)
    }

    /// The sum over all series of a metric with these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let series = self.0.get(name).unwrap_or_else(|| panic!("there is no {name}"));
        let of = series
            .iter()
            .filter(|(has, _)| labels.iter().all(|(key, value)| has.get(*key).is_some_and(|is| is == value)));
        of.map(|(_, value)| value).sum()
    }

    /// Why an expression could never show anything; empty if it can.
    fn misses(&self, expression: &str) -> Vec<String> {
        let used = promql::read(expression);
        let mut misses = Vec::new();
        let mut known: BTreeSet<&str> = ADDED.into();
        for (name, selected) in &used.selectors {
            if name == "up" {
                continue;
            }
            let Some(series) = self.0.get(name) else {
                misses.push(format!("there is no metric {name}"));
                continue;
            };
            known.extend(series.iter().flat_map(|(labels, _)| labels.keys().map(String::as_str)));
            for (label, wanted) in selected {
                misses.extend(
                    unmatched(series, label, wanted).into_iter().map(|what| format!("{name} has no {what}")),
                );
            }
        }
        if used.selectors.is_empty() {
            misses.push("it names no metric".to_owned());
        }
        let unknown = used.grouped_by.iter().filter(|label| !known.contains(label.as_str()));
        misses.extend(unknown.map(|label| format!("no metric in it has the label {label}")));
        misses
    }
}

/// What of a selection no series has. Every word of it counts, for a misspelt one among others would never be seen.
fn unmatched(series: &[Series], label: &str, wanted: &Wanted) -> Vec<String> {
    let has = |value: &str| {
        // Most outcomes of calls do not occur in a test; there are no others than these.
        let is_code = label == "rpc_status_code" && CODES.contains(&value);
        is_code || series.iter().any(|(labels, _)| labels.get(label).is_some_and(|is| is == value))
    };
    let words = match wanted {
        Wanted::OneOf(words) | Wanted::NoneOf(words) => words.as_slice(),
        Wanted::Variable => &[],
    };
    let missing = words.iter().filter(|word| !has(word)).map(|word| format!("{label} {word}"));
    let is_label = series.iter().any(|(labels, _)| labels.contains_key(label));
    missing.chain((!is_label).then(|| label.to_owned())).collect()
}

/// The body of what is at a URL.
pub(crate) async fn get(url: &str) -> String {
    let rest = url.strip_prefix("http://").expect("a URL");
    let (address, path) = rest.split_once('/').expect("a path");
    let mut stream = TcpStream::connect(address).await.expect("somebody listens");
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer in text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
    body.to_owned()
}

/// A file of the repository.
fn file(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The expressions of the alert rules: what stands after `expr:`, on its line or indented below it.
fn rules() -> Vec<String> {
    let text = file("infra/prometheus/alerts.yml");
    let mut expressions: Vec<String> = Vec::new();
    let mut inside = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if let Some(found) = line.trim_start().strip_prefix("expr:") {
            expressions.push(found.trim().trim_start_matches('|').to_owned());
            inside = Some(indent);
        } else if inside.is_some_and(|of| indent > of) {
            expressions.last_mut().expect("it began").push_str(&format!(" {}", line.trim()));
        } else {
            inside = None;
        }
    }
    expressions
}

/// The expressions of the dashboard, and the queries of its variables as expressions.
fn panels() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&file("infra/grafana/osallisuus.json")).expect("JSON");
    let mut expressions = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().into_iter().flatten() {
            expressions.push(target["expr"].as_str().expect("an expression").to_owned());
        }
    }
    for variable in dashboard["templating"]["list"].as_array().expect("variables") {
        let Some(query) = variable["query"]["query"].as_str() else { continue };
        let inside = query.strip_prefix("label_values(").and_then(|query| query.strip_suffix(')'));
        let (metric, label) = inside.and_then(|inside| inside.split_once(", ")).expect("label_values(…)");
        expressions.push(format!("sum by ({label}) ({metric})"));
    }
    expressions
}

#[tokio::test(flavor = "multi_thread")]
async fn obs_20_obs_31_every_metric_of_dashboard_and_alerts_is_there() {
    let folder = tempfile::Builder::new().prefix("osallisuus-metrics-").tempdir().expect("a folder");
    let nats = nats::Server::start().expect("a nats-server");
    let databases = world::new_databases(Store::Sqlite, folder.path()).await;
    let certificates = folder.path().join("certificates");
    certify(&certificates);
    let mut more = files(&certificates, "osallisuus", "tls");
    more.push(("tls.reload_seconds".to_owned(), "1".to_owned()));
    more.push(("telemetry.prometheus".to_owned(), "\"127.0.0.1:0\"".to_owned()));
    let more: Vec<(&str, &str)> = more.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let settings = world::settings(folder.path(), &nats.url(), &["19", "21"], &databases, &more);
    let setup_code = world::set_up(&settings).await;
    let process = Process::run(&["up"], &settings, &[]);
    let server = Server::secured(&process.address, &ClientTls::of(&certificates, "operator"));
    let server = server.expect("an address");
    let mut play = Play::begin(server, &setup_code, Progress::silent()).await.expect("an administrator");
    play.register().await.expect("registered");
    play.found().await.expect("founded");
    // The announcement goes from one service to the other and back, through log, stream and projection.
    play.announce(Contest::first()).await.expect("announced");
    let refused = play
        .server
        .public()
        .rolls()
        .list_electoral_roll(proto::membership::ListElectoralRollRequest::default())
        .await;
    refused.expect_err("nobody is signed in");

    let url = process.metrics.as_deref().expect("the program says where its metrics are");
    let metrics = Metrics::fetch(url).await;
    for name in MUST {
        assert!(metrics.0.contains_key(name), "{name} is missing");
    }
    let (mut checked, mut misses) = (0, Vec::new());
    for expression in rules().into_iter().chain(panels()) {
        checked += 1;
        misses.extend(metrics.misses(&expression).into_iter().map(|why| format!("{why}: {expression}")));
    }
    assert_eq!(misses, Vec::<String>::new(), "of {checked} expressions");
    assert!(checked > 80, "only {checked} expressions were found");
    assert_eq!(metrics.misses("rate(no_such_total[5m])"), ["there is no metric no_such_total"]);
    assert_eq!(metrics.misses("sum by (person) (parked_events)"), ["no metric in it has the label person"]);
    let outcomes = |codes| format!("rpc_server_call_duration_seconds_count{{rpc_status_code=~\"{codes}\"}}");
    assert_eq!(metrics.misses(&outcomes("internal|data_loss")), Vec::<String>::new());
    let misses = metrics.misses(&outcomes("internal|dataloss"));
    assert_eq!(misses, ["rpc_server_call_duration_seconds_count has no rpc_status_code dataloss"]);
    let codes = metrics.0["rpc_server_call_duration_seconds_count"].iter();
    let codes: BTreeSet<&str> = codes.map(|(labels, _)| labels["rpc_status_code"].as_str()).collect();
    assert!(codes.len() > 1 && codes.iter().all(|code| CODES.contains(code)), "{codes:?}");

    // Not only the names: what they say is so.
    assert_eq!(metrics.sum("service_ready", &[]), 3.0);
    assert_eq!(metrics.sum("nats_connected", &[]), 3.0);
    let answered = |kind| {
        metrics.sum("rpc_server_call_duration_seconds_count", &[("kind", kind), ("rpc_status_code", "ok")])
    };
    assert!(answered("command") > 5.0 && answered("query") > 0.0);
    assert!(
        metrics
            .sum("authz_denied_total", &[("rpc", "osallisuus.membership.v1.RollsService/ListElectoralRoll")])
            >= 1.0
    );
    assert!(metrics.sum("projection_delay_seconds_count", &[("lane", "19")]) > 0.0);
    assert!(metrics.sum("process_cpu_time_seconds_total", &[]) > 0.0);
    assert!(metrics.sum("process_memory_usage_bytes", &[]) > 10e6);
    assert_eq!(metrics.sum("outbox_stopped", &[]), 0.0);
    let labels: BTreeSet<&str> =
        metrics.0.values().flatten().flat_map(|(labels, _)| labels.keys().map(String::as_str)).collect();
    let strangers: Vec<&&str> = labels.iter().filter(|label| !LABELS.contains(label)).collect();
    assert_eq!(strangers, Vec::<&&str>::new(), "labels that nobody has thought about");
    for (name, series) in &metrics.0 {
        assert!(series.len() < 4_000, "{name} has {} series", series.len());
        assert!(!name.to_lowercase().contains("ballot"), "{name}: a ballot leaves no trace (BAL-11)");
    }
    let mut values = metrics.0.values().flatten().flat_map(|(labels, _)| labels.values());
    assert!(!values.any(|value| value.contains("CastBallot")), "a ballot leaves no trace (BAL-11)");

    what_is_read_again_is_not_late(url, &play).await;
    certificates_and_backups_are_seen(url, &certificates, &settings).await;

    // A lane that waits is seen to wait, and for longer and longer.
    drop(nats);
    play.administrator
        .forums()
        .found_forum(crate::system::charter("Jono"))
        .await
        .expect("a command needs no NATS");
    let lane = [("service", "forums"), ("lane", "19")];
    testkit::eventually(Duration::from_secs(20), async || {
        let now = Metrics::fetch(url).await;
        let waits = now.sum("outbox_unpublished", &lane) >= 1.0;
        waits && now.sum("outbox_oldest_age_seconds", &lane) > 0.0 && now.sum("nats_connected", &[]) == 0.0
    })
    .await;
    assert_eq!(process.end().code(), Some(0));
}

/// Events that are read again because somebody asked for it are old, and no alert is to come of it.
async fn what_is_read_again_is_not_late(url: &str, play: &Play) {
    let of = [("projection", "forums"), ("source", "forums")];
    let delays = |metrics: &Metrics| metrics.sum("projection_delay_seconds_count", &of);
    let before = Metrics::fetch(url).await;
    assert!(delays(&before) > 0.0);
    let request = RebuildProjectionRequest {
        service: "membership".to_owned(),
        projection: "forums".to_owned(),
        ..Default::default()
    };
    let begun = play.administrator.operator("membership").rebuild_projection(request).await.expect("begun");
    let events: u64 = begun.into_inner().lanes.iter().map(|lane| lane.target).sum();
    assert!(events > 0);
    let taken = |metrics: &Metrics| metrics.sum("projection_taken_total", &of);
    testkit::eventually(Duration::from_secs(20), async || {
        let now = Metrics::fetch(url).await;
        taken(&now) >= taken(&before) + events as f64 && now.sum("projection_rebuilding", &of) == 0.0
    })
    .await;
    // What came meanwhile counts, such as a watermark; the events of then do not.
    let late = delays(&Metrics::fetch(url).await) - delays(&before);
    assert!(late < events as f64, "{late} of {events}");
}

/// Renewed certificates and the time of a backup show while the process runs.
async fn certificates_and_backups_are_seen(url: &str, certificates: &Path, settings: &Path) {
    const DAY: f64 = 86_400.0;
    let left = |metrics: &Metrics| metrics.sum("tls_certificate_left_seconds", &[("purpose", "process")]);
    let before = Metrics::fetch(url).await;
    assert!((DAY - 600.0..DAY).contains(&left(&before)), "{}", left(&before));
    // From five minutes before to the end of its day.
    assert_eq!(before.sum("tls_certificate_life_seconds", &[]), DAY + 300.0);
    certify_at(certificates, SystemClock.now() + time::Duration::minutes(4));
    testkit::eventually(Duration::from_secs(20), async || left(&Metrics::fetch(url).await) > DAY).await;

    assert_eq!(before.sum("backup_taken_timestamp_seconds", &[]), 0.0, "never");
    for arguments in [&["--service", "forums"][..], &[]] {
        let folder = settings.with_file_name(format!("backup-{}", arguments.len()));
        let mut backup = Command::new(program("osallisuus"));
        backup.arg("backup").arg(&folder).args(arguments).arg("--config").arg(settings);
        let done = backup.output().expect("it runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let taken = Metrics::fetch(url).await.sum("backup_taken_timestamp_seconds", &[]);
        let is_now = (taken - SystemClock.now().as_seconds() as f64).abs() < 60.0;
        assert_eq!(is_now, arguments.is_empty(), "of every service or not at all: {taken}");
    }
}

#[test]
fn obs_31_prometheus_own_tool_accepts_the_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let brought = root.join(".tools/promtool/usr/bin/promtool");
    let promtool = if brought.is_file() { brought } else { "promtool".into() };
    for (what, path) in [("rules", "alerts.yml"), ("config", "prometheus.yml")] {
        let checked = Command::new(&promtool)
            .args(["check", what])
            .arg(root.join("infra/prometheus").join(path))
            .output();
        match checked {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => {
                let why = format!("promtool is not here ({error}); only names and labels were checked");
                testkit::not_run("watch::metrics, the rules by promtool", &why);
            }
        }
    }
}
