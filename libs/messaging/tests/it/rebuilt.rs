//! Reading a projection again in its place.

use futures::FutureExt as _;
use messaging::store::{Lanes, Rebuilding};
use messaging::{DatabaseKind, HandlerError, Projection};
use sea_orm::ConnectionTrait as _;

use crate::bus::{SINK, SOURCE, Service};
use crate::stories_of_the_bus::Bus;
use crate::support::ENGINES;

/// A row for each event, however often it comes; things called "poison" always fail. Rows beyond 1,000 are swept out.
pub(crate) fn tolerant() -> Projection {
    let projection = Projection::new(SINK, SOURCE, |tx, received| {
        async move {
            let envelope = &received.envelope;
            if envelope.aggregate_id == "poison" {
                return Err(HandlerError::Permanent("poison".into()));
            }
            let insert = format!(
                "INSERT INTO applied (lane, seq) VALUES ('{}', {}) ON CONFLICT DO NOTHING",
                envelope.lane, envelope.seq
            );
            tx.conn().execute_unprepared(&insert).await?;
            Ok(())
        }
        .boxed()
    });
    projection.sweeping(|tx, swept| {
        async move {
            assert_eq!(swept.generation, 1);
            let sweep = format!("DELETE FROM applied WHERE lane = '{}' AND seq > 1000", swept.lane);
            tx.conn().execute_unprepared(&sweep).await?;
            Ok(())
        }
        .boxed()
    })
}

/// Waits until lane 19 was read again and has come to `target`.
pub(crate) async fn until_rebuilt(sink: &Service, target: u64) {
    sink.until("the lane is rebuilt", |pipeline| {
        let lanes = pipeline.status().projections();
        let mut lanes = lanes.iter().filter(|((_, lane), _)| lane == "19");
        lanes.any(|(_, at)| at.rebuild_to.is_none() && at.seq >= target)
    })
    .await;
}

#[tokio::test]
async fn rel_44_a_rebuild_outlives_a_restart_sweeps_and_leaves_what_was_given_up() {
    for engine in ENGINES {
        let mut bus = Bus::start(engine).await;
        bus.sink.stop().await;
        bus.sink.start(&bus.broker, vec![tolerant()], &bus.feed);
        bus.source.write("19", "a", 3).await;
        bus.source.write("19", "poison", 2).await;
        bus.source.write("19", "a", 300).await;
        bus.source.write("21", "b", 5).await;
        bus.until_settled().await;
        bus.sink.pipeline().store().dismiss(SINK, "19", 4, "given up by the test").await.unwrap();
        bus.sink.write_sql("INSERT INTO applied (lane, seq) VALUES ('19', 5000), ('21', 5000)").await;
        bus.sink.write_sql("DELETE FROM applied WHERE lane = '19' AND seq = 2").await;

        let rebuilding = bus.sink.pipeline().rebuild(SINK, Lanes::One("19")).await.unwrap();
        assert_eq!(rebuilding, [Rebuilding { lane: "19".into(), target: 305 }]);
        bus.sink.stop().await;
        bus.sink.start(&bus.broker, vec![tolerant()], &bus.feed);
        until_rebuilt(&bus.sink, 305).await;
        let number = async |question: &str| bus.sink.number(question).await;
        assert_eq!(number("SELECT count(*) FROM applied WHERE lane = '19'").await, 303, "all, and no more");
        assert_eq!(number("SELECT count(*) FROM applied WHERE lane = '21'").await, 6, "another lane is left");
        assert_eq!(
            number("SELECT count(*) FROM parked_event WHERE state = 'dismissed' AND seq = 4").await,
            1
        );
        assert_eq!(
            number("SELECT count(*) FROM parked_event WHERE state = 'parked'").await,
            1,
            "and 5 waits"
        );
        bus.source.write("19", "a", 2).await;
        bus.until_settled().await;
        assert_eq!(number("SELECT count(*) FROM applied WHERE lane = '19'").await, 305);
    }
}

#[tokio::test]
async fn a_rebuild_of_what_is_not_there_or_without_its_source_is_refused_and_lanes_that_run_are_left() {
    let bus = Bus::start(DatabaseKind::Sqlite).await;
    bus.source.write("19", "a", 3).await;
    bus.until_settled().await;
    let pipeline = bus.sink.pipeline();
    let refused =
        async |projection, lanes| pipeline.rebuild(projection, lanes).await.unwrap_err().code().to_owned();
    assert_eq!(refused("other", Lanes::All).await, "messaging.projection_unknown");
    assert_eq!(refused(SINK, Lanes::One("17")).await, "messaging.lane_unknown");
    assert_eq!(pipeline.rebuild(SINK, Lanes::Stopped).await.unwrap(), []);
    bus.feed.away.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(refused(SINK, Lanes::All).await, "messaging.source_away");
    bus.sink.assert_projected(&bus.source).await;
}
