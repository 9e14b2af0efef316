//! What operators see and do: traces that lead from a request to its effects, and several copies of a service.

use futures::FutureExt as _;
use messaging::{Command, Database, DatabaseKind, request_hash};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use proto::messaging::TypeCount;
use sea_orm::ConnectionTrait as _;
use testkit::eventually;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::bus::{PATIENCE, event, projection};
use crate::stories_of_the_bus::Bus;
use crate::support::Place;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn linked_to_request(span: &SpanData) -> bool {
    span.links.iter().any(|link| link.span_context.trace_id().to_string() == TRACE)
}

#[tokio::test]
async fn obs_01_publishing_and_projecting_are_linked_to_the_request() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    // Of the whole process: the writer has a thread of its own.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();

    let bus = Bus::start(DatabaseKind::Sqlite).await;
    let command = Command {
        principal: "tester".into(),
        key: "0123456789abcdef".into(),
        rpc: "AddNote",
        request_hash: request_hash(b"note"),
        deadline: None,
        traceparent: Some(format!("00-{TRACE}-00f067aa0ba902b7-01")),
        correlation_id: "act".into(),
        audit: None,
    };
    let act = bus.source.writer.run(&command, (), |tx, ()| {
        async move {
            tx.publish(event("19", "traced"));
            Ok(TypeCount::default())
        }
        .boxed()
    });
    act.await.unwrap();
    bus.source.write("19", "untraced", 3).await;
    bus.until_settled().await;

    let spans = exporter.get_finished_spans().unwrap();
    for name in ["publish", "process"] {
        let of_name: Vec<&SpanData> = spans.iter().filter(|span| span.name == name).collect();
        assert_eq!(of_name.len(), 1, "one event of four was traced: {of_name:?}");
        assert!(linked_to_request(of_name[0]), "{:?}", of_name[0]);
        assert_ne!(of_name[0].span_context.trace_id().to_string(), TRACE, "a link, not a parent");
    }
}

#[tokio::test]
async fn of_two_copies_one_projects_and_the_other_takes_over() {
    let mut bus = Bus::start(DatabaseKind::Postgres).await;
    bus.source.write("19", "a", 10).await;
    bus.until_settled().await;
    let mut copy = bus.sink.copy().await;
    copy.start(&bus.broker, vec![projection(&bus.antidote)], &bus.feed);
    bus.source.write("19", "a", 10).await;
    bus.until_settled().await;
    assert!(copy.pipeline().status().projections().is_empty(), "both copies project");

    bus.sink.stop().await;
    bus.source.write("19", "a", 10).await;
    copy.until_taken(&bus.source).await;
    copy.assert_projected(&bus.source).await;
    eventually(PATIENCE, async || copy.number("SELECT count(*) FROM lease WHERE term = 2").await == 2).await;
}

#[tokio::test]
async fn rel_16_a_postgresql_that_may_lose_what_it_acknowledged_is_refused() {
    let place = Place::new(DatabaseKind::Postgres).await;
    let open = async || Database::open(&place.url, "notes", Vec::new).await;
    open().await.expect("the defaults are safe").close().await.expect("closed");
    let connection = sea_orm::Database::connect(&place.url).await.unwrap();
    let name = place.url.rsplit('/').next().unwrap();
    let unsafely = format!("ALTER DATABASE \"{name}\" SET synchronous_commit = off");
    connection.execute_unprepared(&unsafely).await.unwrap();
    let refused = open().await.expect_err("unsafe").to_string();
    assert!(refused.contains("synchronous_commit is off"), "{refused}");
}
