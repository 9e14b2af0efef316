//! Names of the pipeline's metrics and spans, all in one place (OBS-01).
//!
//! Messaging has no settled OpenTelemetry names for NATS yet; a rename is a change of this file. A name carries no unit:
//! Prometheus shows `relay_publish` in seconds as `relay_publish_seconds`, and a counter with `_total`. What is read when
//! somebody looks, such as how much waits to be published, is [`Status`](crate::status::Status)'s and observed by chassis.

use std::fmt;
use std::time::Duration;

use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry::{KeyValue, global};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::store::ProjectionKey;

/// Bounds of buckets of work that takes milliseconds, in seconds.
const WORK: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
/// Bounds of the time from an event to its projection, in seconds: 2 s and 60 s are what is promised.
const DELAY: [f64; 10] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 10.0, 60.0, 600.0];
/// Bounds of the number of commands in a batch.
const SIZE: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

/// Why a command was not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotRun {
    QueueFull,
    DatabaseAway,
    DeadlinePassed,
}

impl NotRun {
    const ALL: [Self; 3] = [Self::QueueFull, Self::DatabaseAway, Self::DeadlinePassed];

    fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::DatabaseAway => "database_away",
            Self::DeadlinePassed => "deadline_passed",
        }
    }
}

/// Personal data was erased because its time was over (TIHA-12): says what kind and how much, in the log and as a
/// metric, and never whose.
pub fn erased(service: &'static str, what: &'static str, rows: u64) {
    if rows == 0 {
        return;
    }
    tracing::info!(service, what, rows, "erased, because the time for which it is kept is over");
    let counter = global::meter("osallisuus.messaging").u64_counter("retention_erased_rows").build();
    counter.add(rows, &[KeyValue::new("service", service), KeyValue::new("what", what)]);
}

/// The instruments of relay and projectors.
#[derive(Clone)]
pub struct Metrics {
    publish_seconds: Histogram<f64>,
    rewinds: Counter<u64>,
    relay_forks: Counter<u64>,
    process_seconds: Histogram<f64>,
    delay: Histogram<f64>,
    taken: Counter<u64>,
    duplicates: Counter<u64>,
    skipped: Counter<u64>,
    repaired: Counter<u64>,
    newly_parked: Counter<u64>,
    parked: Gauge<u64>,
    projection_forks: Counter<u64>,
    unreadable: Counter<u64>,
    recreated: Counter<u64>,
    idle_in_tx: Gauge<u64>,
}

impl Metrics {
    /// Instruments of a meter.
    pub fn of(meter: &Meter) -> Self {
        Self {
            publish_seconds: seconds(meter, "relay_publish", &WORK),
            rewinds: meter.u64_counter("relay_rewind_events").build(),
            relay_forks: meter.u64_counter("relay_fork").build(),
            process_seconds: seconds(meter, "messaging.process.duration", &WORK),
            delay: seconds(meter, "projection_delay", &DELAY),
            taken: meter.u64_counter("projection_taken").build(),
            duplicates: meter.u64_counter("projection_duplicates").build(),
            skipped: meter.u64_counter("projection_skipped").build(),
            repaired: meter.u64_counter("projection_gap_repaired").build(),
            newly_parked: meter.u64_counter("projection_parked").build(),
            parked: meter.u64_gauge("parked_events").build(),
            projection_forks: meter.u64_counter("projection_fork").build(),
            unreadable: meter.u64_counter("projection_unreadable").build(),
            recreated: meter.u64_counter("consumer_recreated").build(),
            idle_in_tx: meter.u64_gauge("db_idle_in_tx").build(),
        }
    }

    /// Shows every counter of a service's pipeline as 0: an alert on a counter that is not there never fires.
    pub(crate) fn begin(&self, service: &str, projections: &[ProjectionKey]) {
        let of = [KeyValue::new("service", service.to_owned())];
        self.rewinds.add(0, &of);
        self.relay_forks.add(0, &of);
        let by_projection = [
            &self.taken,
            &self.duplicates,
            &self.skipped,
            &self.repaired,
            &self.newly_parked,
            &self.projection_forks,
            &self.unreadable,
            &self.recreated,
        ];
        for projection in projections {
            let of = labels(projection);
            by_projection.into_iter().for_each(|counter| counter.add(0, &of));
        }
    }

    /// Instruments of the meter provider that chassis has installed; without one they do nothing.
    pub fn installed() -> Self {
        Self::of(&global::meter("osallisuus.messaging"))
    }

    /// Events were stored together, in so long: each of them took that long.
    pub(crate) fn published(&self, service: &str, events: usize, took: Duration) {
        for _ in 0..events {
            self.publish_seconds.record(took.as_secs_f64(), &[KeyValue::new("service", service.to_owned())]);
        }
    }

    pub(crate) fn rewound(&self, service: &str, events: u64) {
        self.rewinds.add(events, &[KeyValue::new("service", service.to_owned())]);
    }

    pub(crate) fn relay_forked(&self, service: &str) {
        self.relay_forks.add(1, &[KeyValue::new("service", service.to_owned())]);
    }

    pub(crate) fn took(&self, projection: &ProjectionKey, taken: &crate::projector::Taken, seconds: f64) {
        let of = labels(projection);
        self.process_seconds.record(seconds, &of);
        self.taken.add(taken.taken, &of);
        self.duplicates.add(taken.duplicates, &of);
        self.skipped.add(taken.skipped, &of);
        self.newly_parked.add(taken.parked, &of);
    }

    /// How long after it happened an event of a lane was taken.
    pub(crate) fn delayed(&self, projection: &ProjectionKey, lane: &str, seconds: f64) {
        let [service, name, source] = labels(projection);
        self.delay.record(seconds, &[service, name, source, KeyValue::new("lane", lane.to_owned())]);
    }

    /// Sessions of the service that have a transaction open and do nothing (REL-14).
    pub(crate) fn idle_in_transaction(&self, service: &str, sessions: u64) {
        self.idle_in_tx.record(sessions, &[KeyValue::new("service", service.to_owned())]);
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
    batch_size: Histogram<u64>,
    batch_seconds: Histogram<f64>,
    lost: Counter<u64>,
    rejected: Counter<u64>,
}

impl WriterMetrics {
    /// Instruments of the meter provider that chassis has installed; without one they do nothing.
    pub(crate) fn installed(service: &'static str) -> Self {
        let meter = global::meter("osallisuus.messaging");
        let metrics = Self {
            service: KeyValue::new("service", service),
            batch_size: meter.u64_histogram("writer_batch_size").with_boundaries(SIZE.to_vec()).build(),
            batch_seconds: seconds(&meter, "writer_batch", &WORK),
            lost: meter.u64_counter("writer_batches_lost").build(),
            rejected: meter.u64_counter("writer_rejected").build(),
        };
        metrics.lost.add(0, std::slice::from_ref(&metrics.service));
        NotRun::ALL.into_iter().for_each(|reason| metrics.count(0, reason));
        metrics
    }

    /// A batch was committed.
    pub(crate) fn committed(&self, size: usize, seconds: f64) {
        let of = std::slice::from_ref(&self.service);
        self.batch_size.record(size as u64, of);
        self.batch_seconds.record(seconds, of);
    }

    /// A batch failed as a whole and is tried again.
    pub(crate) fn lost(&self) {
        self.lost.add(1, std::slice::from_ref(&self.service));
    }

    /// A command was not run.
    pub(crate) fn rejected(&self, reason: NotRun) {
        self.count(1, reason);
    }

    fn count(&self, commands: u64, reason: NotRun) {
        self.rejected.add(commands, &[self.service.clone(), KeyValue::new("reason", reason.name())]);
    }
}

fn seconds(meter: &Meter, name: &'static str, bounds: &[f64]) -> Histogram<f64> {
    meter.f64_histogram(name).with_unit("s").with_boundaries(bounds.to_vec()).build()
}

fn labels(projection: &ProjectionKey) -> [KeyValue; 3] {
    [
        KeyValue::new("service", projection.service.clone()),
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
