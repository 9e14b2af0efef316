//! The settings as they are written, before the rules are applied. One field for each key of `defaults.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Raw {
    pub(super) cell: String,
    pub(super) tenants: Vec<String>,
    pub(super) data_dir: PathBuf,
    pub(super) demo: bool,
    pub(super) load_test: bool,
    pub(super) listen: RawListen,
    pub(super) tls: RawTls,
    pub(super) nats: RawNats,
    pub(super) telemetry: RawTelemetry,
    pub(super) limits: RawLimits,
    pub(super) tokens: RawTokens,
    pub(super) clock: RawClock,
    pub(super) stop: RawStop,
    pub(super) secrets: RawSecrets,
    pub(super) services: BTreeMap<String, RawService>,
}

#[derive(Deserialize)]
pub(super) struct RawListen {
    pub(super) grpc: String,
    pub(super) reflection: bool,
}

#[derive(Deserialize)]
pub(super) struct RawTls {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) ca: PathBuf,
    pub(super) clients: String,
    pub(super) reload_seconds: i64,
}

#[derive(Deserialize)]
pub(super) struct RawNats {
    pub(super) url: String,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) ca: PathBuf,
    pub(super) readers: Vec<String>,
    pub(super) server: PathBuf,
    pub(super) store_dir: PathBuf,
    pub(super) port: i64,
    pub(super) sync_interval: String,
    pub(super) credentials: PathBuf,
    pub(super) profile: String,
    pub(super) replicas: i64,
    pub(super) provision: bool,
}

#[derive(Deserialize)]
pub(super) struct RawTelemetry {
    pub(super) log: String,
    pub(super) format: String,
    pub(super) otlp_endpoint: String,
    pub(super) prometheus: String,
    pub(super) network_is_closed: bool,
    pub(super) sample: f64,
    pub(super) metrics_seconds: i64,
}

#[derive(Deserialize)]
pub(super) struct RawLimits {
    pub(super) message_bytes: i64,
    pub(super) header_bytes: i64,
    pub(super) requests_per_connection: i64,
    pub(super) streams_per_connection: i64,
    pub(super) requests: i64,
    pub(super) deadline_seconds: i64,
    pub(super) longest_deadline_seconds: i64,
    pub(super) per_minute: i64,
    pub(super) rates: bool,
    pub(super) batch: i64,
}

#[derive(Deserialize)]
pub(super) struct RawTokens {
    pub(super) refresh_seconds: i64,
    pub(super) refetch_seconds: i64,
    pub(super) cache: i64,
}

#[derive(Deserialize)]
pub(super) struct RawClock {
    pub(super) demo_start: String,
}

#[derive(Deserialize)]
pub(super) struct RawStop {
    pub(super) notice_seconds: i64,
    pub(super) drain_seconds: i64,
}

#[derive(Deserialize)]
pub(super) struct RawSecrets {
    pub(super) dir: PathBuf,
}

#[derive(Deserialize)]
pub(super) struct RawService {
    pub(super) database: String,
    pub(super) database_owner: String,
    pub(super) address: String,
}
