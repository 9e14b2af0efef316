//! What shares a transaction, and where a batch ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::Fault;
use messaging::{DatabaseKind, Origin, RETRY_CODE, Tx, WriterSettings, database_fault};
use proto::messaging::TypeCount;
use sea_orm::{ConnectOptions, ConnectionTrait as _};
use tokio::task::JoinHandle;

use crate::measured::Measured;
use crate::support::{ENGINES, Note, Place, World, add_note, command, insert_note, refuse};

/// An act of the machinery, which leaves no row but its own.
type Act = for<'a> fn(&'a Tx, &'a &'static str) -> BoxFuture<'a, Result<(), Fault>>;

fn inserts<'a>(tx: &'a Tx, id: &'a &'static str) -> BoxFuture<'a, Result<(), Fault>> {
    async move { insert_note(tx, id).await.map_err(database_fault) }.boxed()
}

/// Whether the note was there already is all the same to it.
fn inserts_if_missing<'a>(tx: &'a Tx, id: &'a &'static str) -> BoxFuture<'a, Result<(), Fault>> {
    async move {
        let _ = insert_note(tx, id).await;
        Ok(())
    }
    .boxed()
}

/// As many parts, each of which may fail by itself, as a batch on PostgreSQL takes.
fn tries_often<'a>(tx: &'a Tx, _: &'a &'static str) -> BoxFuture<'a, Result<(), Fault>> {
    async move {
        for _ in 0..48 {
            let part = tx.attempt(Origin::default(), |_| async { Ok::<(), Fault>(()) }.boxed());
            part.await.map_err(database_fault)?;
        }
        Ok(())
    }
    .boxed()
}

fn spawn(world: &World, act: Act, id: &'static str) -> JoinHandle<Result<(), Fault>> {
    let writer = world.writer.clone();
    tokio::spawn(async move { writer.internal("test", id, act).await })
}

/// Runs acts that have waited for the writer at the same time, and says which of them succeeded.
async fn together(world: &World, acts: &[(Act, &'static str)]) -> Vec<bool> {
    let gate = world.hold().await;
    let mut running = Vec::new();
    for (act, id) in acts {
        running.push(spawn(world, *act, id));
        world.queued(running.len()).await;
    }
    gate.open();
    futures::future::join_all(running).await.into_iter().map(|one| one.unwrap().is_ok()).collect()
}

#[tokio::test]
async fn an_error_that_an_act_passes_over_costs_its_neighbours_nothing() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        assert_eq!(together(&world, &[(inserts, "there")]).await, [true]);
        // PostgreSQL gives up the act that has met an error, though it says nothing. Of both in one transaction it would
        // give up both, and answer their COMMIT with success.
        let succeeds = engine == DatabaseKind::Sqlite;
        let acts: [(Act, _); 2] = [(inserts, "before"), (inserts_if_missing, "there")];
        assert_eq!(together(&world, &acts).await, [true, succeeds]);
        assert_eq!(world.number("SELECT count(*) FROM note").await, 2);
        world.close().await;
    }
}

fn publishes<'a>(tx: &'a Tx, id: &'a &'static str) -> BoxFuture<'a, Result<(), Fault>> {
    async move { add_note(tx, &Note::new(id)).await.map(drop) }.boxed()
}

/// A command that stores its answer and publishes nothing.
fn answers<'a>(_: &'a Tx, (): &'a ()) -> BoxFuture<'a, Result<TypeCount, Fault>> {
    async { Ok(TypeCount { event_type: "an answer".to_owned(), count: 1 }) }.boxed()
}

/// Batches that three acts need which have waited together; they answer and publish.
async fn batches_of_three(measured: &Measured, change: impl FnOnce(&mut WriterSettings)) -> u64 {
    let world = Arc::new(World::open_with(&Place::new(DatabaseKind::Sqlite).await, change).await);
    let before = measured.count("writer_batch", "notes");
    let gate = world.hold().await;
    let mut adding = Vec::new();
    for id in 0..3 {
        let world = Arc::clone(&world);
        adding.push(tokio::spawn(async move { world.add(&format!("key-{id}"), Note::new(id)).await }));
    }
    world.queued(3).await;
    gate.open();
    for one in adding {
        one.await.unwrap().unwrap();
    }
    // The writer counts a batch before it answers; one of them was the gate's.
    measured.count("writer_batch", "notes") - before - 1
}

#[tokio::test]
async fn a_batch_ends_where_its_bytes_its_time_or_its_number_are_enough() {
    let measured = Measured::install();
    // A counter exists once it has counted.
    World::open(&Place::new(DatabaseKind::Sqlite).await).await.writer.probe().await.unwrap();
    assert_eq!(batches_of_three(&measured, |_| {}).await, 1);
    assert_eq!(batches_of_three(&measured, |settings| settings.max_batch_bytes = 1).await, 3);
    assert_eq!(batches_of_three(&measured, |settings| settings.max_batch_time = Duration::ZERO).await, 3);
    assert_eq!(batches_of_three(&measured, |settings| settings.max_batch = 2).await, 2);

    // Events without answers, and answers without events.
    let place = Place::new(DatabaseKind::Sqlite).await;
    let world = World::open_with(&place, |settings| settings.max_batch_bytes = 1).await;
    let before = measured.count("writer_batch", "notes");
    together(&world, &[(publishes, "one"), (publishes, "two"), (publishes, "three")]).await;
    assert_eq!(measured.count("writer_batch", "notes") - before, 1 + 3);
    let gate = world.hold().await;
    let mut answering = Vec::new();
    for key in ["a", "b", "c"] {
        let writer = world.writer.clone();
        answering.push(tokio::spawn(async move { writer.run(&command(key, key), (), answers).await }));
    }
    world.queued(3).await;
    gate.open();
    for one in answering {
        one.await.unwrap().unwrap();
    }
    assert_eq!(measured.count("writer_batch", "notes") - before, 2 * (1 + 3));
}

#[tokio::test]
async fn what_the_machinery_publishes_names_it_as_its_cause() {
    let world = World::open(&Place::new(DatabaseKind::Sqlite).await).await;
    spawn(&world, publishes, "one").await.unwrap().unwrap();
    assert_eq!(world.value::<String>("SELECT causation_id FROM event_log").await, "test");
    world.close().await;
}

#[tokio::test]
async fn only_a_busy_database_makes_an_act_run_again() {
    let world = World::open(&Place::new(DatabaseKind::Sqlite).await).await;
    for (code, runs) in [(RETRY_CODE, 4), ("notes.elsewhere", 1)] {
        let note = Note::new(code);
        let command = command(code, code);
        let refused = world.writer.run(&command, note.clone(), move |_, note| {
            note.runs.fetch_add(1, Ordering::SeqCst);
            async move { Err::<TypeCount, _>(Fault::unavailable(code, "Not now.")) }.boxed()
        });
        assert_eq!(refused.await.unwrap_err().code(), code);
        assert_eq!(note.runs(), runs, "{code}");
    }
    world.close().await;
}

#[tokio::test]
async fn rel_12_a_batch_on_postgresql_ends_before_it_has_too_many_savepoints() {
    let measured = Measured::install();
    for (engine, batches) in [(DatabaseKind::Sqlite, 1), (DatabaseKind::Postgres, 2)] {
        let world = World::open(&Place::new(engine).await).await;
        // After a refusal acts have savepoints.
        let gate = world.hold().await;
        let (writer, refused) = (world.writer.clone(), command("refused", "x"));
        let refused = tokio::spawn(async move { writer.run(&refused, (), refuse).await });
        world.queued(1).await;
        let beside = spawn(&world, inserts, "beside");
        world.queued(2).await;
        gate.open();
        refused.await.unwrap().unwrap_err();
        beside.await.unwrap().unwrap();

        let before = measured.count("writer_batch", "notes");
        assert_eq!(together(&world, &[(tries_often, ""), (inserts, "next")]).await, [true, true]);
        assert_eq!(measured.count("writer_batch", "notes") - before, batches + 1, "{engine:?}");
        world.close().await;
    }
}

#[tokio::test]
async fn from_its_beginning_nobody_else_writes_into_a_batch_on_sqlite() {
    let place = Place::new(DatabaseKind::Sqlite).await;
    let world = World::open(&place).await;
    let mut options = ConnectOptions::new(&place.url);
    options.max_connections(1);
    let other = sea_orm::Database::connect(options).await.unwrap();
    other.execute_unprepared("PRAGMA busy_timeout = 0").await.unwrap();
    // The act at the gate has written nothing yet, and decides by what it has seen.
    let gate = world.hold().await;
    let refused = other.execute_unprepared("INSERT INTO note (id) VALUES ('other')").await.unwrap_err();
    assert!(refused.to_string().contains("locked"), "{refused}");
    gate.open();
    world.writer.probe().await.unwrap();
    other.execute_unprepared("INSERT INTO note (id) VALUES ('other')").await.unwrap();
    world.close().await;
}
