//! What the pipeline and the writer measure is what happened: an alert is as good as its metric.

use futures::FutureExt as _;
use messaging::DatabaseKind;
use messaging::broker::{Broker as _, Dedupe};
use messaging::log;
use messaging::store::Lanes;
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

use crate::bus::SINK;
use crate::rebuilt::{tolerant, until_rebuilt};
use crate::stories_of_the_bus::Bus;
use crate::support::{Note, Place, World, add_note, command};

/// The metrics of this process. A test is a process of its own.
pub(crate) struct Measured {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

impl Measured {
    pub(crate) fn install() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(exporter.clone()).build();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        global::set_meter_provider(provider.clone());
        Self { provider, exporter }
    }

    /// What a counter of a service has counted, or how many values a histogram has.
    pub(crate) fn count(&self, name: &str, service: &str) -> u64 {
        self.exporter.reset();
        self.provider.force_flush().unwrap();
        let all = self.exporter.get_finished_metrics().unwrap();
        let metrics =
            all.iter().flat_map(|resource| resource.scope_metrics()).flat_map(|scope| scope.metrics());
        let metric = metrics.into_iter().find(|metric| metric.name() == name);
        match metric.map(|metric| metric.data()) {
            Some(AggregatedMetrics::U64(MetricData::Sum(sum))) => {
                let points = sum.data_points().filter(|point| is_of(point.attributes(), service));
                points.map(|point| point.value()).sum()
            }
            Some(AggregatedMetrics::U64(MetricData::Histogram(histogram))) => {
                let points = histogram.data_points().filter(|point| is_of(point.attributes(), service));
                points.map(|point| point.count()).sum()
            }
            Some(AggregatedMetrics::F64(MetricData::Histogram(histogram))) => {
                let points = histogram.data_points().filter(|point| is_of(point.attributes(), service));
                points.map(|point| point.count()).sum()
            }
            other => panic!("{name} is not a counter or a histogram: {other:?}"),
        }
    }
}

fn is_of<'a>(mut attributes: impl Iterator<Item = &'a KeyValue>, service: &str) -> bool {
    attributes.any(|label| label.key.as_str() == "service" && label.value.as_str() == service)
}

#[tokio::test]
async fn a_projection_counts_what_it_does_and_times_what_somebody_waits_for() {
    let measured = Measured::install();
    let mut bus = Bus::start(DatabaseKind::Sqlite).await;
    bus.sink.stop().await;
    bus.sink.start(&bus.broker, vec![tolerant()], &bus.feed);
    bus.source.write("19", "a", 6).await;
    bus.source.write("19", "poison", 2).await;
    bus.source.write("19", "a", 2).await;
    bus.until_settled().await;
    let of_sink = |name: &str| measured.count(name, SINK);
    assert_eq!(measured.count("relay_publish", "notes"), 10);
    assert_eq!(measured.count("relay_rewind_events", "notes"), 0);
    assert_eq!(of_sink("projection_taken"), 10);
    assert_eq!(of_sink("projection_delay"), 10);
    assert_eq!(of_sink("projection_parked"), 2);
    assert_eq!((of_sink("projection_skipped"), of_sink("projection_duplicates")), (0, 0));

    // Twice the same.
    let events = log::events(&bus.source.database, "19", 1, 3).await.unwrap();
    for event in &events {
        bus.broker.publish(event, Dedupe::Off).await.unwrap();
    }
    bus.source.write("19", "a", 1).await;
    bus.until_settled().await;
    assert_eq!((of_sink("projection_taken"), of_sink("projection_duplicates")), (11, 3));

    // Read again: an event that was given up is passed over, and nobody waits for any of them.
    bus.sink.pipeline().store().dismiss(SINK, "19", 7, "given up by the test").await.unwrap();
    bus.sink.pipeline().rebuild(SINK, Lanes::One("19")).await.unwrap();
    bus.sink.stop().await;
    bus.sink.start(&bus.broker, vec![tolerant()], &bus.feed);
    until_rebuilt(&bus.sink, 11).await;
    assert_eq!((of_sink("projection_taken"), of_sink("projection_delay")), (22, 11));
    assert_eq!(of_sink("projection_skipped"), 1);
    assert_eq!(of_sink("projection_fork"), 0);
}

#[tokio::test]
async fn a_writer_counts_its_batches_and_what_it_does_not_run() {
    let measured = Measured::install();
    let world = World::open(&Place::new(DatabaseKind::Sqlite).await).await;
    world.add("command-1", Note::new(1)).await.unwrap();
    world.add("command-2", Note::new(2)).await.unwrap();
    let mut late = command("command-3", "3");
    late.deadline = Some(std::time::Instant::now());
    world.writer.run(&late, Note::new(3), |tx, note| add_note(tx, note).boxed()).await.unwrap_err();
    let count = |name: &str| measured.count(name, "notes");
    assert_eq!((count("writer_batch_size"), count("writer_batch")), (2, 2), "one after the other");
    assert_eq!((count("writer_rejected"), count("writer_batches_lost")), (1, 0));
}
