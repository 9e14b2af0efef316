//! Several copies of a service on one PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use kernel::Fault;
use messaging::{DatabaseKind, Envelope, Leases, Tx, WriterSettings, database_fault};
use prost::Name as _;
use proto::messaging::Watermark;
use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement};

use crate::lanes::assert_sound;
use crate::support::{ENGINES, Note, PATIENCE, Place, World, insert_note};

#[tokio::test]
async fn two_copies_keep_the_lanes_dense_and_lose_no_update() {
    let place = Place::new(DatabaseKind::Postgres).await;
    let copies = [Arc::new(World::open(&place).await), Arc::new(World::open(&place).await)];
    copies[0]
        .writer
        .internal("counter", (), |tx, ()| async move { insert(tx, "0").await }.boxed())
        .await
        .unwrap();
    let tasks = (0..32).map(|task| {
        let world = Arc::clone(&copies[task % 2]);
        tokio::spawn(async move {
            for n in 0..10 {
                let id = format!("{task}-{n}");
                world.add(&id, Note::in_lane(&id, if n % 2 == 0 { "19" } else { "21" })).await.unwrap();
                world.writer.internal("count", (), |tx, ()| count_one(tx).boxed()).await.unwrap();
            }
        })
    });
    for task in futures::future::join_all(tasks).await {
        task.unwrap();
    }
    let world = &copies[0];
    assert_eq!(assert_sound(&world.database, "19").await.len(), 160);
    assert_eq!(assert_sound(&world.database, "21").await.len(), 160);
    assert_eq!(world.number("SELECT count(*) FROM note WHERE id = '320'").await, 1, "an update was lost");
}

#[tokio::test]
async fn copies_that_start_together_migrate_once() {
    let place = Place::new(DatabaseKind::Postgres).await;
    let copies = futures::future::join_all((0..4).map(|_| World::open(&place))).await;
    for (n, world) in copies.iter().enumerate() {
        world.add(&format!("key-{n}"), Note::new(n)).await.unwrap();
    }
    assert_eq!(assert_sound(&copies[0].database, "19").await.len(), 4);
}

#[tokio::test]
async fn a_lane_that_is_quiet_for_two_copies_is_marked_by_one() {
    let place = Place::new(DatabaseKind::Postgres).await;
    let quickly = |settings: &mut WriterSettings| settings.watermark_quiet = Duration::from_millis(100);
    let copies = [World::open_with(&place, quickly).await, World::open_with(&place, quickly).await];
    // Both have published in the lane, so both look after it.
    copies[0].add("a", Note::new("a")).await.unwrap();
    copies[1].add("b", Note::new("b")).await.unwrap();
    let is_marked = async || {
        let heads = messaging::log::heads(&copies[0].database).await.unwrap();
        heads[0].seq >= 3
    };
    testkit::eventually(PATIENCE, is_marked).await;
    // Each looks at its quiet lanes before it ends; what it publishes in another lane shows that it has.
    for (n, world) in copies.iter().enumerate() {
        world.add(&format!("other {n}"), Note::in_lane(format!("other {n}"), ["20", "21"][n])).await.unwrap();
    }
    testkit::eventually(PATIENCE, async || {
        let heads = messaging::log::heads(&copies[0].database).await.unwrap();
        heads[1..].iter().all(|head| head.seq == 2)
    })
    .await;
    let events = assert_sound(&copies[0].database, "19").await;
    let is_watermark = |event: &Envelope| event.event_type == Watermark::full_name();
    assert!(
        !events.windows(2).any(|pair| pair.iter().all(is_watermark)),
        "one marked what the other had marked"
    );
}

/// Reads a number and writes the next, as an aggregate is loaded and saved.
async fn count_one(tx: &Tx) -> Result<(), Fault> {
    let read = "SELECT id FROM note WHERE id NOT LIKE '%-%'";
    let row = tx.conn().query_one_raw(Statement::from_string(DatabaseBackend::Postgres, read)).await;
    let number: String = row.map_err(database_fault)?.unwrap().try_get_by_index(0).map_err(database_fault)?;
    let next = number.parse::<u32>().unwrap() + 1;
    let write = format!("UPDATE note SET id = '{next}' WHERE id NOT LIKE '%-%'");
    tx.conn().execute_unprepared(&write).await.map_err(database_fault)?;
    Ok(())
}

async fn insert(tx: &Tx, id: &str) -> Result<(), Fault> {
    insert_note(tx, id).await.map_err(database_fault)
}

#[tokio::test]
async fn a_lease_has_one_holder_and_its_term_rises_with_every_change() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        let one = Leases::new(world.writer.clone(), "one".to_owned());
        let two = Leases::new(world.writer.clone(), "two".to_owned());
        let now = crate::support::noon();
        let term = async |leases: &Leases| leases.hold("relay/19").await.unwrap().map(|lease| lease.term);
        assert_eq!(term(&one).await, Some(1));
        assert_eq!(term(&two).await, None);
        world.real.set(now + time::Duration::seconds(9)).unwrap();
        assert_eq!(term(&one).await, Some(1), "renewed");
        world.real.set(now + time::Duration::seconds(18)).unwrap();
        assert_eq!(term(&two).await, None, "renewed by the other");
        world.real.set(now + time::Duration::seconds(20)).unwrap();
        assert_eq!(term(&two).await, Some(2), "run out");
        assert_eq!(term(&one).await, None);
        two.give_back("relay/19").await.unwrap();
        assert_eq!(term(&one).await, Some(3), "given back");
        two.give_back("relay/19").await.unwrap();
        assert_eq!(term(&two).await, None, "nobody gives back what another holds");
        world.close().await;
    }
}
