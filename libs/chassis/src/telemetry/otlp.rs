//! Sending traces, metrics and logs by OTLP over gRPC, in batches, by threads of their own.

use std::time::Duration;

use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, MetricExporter, SpanExporter, WithExportConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

use crate::config::Telemetry;

/// How long one batch may take to be sent.
pub(super) const SEND: Duration = Duration::from_secs(3);

/// Providers of traces and logs.
pub(super) struct Providers {
    pub(super) traces: SdkTracerProvider,
    pub(super) logs: SdkLoggerProvider,
}

impl Providers {
    /// Providers that send to `endpoint`. Must be called within a tokio runtime, which the connection uses.
    pub(super) fn new(
        endpoint: &str,
        settings: &Telemetry,
        resource: &Resource,
    ) -> Result<Self, ExporterBuildError> {
        let spans =
            SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(SEND).build()?;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample)));
        let traces = SdkTracerProvider::builder()
            .with_batch_exporter(spans)
            .with_sampler(sampler)
            .with_resource(resource.clone())
            .build();
        let records =
            LogExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(SEND).build()?;
        let logs =
            SdkLoggerProvider::builder().with_batch_exporter(records).with_resource(resource.clone()).build();
        Ok(Self { traces, logs })
    }
}

/// Sends metrics to `endpoint`, again and again.
pub(super) fn metrics(
    endpoint: &str,
    every: Duration,
) -> Result<PeriodicReader<MetricExporter>, ExporterBuildError> {
    let points = MetricExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(SEND).build()?;
    Ok(PeriodicReader::builder(points).with_interval(every).build())
}
