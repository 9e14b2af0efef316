//! Sending traces, metrics and logs by OTLP over gRPC, in batches, by threads of their own.

use std::time::Duration;

use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, MetricExporter, SpanExporter, WithExportConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

use crate::config::Config;

/// How long one batch may take to be sent.
const SEND: Duration = Duration::from_secs(3);

/// The three providers.
pub(super) struct Providers {
    pub(super) traces: SdkTracerProvider,
    pub(super) metrics: SdkMeterProvider,
    pub(super) logs: SdkLoggerProvider,
}

impl Providers {
    /// Providers that send to `endpoint`. Must be called within a tokio runtime, which the connection uses.
    pub(super) fn new(endpoint: &str, config: &Config, service: &str) -> Result<Self, ExporterBuildError> {
        let instance = kernel::Ids::system().uuid().to_string();
        let resource = Resource::builder()
            .with_service_name(service.to_owned())
            .with_attributes([
                KeyValue::new("service.namespace", "osallisuus"),
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.instance.id", instance),
                KeyValue::new("osallisuus.cell", config.cell.clone()),
            ])
            .build();
        let spans =
            SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(SEND).build()?;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.telemetry.sample)));
        let traces = SdkTracerProvider::builder()
            .with_batch_exporter(spans)
            .with_sampler(sampler)
            .with_resource(resource.clone())
            .build();
        let points =
            MetricExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(SEND).build()?;
        let reader = PeriodicReader::builder(points).with_interval(config.telemetry.metrics_interval).build();
        let metrics = SdkMeterProvider::builder().with_reader(reader).with_resource(resource.clone()).build();
        let records =
            LogExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(SEND).build()?;
        let logs = SdkLoggerProvider::builder().with_batch_exporter(records).with_resource(resource).build();
        // Instruments everywhere find it here. Set once, by the process and not by a system in it.
        global::set_meter_provider(metrics.clone());
        Ok(Self { traces, metrics, logs })
    }

    /// Sends what is left. Blocks for some seconds at most.
    pub(super) fn shut_down(&self) {
        // What cannot be sent now never will be; there is nobody left to tell.
        let _ = self.traces.shutdown_with_timeout(SEND);
        let _ = self.metrics.shutdown_with_timeout(SEND);
        let _ = self.logs.shutdown_with_timeout(SEND);
    }
}
