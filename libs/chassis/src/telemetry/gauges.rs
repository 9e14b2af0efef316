//! What is read when metrics are asked for, not told by those who change it: the process, its runtime, and for every
//! service its queue, lanes, projections and connections.
//!
//! Lanes and projections are shown for every county from the start, as 0 where another copy of the service is at work:
//! so the greatest of all copies is how it is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use kernel::Clock;
use messaging::store::ProjectionKey;
use opentelemetry::metrics::{AsyncInstrument, Meter};
use opentelemetry::{KeyValue, global};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Handle;

use crate::config::Config;
use crate::running::Unit;
use crate::server::Units;
use crate::tls::Keeper;

use super::{backup, certificates};

/// Observes a process. The meter provider may outlive the system: it keeps nothing of it alive. Must be called within
/// the runtime that does the work.
pub(crate) fn observe(units: &Units, config: &Config, clock: &Arc<dyn Clock>, keeper: Option<&Arc<Keeper>>) {
    let meter = global::meter("osallisuus.chassis");
    let lanes: Arc<[String]> = config.tenants.iter().map(ToString::to_string).collect();
    services(&meter, units);
    outboxes(&meter, units, &lanes, clock);
    projections(&meter, units, &lanes);
    process(&meter);
    disk(&meter, config.data_dir.clone());
    backup::observe(&meter, config.data_dir.clone());
    certificates::observe(&meter, config, keeper);
    runtime(&meter, Handle::current());
}

/// Registers a gauge of whole numbers that asks each service.
fn each_service(
    meter: &Meter,
    units: &Units,
    name: &'static str,
    says: &'static str,
    ask: impl Fn(&Unit, &dyn AsyncInstrument<u64>) + Send + Sync + 'static,
) {
    let units = Arc::downgrade(units);
    let gauge = meter.u64_observable_gauge(name).with_description(says);
    gauge.with_callback(move |observer| each(&units, |unit| ask(unit, observer))).build();
}

fn each(units: &Weak<BTreeMap<&'static str, Arc<Unit>>>, ask: impl Fn(&Unit)) {
    let Some(units) = units.upgrade() else { return };
    units.values().for_each(|unit| ask(unit));
}

fn service(unit: &Unit) -> KeyValue {
    KeyValue::new("service", unit.name)
}

fn services(meter: &Meter, units: &Units) {
    each_service(meter, units, "service_ready", "1 if the service is ready.", |unit, observer| {
        observer.observe(u64::from(unit.is_ready()), &[service(unit)]);
    });
    each_service(meter, units, "nats_connected", "1 if NATS can be used.", |unit, observer| {
        observer.observe(u64::from(unit.broker.ready().is_ok()), &[service(unit)]);
    });
    let says = "Parts of the pipeline that do not work right now and try again.";
    each_service(meter, units, "pipeline_troubles", says, |unit, observer| {
        observer.observe(unit.pipeline.status().troubles().len() as u64, &[service(unit)]);
    });
    each_service(meter, units, "writer_queue_depth", "Commands that wait.", |unit, observer| {
        observer.observe(unit.writer.queue_depth() as u64, &[service(unit)]);
    });
    let says = "Connections of the read pool.";
    each_service(meter, units, "db.client.connection.count", says, |unit, observer| {
        let readers = unit.database.readers();
        let of = |state| [service(unit), KeyValue::new("db.client.connection.state", state)];
        observer.observe(readers.used.into(), &of("used"));
        observer.observe(readers.idle.into(), &of("idle"));
    });
    let says = "The most connections the read pool may have.";
    each_service(meter, units, "db.client.connection.max", says, |unit, observer| {
        observer.observe(unit.database.readers().most.into(), &[service(unit)]);
    });
}

fn outboxes(meter: &Meter, units: &Units, lanes: &Arc<[String]>, clock: &Arc<dyn Clock>) {
    let of = |unit: &Unit, lane: &String| [service(unit), KeyValue::new("lane", lane.clone())];
    let every = Arc::clone(lanes);
    let says = "Events in the log that are not in the stream.";
    each_service(meter, units, "outbox_unpublished", says, move |unit, observer| {
        let known = unit.pipeline.status().lanes();
        for lane in every.iter() {
            let waiting = known.get(lane).map_or(0, |lane| lane.head.saturating_sub(lane.published));
            observer.observe(waiting, &of(unit, lane));
        }
    });
    let every = Arc::clone(lanes);
    let says = "1 if the lane is not published until a person acts.";
    each_service(meter, units, "outbox_stopped", says, move |unit, observer| {
        let known = unit.pipeline.status().lanes();
        for lane in every.iter() {
            let is_stopped = known.get(lane).is_some_and(|lane| lane.stopped.is_some());
            observer.observe(u64::from(is_stopped), &of(unit, lane));
        }
    });
    let (every, clock, units) = (Arc::clone(lanes), Arc::clone(clock), Arc::downgrade(units));
    let gauge = meter.f64_observable_gauge("outbox_oldest_age").with_unit("s");
    let gauge = gauge.with_description("Age of the oldest event that is not in the stream.");
    let observe = move |unit: &Unit, observer: &dyn AsyncInstrument<f64>| {
        let (known, now) = (unit.pipeline.status().lanes(), clock.now().as_micros());
        for lane in every.iter() {
            let oldest = known.get(lane).and_then(|lane| lane.oldest_us).unwrap_or(now);
            let age = Duration::from_micros(now.saturating_sub(oldest).max(0).unsigned_abs());
            observer.observe(age.as_secs_f64(), &of(unit, lane));
        }
    };
    gauge.with_callback(move |observer| each(&units, |unit| observe(unit, observer))).build();
}

fn projections(meter: &Meter, units: &Units, lanes: &Arc<[String]>) {
    let of = |key: &ProjectionKey, lane: &str| {
        [
            KeyValue::new("service", key.service.clone()),
            KeyValue::new("projection", key.projection.clone()),
            KeyValue::new("source", key.source.clone()),
            KeyValue::new("lane", lane.to_owned()),
        ]
    };
    let places = |unit: &Unit, lanes: &[String]| {
        let pairs =
            unit.projections.iter().flat_map(|key| lanes.iter().map(|lane| (key.clone(), lane.clone())));
        pairs.collect::<Vec<_>>()
    };
    let every = Arc::clone(lanes);
    let says = "Events heard of that are not taken.";
    each_service(meter, units, "projection_lag_events", says, move |unit, observer| {
        let known = unit.pipeline.status().projections();
        for place in places(unit, &every) {
            let lag = known.get(&place).map_or(0, |lane| lane.target.saturating_sub(lane.seq));
            observer.observe(lag, &of(&place.0, &place.1));
        }
    });
    let every = Arc::clone(lanes);
    let says = "1 if the lane stands still until a person acts.";
    each_service(meter, units, "projection_stopped", says, move |unit, observer| {
        let known = unit.pipeline.status().projections();
        for place in places(unit, &every) {
            let is_stopped = known.get(&place).is_some_and(|lane| lane.stopped.is_some());
            observer.observe(u64::from(is_stopped), &of(&place.0, &place.1));
        }
    });
    let every = Arc::clone(lanes);
    let says = "1 while the lane is read again from its first event, as an operator asked.";
    each_service(meter, units, "projection_rebuilding", says, move |unit, observer| {
        let known = unit.pipeline.status().projections();
        for place in places(unit, &every) {
            let is_rebuilding = known.get(&place).is_some_and(|lane| lane.rebuild_to.is_some());
            observer.observe(u64::from(is_rebuilding), &of(&place.0, &place.1));
        }
    });
    let (every, units) = (Arc::clone(lanes), Arc::downgrade(units));
    let gauge = meter.f64_observable_gauge("projection_lag").with_unit("s");
    let gauge = gauge.with_description("For how long events have been heard of that are not taken.");
    let observe = move |unit: &Unit, observer: &dyn AsyncInstrument<f64>| {
        let known = unit.pipeline.status().projections();
        for place in places(unit, &every) {
            let since = known.get(&place).and_then(|lane| lane.behind_since);
            let seconds = since.map_or(0.0, |since| since.elapsed().as_secs_f64());
            observer.observe(seconds, &of(&place.0, &place.1));
        }
    };
    gauge.with_callback(move |observer| each(&units, |unit| observe(unit, observer))).build();
}

/// Of the process, by the names of the OpenTelemetry conventions.
fn process(meter: &Meter) {
    let began = clock_gettime(ClockId::Realtime).tv_sec;
    let gauge = meter.i64_observable_gauge("process_start_time").with_unit("s");
    let gauge = gauge.with_description("When the process started, in seconds since 1970.");
    gauge.with_callback(move |observer| observer.observe(began, &[])).build();
    let counter = meter.f64_observable_counter("process.cpu.time").with_unit("s");
    counter
        .with_callback(|observer| {
            let used = clock_gettime(ClockId::ProcessCPUTime);
            let used =
                Duration::new(used.tv_sec.unsigned_abs(), u32::try_from(used.tv_nsec).unwrap_or_default());
            observer.observe(used.as_secs_f64(), &[]);
        })
        .build();
    let gauge = meter.u64_observable_gauge("process.memory.usage").with_unit("By");
    gauge
        .with_callback(|observer| {
            if let Some(memory) = memory_stats::memory_stats() {
                observer.observe(memory.physical_mem as u64, &[]);
            }
        })
        .build();
    let gauge = meter.u64_observable_gauge("process.unix.file_descriptor.count");
    gauge
        .with_callback(|observer| {
            if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
                observer.observe(open.count() as u64, &[]);
            }
        })
        .build();
    let gauge = meter.u64_observable_gauge("process.unix.file_descriptor.limit");
    gauge
        .with_callback(|observer| {
            let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
            observer.observe(limit.current.unwrap_or(u64::MAX), &[]);
        })
        .build();
}

/// Of the disk under the data folder.
fn disk(meter: &Meter, folder: PathBuf) {
    let other = folder.clone();
    let gauge = meter.u64_observable_gauge("data_dir_free").with_unit("By");
    gauge
        .with_callback(move |observer| {
            if let Ok(disk) = rustix::fs::statvfs(&folder) {
                observer.observe(disk.f_bavail.saturating_mul(disk.f_frsize), &[]);
            }
        })
        .build();
    let gauge = meter.u64_observable_gauge("data_dir_size").with_unit("By");
    gauge
        .with_callback(move |observer| {
            if let Ok(disk) = rustix::fs::statvfs(&other) {
                observer.observe(disk.f_blocks.saturating_mul(disk.f_frsize), &[]);
            }
        })
        .build();
}

/// Of the tokio runtime.
fn runtime(meter: &Meter, handle: Handle) {
    let runtime = handle.clone();
    let gauge = meter.u64_observable_gauge("tokio_alive_tasks");
    gauge
        .with_callback(move |observer| observer.observe(runtime.metrics().num_alive_tasks() as u64, &[]))
        .build();
    let runtime = handle.clone();
    let gauge = meter.u64_observable_gauge("tokio_global_queue_depth");
    gauge
        .with_callback(move |observer| observer.observe(runtime.metrics().global_queue_depth() as u64, &[]))
        .build();
    let counter = meter.f64_observable_counter("tokio_worker_busy").with_unit("s");
    counter
        .with_callback(move |observer| {
            let metrics = handle.metrics();
            for worker in 0..metrics.num_workers() {
                let busy = metrics.worker_total_busy_duration(worker).as_secs_f64();
                observer.observe(busy, &[KeyValue::new("worker", i64::try_from(worker).unwrap_or_default())]);
            }
        })
        .build();
}
