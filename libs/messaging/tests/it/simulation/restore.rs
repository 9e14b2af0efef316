//! A database that comes back from a backup: nothing may be passed over in silence.

use std::time::Duration;

use messaging::broker::{Broker as _, Dedupe};
use messaging::store::Store as _;

use super::world::{Broken, World, paused};
use crate::measured::Measured;

const LANE: &str = "19";
const OTHER: &str = "21";

/// A world in which ten events went all the way in two lanes.
async fn settled() -> World {
    let mut world = World::new(1, Broken::Nothing);
    for lane in [LANE, OTHER] {
        for _ in 0..10 {
            world.source.append(lane, "a", 0);
        }
    }
    world.start_relay();
    world.start_projector();
    world.comes_right().await.unwrap();
    world
}

async fn until(condition: impl Fn() -> bool) {
    let right = tokio::time::timeout(Duration::from_secs(3_600), async {
        while !condition() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    right.await.expect("the condition did not hold within an hour of simulated time");
}

#[test]
fn a_log_older_than_the_stream_stops_its_lane_on_both_sides_and_no_other() {
    paused().block_on(async {
        let mut world = settled().await;
        world.crash_relays();
        world.source.restore(LANE, 6);
        world.start_relay();
        until(|| world.status.lanes()[LANE].stopped.is_some()).await;
        until(|| world.sink.inbox(LANE).cursor.stopped.is_some()).await;
        let reason = world.status.lanes()[LANE].stopped.clone().unwrap();
        assert!(reason.contains("beyond the end of the log"), "{reason}");
        for _ in 0..3 {
            world.source.append(OTHER, "a", 0);
        }
        until(|| world.sink.inbox(OTHER).applied.last() == Some(&13)).await;
        assert_eq!(world.status.lanes()[OTHER].stopped, None);
        // A stopped lane rests: it is looked at when all lanes are compared, every five minutes, and not all the time.
        let before = world.broker.comparisons();
        tokio::time::sleep(Duration::from_secs(600)).await;
        let asked = world.broker.comparisons() - before;
        assert!(asked < 20, "compared {asked} times in ten minutes");
    });
}

#[test]
fn a_forked_log_stops_its_lane_on_both_sides() {
    let measured = Measured::install();
    paused().block_on(async {
        let mut world = settled().await;
        world.crash_relays();
        world.source.restore(LANE, 6);
        for _ in 0..8 {
            world.source.append(LANE, "another", 0);
        }
        world.start_relay();
        until(|| world.status.lanes()[LANE].stopped.is_some()).await;
        let reason = world.status.lanes()[LANE].stopped.clone().unwrap();
        assert!(reason.contains("another event"), "{reason}");
        until(|| world.sink.inbox(LANE).cursor.stopped.is_some()).await;
        assert_eq!(world.sink.inbox(LANE).applied.last(), Some(&10));
        // Said once on each side, however often it is found.
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert_eq!(measured.count("relay_fork", "forums"), 1);
        assert_eq!(measured.count("projection_fork", "sink"), 1);
    });
}

#[test]
fn what_is_in_order_is_published_without_comparing_it() {
    paused().block_on(async {
        let world = settled().await;
        let before = world.broker.comparisons();
        for seq in 11..=60 {
            world.source.append(LANE, "a", 0);
            until(|| world.broker.stored(LANE).last().is_some_and(|event| event.seq == seq)).await;
        }
        let asked = world.broker.comparisons() - before;
        assert!(asked < 10, "compared {asked} times for 50 events");
        assert_eq!(world.broker.repeated(), 0, "events that the stream had");
    });
}

#[test]
fn what_the_stream_has_under_the_same_id_is_not_stored_twice() {
    paused().block_on(async {
        let world = settled().await;
        world.source.append(LANE, "a", 0);
        // Another relay of this service was quicker: a copy that has lost its lease and does not know it yet.
        let event = world.source.read(LANE, 11, 1).await.unwrap().remove(0);
        world.broker.publish(&event, Dedupe::ById).await.unwrap();
        world.source.append(LANE, "a", 0);
        until(|| world.broker.stored(LANE).last().is_some_and(|event| event.seq == 12)).await;
        assert!(world.broker.repeated() > 0, "the relay did not meet what was there");
        let stored: Vec<u64> = world.broker.stored(LANE).iter().map(|event| event.seq).collect();
        assert_eq!(stored, (1..=12).collect::<Vec<u64>>());
    });
}

#[test]
fn a_new_epoch_is_published_again_and_stops_only_readers_that_were_ahead() {
    paused().block_on(async {
        let mut world = settled().await;
        world.crash_relays();
        world.source.restore(LANE, 6);
        world.source.begin_epoch();
        for _ in 0..3 {
            world.source.append(LANE, "another", 0);
            world.source.append(OTHER, "a", 0);
        }
        world.start_relay();
        until(|| world.broker.stored(LANE).iter().filter(|event| event.epoch == 2).count() == 3).await;
        until(|| world.sink.inbox(LANE).cursor.stopped.is_some()).await;
        let reason = world.sink.inbox(LANE).cursor.stopped.unwrap();
        assert!(reason.contains("restored"), "{reason}");
        // The other lane lost nothing, so its chain goes on in the new epoch.
        until(|| world.sink.inbox(OTHER).applied.last() == Some(&13)).await;
        assert_eq!(world.status.lanes()[LANE].stopped, None);
    });
}
