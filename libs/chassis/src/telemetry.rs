//! Logs, traces, metrics: what a process tells of itself, without personal data (OBS-02).
//!
//! The tracing subscriber and the meter provider are the only process-wide state there is; [`install`] sets them, once,
//! in `main`. Systems started by tests in one process share whatever is installed, or nothing.
//!
//! Logs go to standard error, readable or as JSON. With an endpoint, traces, metrics and logs also go there by OTLP;
//! without one nothing of OpenTelemetry runs.

mod context;
mod edge;
mod format;
mod otlp;
mod queues;

use std::io::IsTerminal as _;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt};

pub(crate) use context::{inject, traceparent};
pub(crate) use edge::Edge;
pub(crate) use queues::observe;

use crate::config::Config;
use crate::service::StartError;

/// Libraries whose everyday remarks nobody needs; the setting `telemetry.log` may ask for them again. Were those of
/// the exporter's own transport sent by the exporter, each sending would make more to send.
const QUIET: &str = "h2=warn,hyper=warn,hyper_util=warn,tonic=warn,tower=warn,sqlx=warn,sea_orm=warn,sea_orm_migration=warn,\
     async_nats=warn,opentelemetry=warn,opentelemetry_sdk=warn,opentelemetry_otlp=warn,rustls=warn";

/// What was installed; keep it, and shut it down last.
pub struct Telemetry {
    providers: Option<otlp::Providers>,
}

/// Installs logging, and the exporters if an endpoint is configured, for the rest of the process. `service` is its name
/// for those who look. Must be called within a tokio runtime.
///
/// # Errors
/// If something is installed already, or the endpoint cannot be used.
pub fn install(config: &Config, service: &str) -> Result<Telemetry, StartError> {
    let settings = &config.telemetry;
    let filter = EnvFilter::try_new(format!("{QUIET},{}", settings.log));
    let filter = filter.map_err(|error| StartError::Other(format!("telemetry.log: {error}")))?;
    let providers = match &settings.otlp_endpoint {
        Some(endpoint) => Some(
            otlp::Providers::new(endpoint, config, service)
                .map_err(|error| StartError::Other(format!("telemetry.otlp_endpoint: {error}")))?,
        ),
        None => None,
    };
    let lines = fmt::layer::<Registry>().with_writer(std::io::stderr);
    let lines = if settings.json {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    } else {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = std::io::stderr().is_terminal() && !no_colour;
        lines.with_ansi(colour).event_format(format::Readable).boxed()
    };
    let mut layers = vec![lines];
    if let Some(providers) = &providers {
        let tracer = providers.traces.tracer("osallisuus");
        let spans = tracing_opentelemetry::layer().with_tracer(tracer);
        layers.push(spans.with_location(false).with_threads(false).with_target(false).boxed());
        layers.push(OpenTelemetryTracingBridge::new(&providers.logs).boxed());
    }
    let subscriber = Registry::default().with(layers).with(filter);
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| StartError::Other("logging is installed already in this process".to_owned()))?;
    Ok(Telemetry { providers })
}

impl Telemetry {
    /// Sends what is left, for nine seconds at most. Blocks: not for use on a runtime's own thread.
    pub fn shut_down(self) {
        if let Some(providers) = self.providers {
            providers.shut_down();
        }
    }
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").field("otlp", &self.providers.is_some()).finish()
    }
}
