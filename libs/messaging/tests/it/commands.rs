//! One command and its neighbours in the batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::{Clock as _, Fault, FaultKind};
use messaging::{Attempt, DatabaseKind, Origin, RETRY_CODE, Tx};
use proto::messaging::TypeCount;
use sea_orm::{ConnectionTrait as _, DbErr};

use crate::support::{ENGINES, Note, Place, World, add_note, command, insert_note, refuse};

#[tokio::test]
async fn rel_20_a_repeated_command_gets_the_same_answer_without_running() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let world = World::open(&place).await;
        let note = Note::new("a");
        let first = world.add("key", note.clone()).await.unwrap();
        let again = world.add("key", note.clone()).await.unwrap();
        world.close().await;
        let world = World::open(&place).await;
        let after_restart = world.add("key", note.clone()).await.unwrap();
        assert_eq!((first.clone(), first), (again, after_restart));
        assert_eq!(note.runs(), 1);
        assert_eq!(world.number("SELECT count(*) FROM event_log").await, 1);
        world.close().await;
    }
}

#[tokio::test]
async fn rel_20_a_key_used_for_another_request_is_refused() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        world.add("key", Note::new("a")).await.unwrap();
        let fault = world.add("key", Note::new("b")).await.unwrap_err();
        assert_eq!((fault.kind(), fault.code()), (FaultKind::AlreadyExists, "idempotency_key_reused"));
        let mut others = command("key", "b");
        others.principal = "somebody else".to_owned();
        world.writer.run(&others, Note::new("b"), |tx, note| add_note(tx, note).boxed()).await.unwrap();
        assert_eq!(world.number("SELECT count(*) FROM note").await, 2);
        world.close().await;
    }
}

#[tokio::test]
async fn rel_20_the_same_key_twice_in_a_batch_runs_once_and_answers_twice() {
    for engine in ENGINES {
        let world = Arc::new(World::open(&Place::new(engine).await).await);
        let gate = world.hold().await;
        let note = Note::new("a");
        let twice: Vec<_> = (0..2)
            .map(|_| {
                let (world, note) = (world.clone(), note.clone());
                tokio::spawn(async move { world.add("key", note).await })
            })
            .collect();
        world.queued(2).await;
        gate.open();
        let answers = futures::future::join_all(twice).await;
        let answers: Vec<TypeCount> = answers.into_iter().map(|answer| answer.unwrap().unwrap()).collect();
        assert_eq!(answers[0], answers[1]);
        assert_eq!(note.runs(), 1);
    }
}

#[tokio::test]
async fn a_refusal_stores_nothing_and_the_command_may_be_tried_again() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        let fault = world.writer.run(&command("key", "a"), (), refuse).await.unwrap_err();
        assert_eq!(fault.code(), "notes.closed");
        assert_eq!(world.number("SELECT count(*) FROM command_log").await, 0);
        let again = command("key", "a");
        let late_refusal = world.writer.run(&again, Note::new("a"), |tx, note| {
            async move {
                add_note(tx, note).await?;
                Err::<TypeCount, _>(Fault::conflict("notes.closed", "No more notes are taken."))
            }
            .boxed()
        });
        assert_eq!(late_refusal.await.unwrap_err().code(), "notes.closed");
        assert_eq!(world.number("SELECT count(*) FROM note").await, 0);
        assert_eq!(world.number("SELECT count(*) FROM event_log").await, 0);
        world.add("key", Note::new("a")).await.unwrap();
        world.close().await;
    }
}

/// Runs a batch of two of which one is refused, and gives how often the other was run.
async fn runs_beside_a_refusal(world: &Arc<World>, id: &str) -> u32 {
    let gate = world.hold().await;
    let note = Note::new(id);
    let (adding, added) = (Arc::clone(world), note.clone());
    let adding = tokio::spawn(async move { adding.add(&format!("key-{}", added.id), added).await });
    world.queued(1).await;
    let (writer, refused) = (world.writer.clone(), command(&format!("refused-{id}"), "x"));
    let refused = tokio::spawn(async move { writer.run(&refused, (), refuse).await });
    world.queued(2).await;
    gate.open();
    adding.await.unwrap().unwrap();
    assert_eq!(refused.await.unwrap().unwrap_err().code(), "notes.closed");
    note.runs()
}

#[tokio::test]
async fn a_refusal_makes_its_batch_run_twice_and_the_next_batches_ready_for_another() {
    for engine in ENGINES {
        let world = Arc::new(World::open(&Place::new(engine).await).await);
        assert_eq!(runs_beside_a_refusal(&world, "first").await, 2);
        assert_eq!(runs_beside_a_refusal(&world, "second").await, 1);
        for quiet in 0..16 {
            world.add(&format!("quiet-{quiet}"), Note::new(quiet)).await.unwrap();
        }
        assert_eq!(runs_beside_a_refusal(&world, "third").await, 2);
        // Who is alone has nobody to share with.
        let (act, alone) = (command("alone", "x"), Note::new("alone"));
        let refused = world.writer.run(&act, alone.clone(), |_, note| {
            note.runs.fetch_add(1, Ordering::SeqCst);
            async { Err::<TypeCount, _>(Fault::conflict("notes.closed", "No more notes are taken.")) }.boxed()
        });
        assert_eq!(refused.await.unwrap_err().code(), "notes.closed");
        assert_eq!(alone.runs(), 1);
    }
}

#[tokio::test]
async fn the_relay_is_woken_by_what_publishes_and_by_nothing_else() {
    let world = World::open(&Place::new(DatabaseKind::Sqlite).await).await;
    let woken = || world.writer.published().now_or_never().is_some();
    // Whoever is woken is woken after the answer: the next act's answer comes later.
    world.add("first", Note::new(1)).await.unwrap();
    world.writer.probe().await.unwrap();
    assert!(woken());
    world.writer.probe().await.unwrap();
    world.writer.probe().await.unwrap();
    assert!(!woken());
}

#[tokio::test]
async fn a_panic_costs_one_command_only() {
    for engine in ENGINES {
        let world = Arc::new(World::open(&Place::new(engine).await).await);
        let gate = world.hold().await;
        let before = spawn_add(&world, "before");
        world.queued(1).await;
        let writer = world.writer.clone();
        let panicking = tokio::spawn(async move {
            writer
                .run(&command("panics", "x"), Note::new("half"), |tx, note| {
                    async move {
                        add_note(tx, note).await?;
                        panic!("a fault of the program");
                    }
                    .boxed()
                })
                .await as Result<TypeCount, Fault>
        });
        world.queued(2).await;
        let after = spawn_add(&world, "after");
        world.queued(3).await;
        gate.open();
        before.await.unwrap().unwrap();
        after.await.unwrap().unwrap();
        let fault = panicking.await.unwrap().unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Internal);
        assert!(!fault.message().contains("fault of the program"), "internal text must not leave");
        assert_eq!(world.number("SELECT count(*) FROM note").await, 2);
        assert_eq!(world.number("SELECT count(DISTINCT lane) FROM event_log").await, 1);
    }
}

#[tokio::test]
async fn a_broken_constraint_costs_one_command_of_forty() {
    for engine in ENGINES {
        let world = Arc::new(World::open(&Place::new(engine).await).await);
        world.add("first", Note::new("taken")).await.unwrap();
        let gate = world.hold().await;
        let adding: Vec<_> = (0..40)
            .map(|n| spawn_add(&world, if n == 20 { "taken".into() } else { format!("n{n}") }))
            .collect();
        world.queued(40).await;
        gate.open();
        let answers = futures::future::join_all(adding).await;
        let refused: Vec<Fault> = answers.into_iter().filter_map(|answer| answer.unwrap().err()).collect();
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].kind(), FaultKind::Internal);
        assert_eq!(world.number("SELECT count(*) FROM note").await, 40);
        assert_eq!(world.number("SELECT max(seq) FROM event_log").await, 40);
    }
}

#[tokio::test]
async fn an_unlogged_command_leaves_no_row_and_no_trace_of_its_key() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        let mut ballot = command("key", "a");
        ballot.traceparent = Some("00-11111111111111111111111111111111-2222222222222222-01".to_owned());
        let answer =
            world.writer.run_unlogged(&ballot, Note::new("a"), |tx, note| add_note(tx, note).boxed()).await;
        assert_eq!(answer.unwrap().event_type, "a");
        assert_eq!(world.number("SELECT count(*) FROM command_log").await, 0);
        assert_eq!(world.number("SELECT count(*) FROM note").await, 1);
        let event = &messaging::log::events(&world.database, "19", 1, 1).await.unwrap()[0];
        assert_eq!((event.causation_id.as_str(), event.correlation_id.as_str()), ("AddNote", ""));
        assert_eq!(event.traceparent, "");
        world.close().await;
    }
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_loses_nothing_it_has_taken() {
    let world = Arc::new(World::open(&Place::new(ENGINES[0]).await).await);
    let gate = world.hold().await;
    let mut adding: Vec<_> = (0..1023).map(|n| spawn_add(&world, format!("n{n}"))).collect();
    world.queued(1023).await;
    adding.push(spawn_add(&world, "last".to_owned()));
    world.queued(1024).await;
    let fault = world.add("one too many", Note::new("x")).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::ResourceExhausted);
    assert!(fault.retry_after().is_some());
    gate.open();
    for answer in futures::future::join_all(adding).await {
        answer.unwrap().unwrap();
    }
    assert_eq!(world.number("SELECT count(*) FROM note").await, 1024);
}

#[tokio::test]
async fn a_command_whose_deadline_has_passed_is_not_begun() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        let mut late = command("key", "a");
        late.deadline = Some(Instant::now());
        let note = Note::new("a");
        let fault =
            world.writer.run(&late, note.clone(), |tx, note| add_note(tx, note).boxed()).await.unwrap_err();
        assert_eq!((fault.kind(), fault.code()), (FaultKind::Unavailable, "messaging.deadline_passed"));
        assert_eq!(note.runs(), 0);
        world.close().await;
    }
}

#[tokio::test]
async fn an_act_that_hangs_is_undone() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let world =
            World::open_with(&place, |settings| settings.max_act_time = Duration::from_millis(50)).await;
        let command = command("key", "a");
        let hanging = world.writer.run(&command, Note::new("a"), |tx, note| {
            async move {
                add_note(tx, note).await?;
                std::future::pending().await
            }
            .boxed()
        });
        let fault: Fault = (hanging.await as Result<TypeCount, Fault>).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Internal);
        world.add("key", Note::new("a")).await.unwrap();
        world.close().await;
    }
}

#[tokio::test]
async fn an_attempt_within_an_act_is_all_or_nothing() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        let act = world.writer.internal("attempts", (), |tx, ()| {
            async move {
                let origin = |id: &str| Origin { causation_id: id.to_owned(), ..Origin::default() };
                let done = tx.attempt(origin("one"), |tx| insert_and_publish(tx, "a", None).boxed()).await;
                assert!(matches!(done, Ok(Attempt::Done(()))));
                let refused =
                    tx.attempt(origin("two"), |tx| insert_and_publish(tx, "b", Some("no")).boxed()).await;
                assert!(matches!(refused, Ok(Attempt::Refused("no"))));
                let panics = tx.attempt(origin("three"), |tx| {
                    async move {
                        insert_and_publish(tx, "c", None).await?;
                        panic!("handler");
                    }
                    .boxed()
                });
                let panicked: Result<Attempt<(), &str>, DbErr> = panics.await;
                assert!(matches!(panicked, Ok(Attempt::Panicked(text)) if text == "handler"));
                Ok(())
            }
            .boxed()
        });
        act.await.unwrap();
        assert_eq!(world.value::<String>("SELECT id FROM note").await, "a");
        assert_eq!(world.number("SELECT count(*) FROM note").await, 1);
        assert_eq!(world.value::<String>("SELECT causation_id FROM event_log").await, "one");
        world.close().await;
    }
}

#[tokio::test]
async fn what_a_refused_attempt_has_done_is_undone_even_if_nobody_looks_at_its_end() {
    for engine in ENGINES {
        // Alone it has a savepoint of its own; with another act in its batch it has none at first.
        for others in 0..2_usize {
            let world = Arc::new(World::open(&Place::new(engine).await).await);
            let gate = world.hold().await;
            let before: Vec<_> = (0..others).map(|n| spawn_add(&world, format!("before {n}"))).collect();
            world.queued(others).await;
            let writer = world.writer.clone();
            let act = tokio::spawn(async move { writer.internal("careless", (), careless).await });
            world.queued(others + 1).await;
            gate.open();
            // PostgreSQL has given the transaction up at the second mistake; SQLite has not.
            assert_eq!(act.await.unwrap().is_ok(), engine == DatabaseKind::Sqlite);
            for added in before {
                added.await.unwrap().unwrap();
            }
            assert_eq!(world.number("SELECT count(*) FROM note").await, i64::try_from(others).unwrap());
            assert_eq!(world.number("SELECT count(*) FROM event_log").await, i64::try_from(others).unwrap());
            world.add("key", Note::new("a")).await.unwrap();
        }
    }
}

/// Refuses within, and goes on after a mistake, as if nothing had been.
fn careless<'a>(tx: &'a Tx, (): &'a ()) -> BoxFuture<'a, Result<(), Fault>> {
    async move {
        let attempt = tx.attempt(Origin::default(), |tx| insert_and_publish(tx, "b", Some("no")).boxed());
        let _ = attempt.await as Result<Attempt<(), &str>, DbErr>;
        let _ = tx.conn().execute_unprepared("INSERT INTO nowhere VALUES (1)").await;
        Ok(())
    }
    .boxed()
}

#[tokio::test]
async fn rel_11_a_busy_answer_of_the_database_makes_the_act_run_again() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        let runs = Arc::new(AtomicU32::new(0));
        let answer = world.writer.internal("busy", runs.clone(), |_, runs| {
            async move {
                if runs.fetch_add(1, Ordering::SeqCst) < 2 {
                    return Err(Fault::unavailable(RETRY_CODE, "busy"));
                }
                Ok("done")
            }
            .boxed()
        });
        assert_eq!(answer.await.unwrap(), "done");
        assert_eq!(runs.load(Ordering::SeqCst), 3);
        let tries = Arc::new(AtomicU32::new(0));
        let always = world.writer.internal("busy", tries.clone(), |_, tries| {
            tries.fetch_add(1, Ordering::SeqCst);
            async { Err::<(), _>(Fault::unavailable(RETRY_CODE, "busy")) }.boxed()
        });
        assert_eq!(always.await.unwrap_err().kind(), FaultKind::Unavailable);
        assert_eq!(tries.load(Ordering::SeqCst), 4);
        world.close().await;
    }
}

#[tokio::test]
async fn old_answers_are_forgotten_after_the_retention_time() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let world =
            World::open_with(&place, |settings| settings.watermark_quiet = Duration::from_millis(200)).await;
        world.add("old", Note::new("a")).await.unwrap();
        world.real.set(world.real.now() + time::Duration::days(6)).unwrap();
        world.add("young", Note::new("b")).await.unwrap();
        world.real.set(world.real.now() + time::Duration::days(2)).unwrap();
        let keys = "SELECT idem_key FROM command_log ORDER BY idem_key";
        testkit::eventually(crate::support::PATIENCE, async || {
            world.number("SELECT count(*) FROM command_log").await == 1
        })
        .await;
        assert_eq!(world.value::<String>(keys).await, "young");
        world.close().await;
    }
}

#[tokio::test]
async fn a_stopping_writer_finishes_what_it_has_taken_and_refuses_the_rest() {
    for engine in ENGINES {
        let world = Arc::new(World::open(&Place::new(engine).await).await);
        let gate = world.hold().await;
        let adding: Vec<_> = (0..10).map(|n| spawn_add(&world, format!("n{n}"))).collect();
        world.queued(10).await;
        world.stop.cancel();
        gate.open();
        for answer in futures::future::join_all(adding).await {
            answer.unwrap().unwrap();
        }
        world.tracker.close();
        world.tracker.wait().await;
        let fault = world.add("late", Note::new("late")).await.unwrap_err();
        assert_eq!((fault.kind(), fault.code()), (FaultKind::Unavailable, "messaging.stopping"));
    }
}

#[tokio::test]
async fn rel_15_reads_cannot_write_and_a_file_has_one_process() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let world = World::open(&place).await;
        let write = world.database.read().execute_unprepared("INSERT INTO note (id) VALUES ('x')").await;
        assert!(write.is_err(), "the read pool must not write");
        let second = messaging::Database::open(&place.url, "notes", crate::support::migrations).await;
        match engine {
            messaging::DatabaseKind::Sqlite => {
                assert!(matches!(second, Err(messaging::OpenError::InUse(file)) if file == place.file()));
            }
            messaging::DatabaseKind::Postgres => drop(second.unwrap()),
        }
        world.close().await;
    }
}

async fn insert_and_publish(
    tx: &messaging::Tx,
    id: &str,
    refusal: Option<&'static str>,
) -> Result<(), &'static str> {
    insert_note(tx, id).await.map_err(|_| "database")?;
    let payload = TypeCount::default();
    tx.publish(messaging::NewEvent::of(kernel::TenantId::new("19").unwrap(), "note", id, &payload));
    refusal.map_or(Ok(()), Err)
}

fn spawn_add(world: &Arc<World>, id: impl Into<String>) -> tokio::task::JoinHandle<Result<TypeCount, Fault>> {
    let (world, id) = (Arc::clone(world), id.into());
    tokio::spawn(async move { world.add(&format!("key-{id}"), Note::new(&id)).await })
}
