//! Logs, traces, metrics: what a process tells of itself, without personal data (OBS-02).
//!
//! The tracing subscriber and the meter provider are the only process-wide state there is; [`install`] sets them, once,
//! in `main`. Systems started by tests in one process share whatever is installed, or nothing.
//!
//! Logs go to standard error, readable or as JSON. With an endpoint, traces, metrics and logs also go there by OTLP;
//! with a listener, Prometheus fetches metrics from it. Without both nothing of OpenTelemetry runs.
//!
//! There is no metric of ballots, cast or issued: read every few seconds, a number that grows by one tells when somebody
//! voted, and whoever sees them come and go knows who (BAL-11). What is published of turnout, queries publish, coarsely.

mod backup;
mod certificates;
mod context;
mod edge;
mod format;
mod gauges;
mod otlp;
mod scrape;

use std::io::IsTerminal as _;
use std::net::SocketAddr;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt};

pub use backup::note_backup;
pub(crate) use context::{inject, traceparent};
pub(crate) use edge::Edge;
pub(crate) use gauges::observe;

use crate::config::Config;
use crate::service::StartError;

/// Libraries whose everyday remarks nobody needs; the setting `telemetry.log` may ask for them again. Were those of
/// the exporter's own transport sent by the exporter, each sending would make more to send.
const QUIET: &str = "h2=warn,hyper=warn,hyper_util=warn,tonic=warn,tower=warn,sqlx=warn,sea_orm=warn,sea_orm_migration=warn,\
     async_nats=warn,opentelemetry=warn,opentelemetry_sdk=warn,opentelemetry_otlp=warn,rustls=warn";

/// What was installed; keep it, and shut it down last.
pub struct Telemetry {
    providers: Option<otlp::Providers>,
    metrics: Option<SdkMeterProvider>,
    scraped_at: Option<SocketAddr>,
}

/// Installs logging, and the exporters if an endpoint is configured, for the rest of the process. `service` is its name
/// for those who look. Must be called within a tokio runtime.
///
/// # Errors
/// If something is installed already, or the endpoint or the listener cannot be used.
pub fn install(config: &Config, service: &str) -> Result<Telemetry, StartError> {
    let settings = &config.telemetry;
    let filter = EnvFilter::try_new(format!("{QUIET},{}", settings.log));
    let filter = filter.map_err(|error| StartError::Other(format!("telemetry.log: {error}")))?;
    let resource = resource(config, service);
    let unusable = |error| StartError::Other(format!("telemetry.otlp_endpoint: {error}"));
    let mut metrics = SdkMeterProvider::builder().with_resource(resource.clone());
    let mut providers = None;
    if let Some(endpoint) = &settings.otlp_endpoint {
        providers = Some(otlp::Providers::new(endpoint, settings, &resource).map_err(unusable)?);
        let sent = otlp::metrics(endpoint, settings.metrics_interval).map_err(unusable)?;
        metrics = metrics.with_reader(sent);
    }
    let mut scrape = None;
    if let Some(address) = settings.prometheus {
        let (bound, reader) = scrape::Scrape::bind(address)?;
        scrape = Some(bound);
        metrics = metrics.with_reader(reader);
    }
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
    let scraped_at = scrape.as_ref().map(scrape::Scrape::address);
    let metrics = (providers.is_some() || scrape.is_some()).then(|| metrics.build());
    if let Some(metrics) = &metrics {
        // Instruments everywhere find it here. Set once, by the process and not by a system in it.
        global::set_meter_provider(metrics.clone());
    }
    if let Some(scrape) = scrape {
        tokio::spawn(scrape.serve());
    }
    Ok(Telemetry { providers, metrics, scraped_at })
}

/// What tells this process apart from others.
fn resource(config: &Config, service: &str) -> Resource {
    let instance = kernel::Ids::system().uuid().to_string();
    let attributes = [
        KeyValue::new("service.namespace", "osallisuus"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", instance),
        KeyValue::new("osallisuus.cell", config.cell.clone()),
    ];
    Resource::builder().with_service_name(service.to_owned()).with_attributes(attributes).build()
}

impl Telemetry {
    /// Where Prometheus finds the metrics; none if it is not to find them.
    #[must_use]
    pub fn scraped_at(&self) -> Option<SocketAddr> {
        self.scraped_at
    }

    /// Sends what is left, for three seconds at most (OBS-11). Blocks: not for use on a runtime's own thread.
    pub fn shut_down(self) {
        let Self { providers, metrics, .. } = self;
        // What cannot be sent now never will be; there is nobody left to tell.
        std::thread::scope(|threads| {
            if let Some(metrics) = &metrics {
                threads.spawn(|| metrics.shutdown_with_timeout(otlp::SEND));
            }
            if let Some(providers) = &providers {
                threads.spawn(|| providers.traces.shutdown_with_timeout(otlp::SEND));
                threads.spawn(|| providers.logs.shutdown_with_timeout(otlp::SEND));
            }
        });
    }
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry")
            .field("otlp", &self.providers.is_some())
            .field("scraped_at", &self.scraped_at)
            .finish_non_exhaustive()
    }
}
