//! Names of the pipeline's metrics and spans, all in one place (OBS-01).
//!
//! Messaging has no settled OpenTelemetry names for NATS yet; a rename is a change of this file.

use std::fmt;

use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry::{KeyValue, global};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::store::ProjectionKey;

/// The instruments of relay and projectors.
#[derive(Clone)]
pub struct Metrics {
    unpublished: Gauge<u64>,
    oldest_age: Gauge<f64>,
    publish_seconds: Histogram<f64>,
    rewinds: Counter<u64>,
    relay_forks: Counter<u64>,
    lag: Gauge<u64>,
    process_seconds: Histogram<f64>,
    taken: Counter<u64>,
    duplicates: Counter<u64>,
    skipped: Counter<u64>,
    repaired: Counter<u64>,
    newly_parked: Counter<u64>,
    parked: Gauge<u64>,
    projection_forks: Counter<u64>,
    unreadable: Counter<u64>,
    recreated: Counter<u64>,
}

impl Metrics {
    /// Instruments of a meter.
    pub fn of(meter: &Meter) -> Self {
        Self {
            unpublished: meter.u64_gauge("outbox_unpublished").build(),
            oldest_age: meter.f64_gauge("outbox_oldest_age_seconds").with_unit("s").build(),
            publish_seconds: meter.f64_histogram("relay_publish_seconds").with_unit("s").build(),
            rewinds: meter.u64_counter("relay_rewind_events").build(),
            relay_forks: meter.u64_counter("relay_fork").build(),
            lag: meter.u64_gauge("projection_lag_events").build(),
            process_seconds: meter.f64_histogram("messaging.process.duration").with_unit("s").build(),
            taken: meter.u64_counter("projection_taken").build(),
            duplicates: meter.u64_counter("projection_duplicates").build(),
            skipped: meter.u64_counter("projection_skipped").build(),
            repaired: meter.u64_counter("projection_gap_repaired").build(),
            newly_parked: meter.u64_counter("projection_parked").build(),
            parked: meter.u64_gauge("parked_events").build(),
            projection_forks: meter.u64_counter("projection_fork").build(),
            unreadable: meter.u64_counter("projection_unreadable").build(),
            recreated: meter.u64_counter("consumer_recreated").build(),
        }
    }

    /// Instruments of the meter provider that chassis has installed; without one they do nothing.
    pub fn installed() -> Self {
        Self::of(&global::meter("osallisuus.messaging"))
    }

    pub(crate) fn outbox(&self, service: &str, lane: &str, unpublished: u64, oldest_seconds: f64) {
        let of = [KeyValue::new("service", service.to_owned()), KeyValue::new("lane", lane.to_owned())];
        self.unpublished.record(unpublished, &of);
        self.oldest_age.record(oldest_seconds, &of);
    }

    pub(crate) fn published(&self, service: &str, seconds: f64) {
        self.publish_seconds.record(seconds, &[KeyValue::new("service", service.to_owned())]);
    }

    pub(crate) fn rewound(&self, service: &str, events: u64) {
        self.rewinds.add(events, &[KeyValue::new("service", service.to_owned())]);
    }

    pub(crate) fn relay_forked(&self, service: &str) {
        self.relay_forks.add(1, &[KeyValue::new("service", service.to_owned())]);
    }

    pub(crate) fn lag(&self, projection: &ProjectionKey, lane: &str, events: u64) {
        let mut of = labels(projection).to_vec();
        of.push(KeyValue::new("lane", lane.to_owned()));
        self.lag.record(events, &of);
    }

    pub(crate) fn took(&self, projection: &ProjectionKey, taken: &crate::projector::Taken, seconds: f64) {
        let of = labels(projection);
        self.process_seconds.record(seconds, &of);
        self.taken.add(taken.taken, &of);
        self.duplicates.add(taken.duplicates, &of);
        self.skipped.add(taken.skipped, &of);
        self.newly_parked.add(taken.parked, &of);
    }

    pub(crate) fn parked(&self, projection: &ProjectionKey, events: u64) {
        self.parked.record(events, &labels(projection));
    }

    pub(crate) fn repaired(&self, projection: &ProjectionKey, events: u64) {
        self.repaired.add(events, &labels(projection));
    }

    pub(crate) fn projection_forked(&self, projection: &ProjectionKey) {
        self.projection_forks.add(1, &labels(projection));
    }

    pub(crate) fn unreadable(&self, projection: &ProjectionKey) {
        self.unreadable.add(1, &labels(projection));
    }

    pub(crate) fn consumer_recreated(&self, projection: &ProjectionKey) {
        self.recreated.add(1, &labels(projection));
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// The instruments of a writer.
#[derive(Clone)]
pub(crate) struct WriterMetrics {
    service: KeyValue,
    queue_depth: Gauge<u64>,
    batch_size: Histogram<u64>,
    batch_seconds: Histogram<f64>,
    lost: Counter<u64>,
    rejected: Counter<u64>,
}

impl WriterMetrics {
    /// Instruments of the meter provider that chassis has installed; without one they do nothing.
    pub(crate) fn installed(service: &'static str) -> Self {
        let meter = global::meter("osallisuus.messaging");
        Self {
            service: KeyValue::new("service", service),
            queue_depth: meter.u64_gauge("writer_queue_depth").build(),
            batch_size: meter.u64_histogram("writer_batch_size").build(),
            batch_seconds: meter.f64_histogram("writer_batch_seconds").with_unit("s").build(),
            lost: meter.u64_counter("writer_batches_lost").build(),
            rejected: meter.u64_counter("writer_rejected").build(),
        }
    }

    /// A batch was committed while so many acts waited.
    pub(crate) fn committed(&self, size: usize, seconds: f64, waiting: usize) {
        let of = std::slice::from_ref(&self.service);
        self.batch_size.record(size as u64, of);
        self.batch_seconds.record(seconds, of);
        self.queue_depth.record(waiting as u64, of);
    }

    /// A batch failed as a whole and is tried again.
    pub(crate) fn lost(&self) {
        self.lost.add(1, std::slice::from_ref(&self.service));
    }

    /// A command was not run, for example because of a full queue.
    pub(crate) fn rejected(&self, reason: &'static str) {
        self.rejected.add(1, &[self.service.clone(), KeyValue::new("reason", reason)]);
    }
}

fn labels(projection: &ProjectionKey) -> [KeyValue; 2] {
    [
        KeyValue::new("projection", projection.projection.clone()),
        KeyValue::new("source", projection.source.clone()),
    ]
}

/// Links a span to the request that caused an event. A link and not a parent: the request ended long ago, and a batch
/// has many of them. An event of an untraced request has no trace context and links to nothing.
pub(crate) fn link(span: &tracing::Span, traceparent: &str) {
    if let Some(context) = parse_traceparent(traceparent) {
        span.add_link(context);
    }
}

fn parse_traceparent(text: &str) -> Option<SpanContext> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version != "00" || parts.next().is_some() {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        flags,
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_becomes_a_link() {
        let context = parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(context.is_sampled() && context.is_remote());
    }

    #[test]
    fn anything_else_does_not() {
        for text in ["", "00-0-0-00", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "x"] {
            assert!(parse_traceparent(text).is_none(), "{text}");
        }
    }
}
