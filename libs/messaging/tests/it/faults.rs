//! What clients see, and what is stored, when the database or the client goes away in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use kernel::{Fault, FaultKind};
use messaging::{DatabaseKind, database_fault};
use proto::messaging::TypeCount;
use sea_orm::ConnectionTrait as _;
use tokio::task::JoinHandle;

use crate::lanes::assert_sound;
use crate::proxy::{self, Proxy};
use crate::support::{ENGINES, Note, PATIENCE, Place, World, add_note, command};

/// Three commands in one batch whose COMMIT meets `fault`. Gives back the notes, to count their runs.
async fn commit_with(fault: proxy::Fault) -> (Arc<World>, Vec<Note>) {
    let mut place = Place::new(DatabaseKind::Postgres).await;
    let proxy = Proxy::start(&place.url).await;
    place.url.clone_from(&proxy.url);
    let world = Arc::new(World::open(&place).await);
    let notes: Vec<Note> = (0..3).map(Note::new).collect();
    let gate = world.hold().await;
    let mut adding: Vec<JoinHandle<Result<TypeCount, Fault>>> = Vec::new();
    for note in notes.clone() {
        let world = Arc::clone(&world);
        adding.push(tokio::spawn(async move { world.add(&format!("key-{}", note.id), note).await }));
    }
    world.queued(3).await;
    // The gate's own COMMIT comes first; it must not be the one that is lost.
    let after_gate = world.writer.clone();
    let ready = tokio::spawn(async move { after_gate.internal("arm", proxy, arm(fault)).await });
    world.queued(4).await;
    gate.open();
    ready.await.unwrap().unwrap();
    for (note, answer) in notes.iter().zip(futures::future::join_all(adding).await) {
        assert_eq!(answer.unwrap().unwrap().event_type, note.id);
    }
    (world, notes)
}

/// An act that arms the proxy when it runs, which is in the batch to be hit; the first time only.
fn arm(
    fault: proxy::Fault,
) -> impl for<'a> Fn(&'a messaging::Tx, &'a Proxy) -> futures::future::BoxFuture<'a, Result<(), Fault>> {
    let armed = AtomicU32::new(0);
    move |_, proxy| {
        if armed.fetch_add(1, Ordering::SeqCst) == 0 {
            proxy.next(fault);
        }
        async { Ok(()) }.boxed()
    }
}

#[tokio::test]
async fn rel_10_a_commit_whose_reply_was_lost_is_found_in_the_command_log() {
    let (world, notes) = commit_with(proxy::Fault::LoseReply).await;
    assert!(notes.iter().all(|note| note.runs() == 1), "committed acts must not run again");
    assert_eq!(world.number("SELECT count(*) FROM note").await, 3);
    assert_eq!(assert_sound(&world.database, "19").await.len(), 3);
}

#[tokio::test]
async fn rel_10_a_commit_that_never_took_place_is_run_again() {
    let (world, notes) = commit_with(proxy::Fault::LoseCommit).await;
    assert!(notes.iter().all(|note| note.runs() == 2), "acts that were lost must run again");
    assert_eq!(world.number("SELECT count(*) FROM note").await, 3);
    assert_eq!(assert_sound(&world.database, "19").await.len(), 3);
}

#[tokio::test]
async fn a_backend_killed_within_an_act_costs_nobody_anything() {
    let world = Arc::new(World::open(&Place::new(DatabaseKind::Postgres).await).await);
    let gate = world.hold().await;
    let neighbour = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.add("neighbour", Note::new("neighbour")).await })
    };
    world.queued(1).await;
    let killer = Note::new("killer");
    let killing = {
        let (writer, note) = (world.writer.clone(), killer.clone());
        tokio::spawn(async move {
            writer
                .run(&command("killer", "x"), note, |tx, note| {
                    async move {
                        let answer = add_note(tx, note).await?;
                        if note.runs() == 1 {
                            let kill = "SELECT pg_terminate_backend(pg_backend_pid())";
                            tx.conn().execute_unprepared(kill).await.map_err(database_fault)?;
                        }
                        Ok(answer)
                    }
                    .boxed()
                })
                .await
        })
    };
    world.queued(2).await;
    gate.open();
    killing.await.unwrap().unwrap();
    neighbour.await.unwrap().unwrap();
    assert_eq!(killer.runs(), 2);
    assert_eq!(world.number("SELECT count(*) FROM note").await, 2);
    assert_eq!(assert_sound(&world.database, "19").await.len(), 2);
}

#[tokio::test]
async fn a_database_that_is_away_is_told_with_a_hint_and_comes_back() {
    let mut place = Place::new(DatabaseKind::Postgres).await;
    let proxy = Proxy::start(&place.url).await;
    place.url.clone_from(&proxy.url);
    let world = World::open(&place).await;
    world.add("before", Note::new("before")).await.unwrap();
    proxy.next(proxy::Fault::Away);
    let fault = world.add("during", Note::new("during")).await.unwrap_err();
    assert_eq!((fault.kind(), fault.code()), (FaultKind::Unavailable, "messaging.database_away"));
    assert!(fault.retry_after().is_some());
    // Those who ask again at once are refused at once, and do not each knock at the database.
    let tried = proxy.tried();
    for _ in 0..200 {
        world.add("during", Note::new("during")).await.unwrap_err();
    }
    assert!(proxy.tried() - tried < 20, "{} connections tried", proxy.tried() - tried);
    proxy.next(proxy::Fault::None);
    // The client does as it was told: the same command again.
    testkit::eventually(PATIENCE, async || world.add("during", Note::new("during")).await.is_ok()).await;
    assert_eq!(world.number("SELECT count(*) FROM note").await, 2);
    world.close().await;
}

#[tokio::test]
async fn a_writer_at_rest_asks_its_database_nothing() {
    let mut place = Place::new(DatabaseKind::Postgres).await;
    let proxy = Proxy::start(&place.url).await;
    place.url.clone_from(&proxy.url);
    let world = World::open(&place).await;
    world.add("before", Note::new("before")).await.unwrap();
    // Behind whatever the writer does at its start.
    world.writer.probe().await.unwrap();
    let asked = proxy.asked();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(proxy.asked() - asked < 20, "{} messages in half a second", proxy.asked() - asked);
    world.close().await;
}

#[tokio::test]
async fn rel_14_a_cancelled_request_leaves_no_transaction_open_and_its_command_is_finished() {
    for engine in ENGINES {
        let world = Arc::new(World::open(&Place::new(engine).await).await);
        for round in 0..20 {
            let gate = world.hold().await;
            let adding = {
                let world = Arc::clone(&world);
                tokio::spawn(async move { world.add(&format!("key-{round}"), Note::new(round)).await })
            };
            world.queued(1).await;
            adding.abort();
            assert!(adding.await.unwrap_err().is_cancelled());
            gate.open();
        }
        testkit::eventually(PATIENCE, async || world.number("SELECT count(*) FROM note").await == 20).await;
        // A later command's answer shows that the writer has ended all transactions before.
        let again = world.add("key-7", Note::new("7")).await.unwrap();
        assert_eq!((again.event_type.as_str(), again.count), ("7", 1));
        if engine == DatabaseKind::Postgres {
            let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                        AND state LIKE 'idle in transaction%'";
            testkit::eventually(PATIENCE, async || world.number(open).await == 0).await;
        }
    }
}
