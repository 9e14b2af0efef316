//! The log: dense, linked, complete, with watermarks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use messaging::envelope::{NO_HASH, is_intact};
use messaging::{Database, Envelope, log};
use prost::{Message as _, Name as _};
use proto::messaging::{TypeCount, Watermark};

use crate::support::{ENGINES, Note, PATIENCE, Place, World};

/// All events of a lane, page by page.
async fn lane(database: &Database, lane: &str) -> Vec<Envelope> {
    let mut events: Vec<Envelope> = Vec::new();
    loop {
        let page = log::events(database, lane, events.len() as u64 + 1, 100).await.unwrap();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

/// What a reader checks: no gap, no fork, nothing changed.
pub(crate) async fn assert_sound(database: &Database, name: &str) -> Vec<Envelope> {
    let events = lane(database, name).await;
    let mut last = NO_HASH.to_vec();
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.seq, index as u64 + 1, "lane {name} is not dense");
        assert_eq!(event.prev_hash, last, "lane {name} is not linked at {}", event.seq);
        assert!(is_intact(event), "event {} of lane {name} does not have its hash", event.seq);
        last.clone_from(&event.hash);
    }
    let heads = log::heads(database).await.unwrap();
    let head = heads.into_iter().find(|head| head.lane == name).expect("the lane has a head");
    assert_eq!((head.seq, head.hash), (events.len() as u64, last));
    events
}

#[tokio::test]
async fn lanes_are_dense_and_linked_under_sixty_four_writers() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let world = Arc::new(World::open(&place).await);
        let writers = (0..64).map(|writer| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                for n in 0..10 {
                    let id = format!("{writer}-{n}");
                    let name = if (writer + n) % 3 == 0 { "21" } else { "19" };
                    world.add(&id, Note::in_lane(&id, name)).await.unwrap();
                }
            })
        });
        for writer in futures::future::join_all(writers).await {
            writer.unwrap();
        }
        let events =
            [assert_sound(&world.database, "19").await, assert_sound(&world.database, "21").await].concat();
        assert_eq!(events.len(), 640);
        let mut ids: Vec<&str> = events.iter().map(|event| event.aggregate_id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 640, "an event is there twice");
    }
}

#[tokio::test]
async fn an_event_tells_what_it_is_and_what_caused_it() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        world.add("secret key", Note::new("a")).await.unwrap();
        let event = assert_sound(&world.database, "19").await.remove(0);
        assert_eq!((event.service.as_str(), event.epoch, event.schema_version), ("notes", 1, 1));
        assert_eq!(event.event_type, TypeCount::full_name());
        assert_eq!((event.aggregate_type.as_str(), event.aggregate_id.as_str()), ("note", "a"));
        assert_eq!(event.occurred_at_us, crate::support::noon().as_micros());
        assert_eq!(event.correlation_id, "act-secret key");
        assert!(!event.causation_id.contains("secret") && event.causation_id.len() == 32);
        assert_eq!(TypeCount::decode(event.payload.as_slice()).unwrap().event_type, "a");
        world.close().await;
    }
}

#[tokio::test]
async fn a_lane_gets_a_watermark_after_so_many_events() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let world = Arc::new(World::open_with(&place, |settings| settings.watermark_events = 10).await);
        for round in 0..3 {
            // One batch with many events, and some alone: counting must not depend on how they were grouped.
            let gate = world.hold().await;
            let together = (0..25).map(|n| {
                let world = Arc::clone(&world);
                let id = format!("{round}-{n}");
                tokio::spawn(async move { world.add(&id, Note::new(&id)).await.unwrap() })
            });
            let together: Vec<_> = together.collect();
            world.queued(25).await;
            gate.open();
            futures::future::join_all(together).await;
            for n in 0..4 {
                let id = format!("{round}-alone-{n}");
                world.add(&id, Note::new(&id)).await.unwrap();
            }
        }
        let events = assert_sound(&world.database, "19").await;
        assert_watermarks_true(&events);
        let watermarks = events.iter().filter(|event| event.event_type == Watermark::full_name()).count();
        assert_eq!(watermarks, 3 * 29 / 10);
    }
}

#[tokio::test]
async fn a_quiet_lane_gets_one_watermark_and_no_more() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let quickly =
            |settings: &mut messaging::WriterSettings| settings.watermark_quiet = Duration::from_millis(100);
        let world = World::open(&place).await;
        world.add("a", Note::new("a")).await.unwrap();
        world.close().await;
        // The lane went quiet while nobody was watching.
        let world = World::open_with(&place, quickly).await;
        let length = async || world.number("SELECT max(seq) FROM event_log").await;
        testkit::eventually(PATIENCE, async || length().await == 2).await;
        world.add("b", Note::new("b")).await.unwrap();
        testkit::eventually(PATIENCE, async || length().await == 4).await;
        // Another lane's watermark shows that housekeeping has passed by again.
        world.add("c", Note::in_lane("c", "21")).await.unwrap();
        testkit::eventually(PATIENCE, async || {
            world.number("SELECT count(*) FROM event_log WHERE lane = '21'").await == 2
        })
        .await;
        let events = assert_sound(&world.database, "19").await;
        assert_eq!(events.len(), 4);
        assert_watermarks_true(&events);
        world.close().await;
    }
}

/// Every watermark says the truth about the events before it.
fn assert_watermarks_true(events: &[Envelope]) {
    let mut counts: HashMap<String, u64> = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        if event.event_type == Watermark::full_name() {
            let watermark = Watermark::decode(event.payload.as_slice()).unwrap();
            let told: HashMap<String, u64> =
                watermark.counts.into_iter().map(|count| (count.event_type, count.count)).collect();
            assert_eq!(told, counts, "watermark at {}", event.seq);
            assert_eq!((watermark.seq, watermark.hash), (event.seq - 1, events[index - 1].hash.clone()));
        }
        *counts.entry(event.event_type.clone()).or_default() += 1;
    }
}
