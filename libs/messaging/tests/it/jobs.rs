//! Jobs: scheduled with the act, run when due, at least once, given up in the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use kernel::{Fault, Ids, Timestamp};
use messaging::{
    DatabaseKind, JobCounts, JobError, JobHandler, JobSettings, NewJob, Tx, database_fault, job_counts,
    run_jobs,
};
use proto::messaging::TypeCount;
use sea_orm::ConnectionTrait as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{ENGINES, Note, PATIENCE, Place, World, add_note, noon, refuse};

fn quick() -> JobSettings {
    JobSettings {
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(2),
        poll: Duration::from_millis(20),
        max_attempts: 3,
        ..JobSettings::default()
    }
}

/// A running job worker.
struct Jobs {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Jobs {
    fn start(world: &World, settings: JobSettings, handlers: Vec<JobHandler>) -> Self {
        let stop = CancellationToken::new();
        let (database, writer) = (world.database.clone(), world.writer.clone());
        let task = tokio::spawn(run_jobs(database, writer, handlers, Ids::system(), settings, stop.clone()));
        Self { stop, task }
    }

    async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("the worker did not stop").unwrap();
    }
}

fn job(key: &str, run_at: Timestamp) -> NewJob {
    NewJob { kind: "remind", dedupe_key: key.to_owned(), run_at, payload: key.as_bytes().to_vec() }
}

async fn schedule(world: &World, jobs: Vec<NewJob>) {
    let act = world.writer.internal("schedule", jobs, |tx, jobs| {
        async move {
            jobs.iter().for_each(|job| tx.schedule(job.clone()));
            Ok(())
        }
        .boxed()
    });
    act.await.unwrap();
}

/// Stores a note under the job's key, by a command of the job; then fails so many times before it succeeds.
fn noting(runs: Arc<AtomicU32>, failures: u32) -> JobHandler {
    JobHandler::new("remind", move |job, payload| {
        let runs = Arc::clone(&runs);
        async move {
            let id = String::from_utf8(payload).unwrap();
            job.writer
                .run(&job.command("note"), Note::new(id), |tx, note| add_note(tx, note).boxed())
                .await?;
            if runs.fetch_add(1, Ordering::SeqCst) < failures {
                return Err(JobError::Transient("not yet".to_owned()));
            }
            Ok(())
        }
        .boxed()
    })
}

async fn idle(world: &World) {
    testkit::eventually(PATIENCE, async || {
        let counts = job_counts(&world.database).await.unwrap();
        counts.waiting + counts.running == 0
    })
    .await;
}

#[tokio::test]
async fn rel_45_a_job_scheduled_twice_takes_effect_once() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        let runs = Arc::new(AtomicU32::new(0));
        let jobs = Jobs::start(&world, quick(), vec![noting(runs.clone(), 0)]);
        schedule(&world, vec![job("a", noon()), job("a", noon())]).await;
        idle(&world).await;
        // Also when it is done already.
        schedule(&world, vec![job("a", noon()), job("b", noon())]).await;
        testkit::eventually(PATIENCE, async || world.number("SELECT count(*) FROM note").await == 2).await;
        idle(&world).await;
        jobs.end().await;
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        world.close().await;
    }
}

#[tokio::test]
async fn a_job_of_an_act_that_was_refused_does_not_exist() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        let act = world.writer.internal("refused", job("a", noon()), |tx, job| {
            async move {
                tx.schedule(job.clone());
                refuse(tx, &()).await
            }
            .boxed()
        });
        assert!(act.await.is_err());
        assert_eq!(job_counts(&world.database).await.unwrap(), JobCounts::default());
        world.close().await;
    }
}

#[tokio::test]
async fn a_job_waits_for_the_business_clock_and_starts_when_the_clock_is_set() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        let runs = Arc::new(AtomicU32::new(0));
        // Nothing but the clock's being set can wake the worker in time.
        let settings = JobSettings { poll: Duration::from_secs(3600), ..quick() };
        let jobs = Jobs::start(&world, settings, vec![noting(runs.clone(), 0)]);
        let tomorrow = noon() + time::Duration::days(1);
        schedule(&world, vec![job("now", noon()), job("tomorrow", tomorrow)]).await;
        testkit::eventually(PATIENCE, async || {
            world.number("SELECT count(*) FROM job WHERE state = 'done'").await == 1
        })
        .await;
        assert_eq!(world.value::<String>("SELECT id FROM note").await, "now");
        world.clock.set(tomorrow).unwrap();
        world.writer.clock_was_set();
        idle(&world).await;
        jobs.end().await;
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        world.close().await;
    }
}

#[tokio::test]
async fn a_failing_job_is_tried_again_and_its_step_is_done_once() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        let runs = Arc::new(AtomicU32::new(0));
        let jobs = Jobs::start(&world, quick(), vec![noting(runs.clone(), 2)]);
        schedule(&world, vec![job("a", noon())]).await;
        // Real time stands still in tests: the pause ends only when it is moved.
        testkit::eventually(PATIENCE, async || {
            world.real.set(kernel::Clock::now(&*world.real) + time::Duration::milliseconds(2)).unwrap();
            world.number("SELECT count(*) FROM job WHERE state = 'done'").await == 1
        })
        .await;
        jobs.end().await;
        assert_eq!(runs.load(Ordering::SeqCst), 3);
        assert_eq!(world.number("SELECT count(*) FROM note").await, 1);
        assert_eq!(world.number("SELECT count(*) FROM event_log").await, 1);
        assert_eq!(world.value::<i32>("SELECT length(payload) FROM job").await, 0);
        world.close().await;
    }
}

#[tokio::test]
async fn a_job_that_never_succeeds_is_dead_after_its_last_try() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        let panics = JobHandler::new("remind", |_, _| async { panic!("a fault of the program") }.boxed());
        let hopeless = JobHandler::new("hopeless", |_, _| {
            async { Err(JobError::Permanent("there is no such thing".to_owned())) }.boxed()
        });
        let jobs = Jobs::start(&world, quick(), vec![panics, hopeless]);
        schedule(&world, vec![job("a", noon()), NewJob { kind: "hopeless", ..job("b", noon()) }]).await;
        testkit::eventually(PATIENCE, async || {
            world.real.set(kernel::Clock::now(&*world.real) + time::Duration::milliseconds(2)).unwrap();
            job_counts(&world.database).await.unwrap().dead == 2
        })
        .await;
        jobs.end().await;
        assert_eq!(world.value::<i32>("SELECT attempts FROM job WHERE kind = 'remind'").await, 3);
        assert_eq!(world.value::<i32>("SELECT attempts FROM job WHERE kind = 'hopeless'").await, 1);
        assert_eq!(
            world.value::<String>("SELECT last_error FROM job WHERE kind = 'hopeless'").await,
            "there is no such thing"
        );
        world.close().await;
    }
}

#[tokio::test]
async fn a_job_whose_runner_is_gone_runs_again_when_the_claim_has_run_out() {
    for engine in ENGINES {
        let world = World::open(&Place::new(engine).await).await;
        schedule(&world, vec![job("a", noon())]).await;
        // What a process that was killed leaves behind.
        let claimed = format!(
            "UPDATE job SET state = 'running', attempts = 1, not_before = {}",
            (noon() + time::Duration::seconds(60)).as_micros()
        );
        let act = world.writer.internal("claimed", claimed, |tx, sql| execute(tx, sql).boxed());
        act.await.unwrap();
        let runs = Arc::new(AtomicU32::new(0));
        let jobs = Jobs::start(&world, quick(), vec![noting(runs.clone(), 0)]);
        schedule(&world, vec![job("b", noon())]).await;
        testkit::eventually(PATIENCE, async || runs.load(Ordering::SeqCst) == 1).await;
        assert_eq!(world.value::<String>("SELECT id FROM note").await, "b", "the claim still holds");
        world.real.set(noon() + time::Duration::seconds(60)).unwrap();
        idle(&world).await;
        jobs.end().await;
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        world.close().await;
    }
}

#[tokio::test]
async fn two_copies_share_the_jobs_and_run_each_once() {
    let place = Place::new(DatabaseKind::Postgres).await;
    let copies = [World::open(&place).await, World::open(&place).await];
    let runs = Arc::new(AtomicU32::new(0));
    let workers: Vec<Jobs> =
        copies.iter().map(|world| Jobs::start(world, quick(), vec![noting(runs.clone(), 0)])).collect();
    schedule(&copies[0], (0..60).map(|n| job(&format!("job{n}"), noon())).collect()).await;
    idle(&copies[0]).await;
    for worker in workers {
        worker.end().await;
    }
    assert_eq!(runs.load(Ordering::SeqCst), 60);
    assert_eq!(copies[0].number("SELECT count(*) FROM note").await, 60);
    let [one, two] = copies;
    one.close().await;
    two.close().await;
}

async fn execute(tx: &Tx, sql: &str) -> Result<TypeCount, Fault> {
    tx.conn().execute_unprepared(sql).await.map_err(database_fault)?;
    Ok(TypeCount::default())
}
