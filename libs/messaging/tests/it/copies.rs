//! Several copies of a service on one PostgreSQL.

use std::sync::Arc;

use futures::FutureExt as _;
use kernel::Fault;
use messaging::{DatabaseKind, Leases, Tx, database_fault};
use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement};

use crate::lanes::assert_sound;
use crate::support::{ENGINES, Note, Place, World, insert_note};

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
