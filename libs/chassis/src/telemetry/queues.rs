//! Gauges that are read when metrics are sent, not told by those who change them.

use std::sync::Arc;

use opentelemetry::{KeyValue, global};

use crate::server::Units;

/// Observes the writers' queues of a process. The meter provider may outlive the system: it keeps nothing of it alive.
pub(crate) fn observe(units: &Units) {
    let units = Arc::downgrade(units);
    let meter = global::meter("osallisuus.chassis");
    let gauge = meter.u64_observable_gauge("writer_queue_depth");
    gauge
        .with_callback(move |observer| {
            let Some(units) = units.upgrade() else { return };
            for unit in units.values() {
                let depth = u64::try_from(unit.writer.queue_depth()).unwrap_or(u64::MAX);
                observer.observe(depth, &[KeyValue::new("service", unit.name)]);
            }
        })
        .build();
}
