//! The rules of the settings: from a merged table of texts and numbers to a [`Config`].

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use kernel::{TenantId, Timestamp};
use messaging::provision::Profile;
use rustix::fs::Access;
use tracing_subscriber::EnvFilter;

use super::fault::ConfigFault;
use super::layers::Merged;
use super::raw::{Raw, RawLimits, RawListen, RawNats, RawService, RawTelemetry};
use super::{
    Config, Limits, Listen, Nats, NatsAddress, ServiceConfig, Stop, Telemetry, Tls, Tokens, layers, show,
    transport,
};
use crate::service::Service;

/// Collects faults while reading on.
pub(super) struct Reader<'a> {
    merged: &'a Merged,
    faults: &'a mut Vec<ConfigFault>,
}

impl Reader<'_> {
    pub(super) fn refuse(&mut self, key: &str, rule: &str, remedy: &str) {
        self.faults.push(self.merged.fault(key, rule, remedy));
    }

    /// A whole number within limits; the lower limit where it is not, so that reading goes on.
    fn number<T: TryFrom<i64> + Default>(&mut self, key: &str, value: i64, least: i64, most: i64) -> T {
        let within = (least..=most).contains(&value);
        if !within {
            self.refuse(key, &format!("must be between {least} and {most}"), "write such a number");
        }
        T::try_from(if within { value } else { least }).unwrap_or_default()
    }

    pub(super) fn seconds(&mut self, key: &str, value: i64, least: i64, most: i64) -> Duration {
        Duration::from_secs(self.number(key, value, least, most))
    }

    /// The text itself, or the content of the file that it names with `file:`.
    fn maybe_from_file(&mut self, key: &str, text: String) -> String {
        let Some(path) = text.strip_prefix("file:") else { return text };
        match std::fs::read_to_string(path) {
            Ok(content) => content.trim().to_owned(),
            Err(error) => {
                self.refuse(key, &format!("the file must be readable ({error})"), "name another file");
                text
            }
        }
    }
}

/// The configuration; None only if it could not be read at all, which a fault tells. With faults it is not to be used.
pub(super) fn read(services: &[Service], merged: &Merged, faults: &mut Vec<ConfigFault>) -> Option<Config> {
    let raw: Raw = match merged.extract() {
        Ok(raw) => raw,
        Err(error) => {
            faults.push(merged.fault(
                &error.path.join("."),
                &error.kind.to_string(),
                "see the defaults file",
            ));
            return None;
        }
    };
    let mut reader = Reader { merged, faults };
    let cell_is_fine = (1..=40).contains(&raw.cell.len())
        && raw.cell.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !cell_is_fine {
        reader.refuse("cell", "must be 1 to 40 of a-z, 0-9 and hyphen", "write something like \"pohde\"");
    }
    check_folder(&mut reader, "data_dir", &raw.data_dir);
    let or_in_data_dir = |folder: PathBuf, name: &str| {
        if folder.as_os_str().is_empty() { raw.data_dir.join(name) } else { folder }
    };
    if raw.load_test && raw.nats.profile.starts_with("production") {
        let rule = "a production system is not there to be loaded";
        reader.refuse("load_test", rule, "set it to false, or load a system of its own");
    }
    let store_dir = or_in_data_dir(raw.nats.store_dir.clone(), "nats");
    let secrets_dir = or_in_data_dir(raw.secrets.dir, "secrets");
    let tls = transport::tls(&mut reader, raw.tls);
    Some(Config {
        tenants: tenants(&mut reader, &raw.tenants),
        listen: listen(&mut reader, &raw.listen, tls.is_some()),
        nats: nats(&mut reader, raw.nats, store_dir, tls.as_ref()),
        telemetry: telemetry(&mut reader, raw.telemetry),
        limits: limits(&mut reader, &raw.limits, raw.load_test),
        tokens: Tokens {
            refresh: reader.seconds("tokens.refresh_seconds", raw.tokens.refresh_seconds, 1, 86_400),
            refetch: reader.seconds("tokens.refetch_seconds", raw.tokens.refetch_seconds, 0, 86_400),
            cache: NonZeroUsize::new(reader.number("tokens.cache", raw.tokens.cache, 1, 1_000_000))?,
        },
        demo_start: demo_start(&mut reader, &raw.clock.demo_start, raw.demo || raw.load_test),
        stop: Stop {
            notice: reader.seconds("stop.notice_seconds", raw.stop.notice_seconds, 0, 300),
            drain: reader.seconds("stop.drain_seconds", raw.stop.drain_seconds, 0, 3_600),
        },
        services: self::services(&mut reader, services, raw.services, &raw.data_dir, tls.is_some()),
        tls,
        cell: raw.cell,
        data_dir: raw.data_dir,
        demo: raw.demo,
        load_test: raw.load_test,
        secrets_dir,
        shown: show::all(merged),
    })
}

/// What a process must name that runs one service of several: everything that they share.
pub(super) fn alone(services: &[Service], merged: &Merged, faults: &mut Vec<ConfigFault>) {
    let mut reader = Reader { merged, faults };
    if merged.shown_value("nats.url") == "\"embedded\"" {
        let rule =
            "a nats-server of its own would carry events to nobody: this process runs one service of several";
        reader.refuse("nats.url", rule, "write the address of the cluster that all processes share");
    }
    for service in services {
        let key = format!("services.{}.database", service.name);
        if merged.origin(&key) == layers::DEFAULT {
            let rule = "a service in a process of its own says which database it has";
            let remedy = "write an address of PostgreSQL, or sqlite:///path/file.sqlite if one process on this \
                          machine is to have the file";
            reader.refuse(&key, rule, remedy);
        }
    }
}

fn tenants(reader: &mut Reader<'_>, codes: &[String]) -> Vec<TenantId> {
    if codes.is_empty() {
        reader.refuse("tenants", "a cell serves at least one county", "write something like [\"19\"]");
    }
    let mut tenants: Vec<TenantId> = Vec::new();
    for code in codes {
        match TenantId::new(code) {
            Ok(tenant) if tenants.contains(&tenant) => {
                reader.refuse("tenants", &format!("{code} stands twice"), "remove one");
            }
            Ok(tenant) => tenants.push(tenant),
            Err(invalid) => reader.refuse("tenants", &invalid.rule, &invalid.remedy),
        }
    }
    tenants
}

/// The nearest folder that exists must let us write. Looking makes nothing.
fn check_folder(reader: &mut Reader<'_>, key: &str, folder: &Path) {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let existing = absolute.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    if !existing.is_dir() {
        let rule = format!("{} must be a folder", existing.display());
        reader.refuse(key, &rule, "name another folder, or move the file");
    } else if rustix::fs::access(existing, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let rule = format!("{} must be writable for this user", existing.display());
        reader.refuse(key, &rule, "name another folder, or change its owner");
    }
}

fn listen(reader: &mut Reader<'_>, raw: &RawListen, has_tls: bool) -> Listen {
    let grpc = raw.grpc.parse::<SocketAddr>().unwrap_or_else(|_| {
        let remedy = "write something like \"127.0.0.1:7400\"";
        reader.refuse("listen.grpc", "must be an IP address and a port", remedy);
        SocketAddr::from(([127, 0, 0, 1], 0))
    });
    if !grpc.ip().is_loopback() && !has_tls {
        let rule =
            "without a certificate the server speaks plain text, so it listens on the own machine only";
        let remedy = "set tls.certificate, tls.key and tls.ca, or write something like \"127.0.0.1:7400\"";
        reader.refuse("listen.grpc", rule, remedy);
    }
    Listen { grpc, reflection: raw.reflection }
}

fn nats(reader: &mut Reader<'_>, raw: RawNats, store_dir: PathBuf, tls: Option<&Tls>) -> Nats {
    let shown = transport::nats_tls(reader, &raw, tls);
    transport::readers(reader, &raw.readers);
    let url = reader.maybe_from_file("nats.url", raw.url);
    let address = if url == "embedded" { NatsAddress::Embedded } else { NatsAddress::Url(url) };
    if let NatsAddress::Url(url) = &address {
        transport::nats_url(reader, url, shown.is_some());
    }
    let digits = raw.sync_interval.strip_suffix(['s', 'm', 'h']).unwrap_or_default();
    let is_duration = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if raw.sync_interval != "always" && !is_duration {
        reader.refuse(
            "nats.sync_interval",
            "must be \"always\" or a duration",
            "write something like \"2m\"",
        );
    }
    if ![1, 3].contains(&raw.replicas) {
        reader.refuse("nats.replicas", "must be 1 or 3", "write 3 in production");
    }
    let profile = match raw.profile.as_str() {
        "development" => Profile::Development,
        "production" => Profile::Production,
        "production-single-node" => Profile::ProductionSingleNode,
        _ => {
            let rule = "must be \"development\", \"production\" or \"production-single-node\"";
            reader.refuse("nats.profile", rule, "write one of them");
            Profile::Development
        }
    };
    if profile == Profile::Production && raw.replicas < 3 {
        reader.refuse(
            "nats.replicas",
            "production asks for three copies",
            "write 3, or name the single node",
        );
    }
    Nats {
        address,
        server: raw.server,
        store_dir,
        port: reader.number("nats.port", raw.port, 0, 65_535),
        sync_interval: raw.sync_interval,
        credentials: Some(raw.credentials).filter(|file| !file.as_os_str().is_empty()),
        tls: shown,
        readers: raw.readers,
        profile,
        replicas: usize::try_from(raw.replicas).unwrap_or_default(),
        provision: raw.provision,
    }
}

fn telemetry(reader: &mut Reader<'_>, raw: RawTelemetry) -> Telemetry {
    if EnvFilter::try_new(&raw.log).is_err() {
        reader.refuse("telemetry.log", "must be log rules", "write something like \"info,forums=debug\"");
    }
    if !["readable", "json"].contains(&raw.format.as_str()) {
        reader.refuse("telemetry.format", "must be \"readable\" or \"json\"", "write one of them");
    }
    let endpoint = Some(raw.otlp_endpoint).filter(|endpoint| !endpoint.is_empty());
    if let Some(endpoint) = &endpoint {
        transport::otlp_endpoint(reader, endpoint, raw.network_is_closed);
    }
    if !(0.0..=1.0).contains(&raw.sample) {
        reader.refuse("telemetry.sample", "must be between 0.0 and 1.0", "write 1.0 to keep every trace");
    }
    let prometheus = raw.prometheus.parse::<SocketAddr>().ok();
    if prometheus.is_none() && !raw.prometheus.is_empty() {
        let remedy = "write something like \"127.0.0.1:9464\"";
        reader.refuse("telemetry.prometheus", "must be empty or an IP address and a port", remedy);
    }
    if prometheus.is_some_and(|address| !address.ip().is_loopback()) && !raw.network_is_closed {
        reader.refuse("telemetry.prometheus", transport::PLAIN_TELEMETRY, transport::CLOSED_NETWORK);
    }
    Telemetry {
        prometheus,
        log: raw.log,
        json: raw.format == "json",
        otlp_endpoint: endpoint,
        sample: raw.sample,
        metrics_interval: reader.seconds("telemetry.metrics_seconds", raw.metrics_seconds, 1, 3_600),
    }
}

fn limits(reader: &mut Reader<'_>, raw: &RawLimits, load_test: bool) -> Limits {
    let (deadline, longest) = (raw.deadline_seconds, raw.longest_deadline_seconds);
    if longest < deadline {
        let rule = "must not be shorter than limits.deadline_seconds";
        reader.refuse("limits.longest_deadline_seconds", rule, "write a longer one");
    }
    let per_minute = reader.number("limits.per_minute", raw.per_minute, 1, 10_000_000);
    let batch = reader.number("limits.batch", raw.batch, 0, 128);
    let (requests, streams) = (raw.requests_per_connection, raw.streams_per_connection);
    Limits {
        message_bytes: reader.number("limits.message_bytes", raw.message_bytes, 1_024, 4_194_304),
        header_bytes: reader.number("limits.header_bytes", raw.header_bytes, 4_096, 1_048_576),
        requests_per_connection: reader.number("limits.requests_per_connection", requests, 1, 100_000),
        streams_per_connection: reader.number("limits.streams_per_connection", streams, 1, 100_000),
        requests: reader.number("limits.requests", raw.requests, 1, 1_000_000),
        deadline: reader.seconds("limits.deadline_seconds", deadline, 1, 3_600),
        longest_deadline: reader.seconds("limits.longest_deadline_seconds", longest, 1, 3_600),
        per_minute: (raw.rates && !load_test).then_some(per_minute),
        batch: Some(batch).filter(|batch| *batch > 0),
    }
}

fn demo_start(reader: &mut Reader<'_>, text: &str, demo: bool) -> Option<Timestamp> {
    if text.is_empty() {
        return None;
    }
    if !demo {
        let remedy = "set demo = true, or leave it empty";
        reader.refuse("clock.demo_start", "only a demonstration sets its clock", remedy);
    }
    let start = Timestamp::from_str(text);
    start.map_err(|invalid| reader.refuse("clock.demo_start", &invalid.rule, &invalid.remedy)).ok()
}

fn services(
    reader: &mut Reader<'_>,
    here: &[Service],
    raw: BTreeMap<String, RawService>,
    data_dir: &Path,
    has_tls: bool,
) -> BTreeMap<String, ServiceConfig> {
    let mut services = BTreeMap::new();
    for (name, raw) in raw {
        let runs_here = here.iter().any(|service| service.name == name);
        let database = database(reader, &name, raw.database, data_dir);
        let database_owner = database_owner(reader, &name, raw.database_owner, &database);
        let address = Some(raw.address).filter(|address| !address.is_empty());
        let key = format!("services.{name}.address");
        if let Some(address) = &address {
            transport::service_url(reader, &key, address, has_tls);
        }
        if address.is_none() && name == "membership" && !runs_here {
            let rule = "membership does not run in this process, and without its keys nobody can be let in";
            reader.refuse(&key, rule, "write where membership is reached");
        }
        let section = reader.merged.section(&name);
        services.insert(name, ServiceConfig { database, database_owner, address, section });
    }
    services
}

fn database(reader: &mut Reader<'_>, service: &str, setting: String, data_dir: &Path) -> String {
    let key = format!("services.{service}.database");
    let address = reader.maybe_from_file(&key, setting);
    let known = ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| address.starts_with(scheme));
    match address.as_str() {
        "sqlite" => format!("sqlite://{}", data_dir.join(format!("{service}.sqlite")).display()),
        _ if known => {
            if !address.starts_with("sqlite:") {
                transport::postgres_url(reader, &key, &address);
            }
            address
        }
        _ => {
            let rule = "must be \"sqlite\" or an address that begins with sqlite: or postgres:";
            let remedy = format!("write something like \"postgres://user@host/{service}\"");
            reader.refuse(&key, rule, &remedy);
            address
        }
    }
}

fn database_owner(reader: &mut Reader<'_>, service: &str, setting: String, database: &str) -> Option<String> {
    let key = format!("services.{service}.database_owner");
    let address = Some(reader.maybe_from_file(&key, setting)).filter(|address| !address.is_empty())?;
    let is_postgres =
        |address: &str| ["postgres:", "postgresql:"].iter().any(|scheme| address.starts_with(scheme));
    if !is_postgres(&address) || !is_postgres(database) {
        let rule = "must be empty, or the address of the PostgreSQL database with another role";
        let remedy =
            format!("write something like \"postgres://{service}_owner@host/{service}\", or nothing");
        reader.refuse(&key, rule, &remedy);
    } else {
        transport::postgres_url(reader, &key, &address);
    }
    Some(address)
}
