//! Runs jobs when their time has come.
//!
//! A job is claimed in a transaction of its own, which also counts the try and notes until when the claim holds; then
//! it runs outside of any transaction; then its end is stored, unless the claim has passed to another run meanwhile. So
//! a process may die at any moment, and several copies may share a database: a job is run at least once, and by two at
//! the same time only if one was silent for longer than a claim holds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use kernel::{Fault, Ids, Timestamp};
use sea_orm::{
    ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
    Set,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{JobContext, JobError, JobHandler};
use crate::backoff::Backoff;
use crate::database::{Database, database_fault};
use crate::entity::job::{self, DEAD, DONE, RUNNING, WAITING};
use crate::tx::Tx;
use crate::writer::Writer;

/// Limits of the job worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSettings {
    /// Jobs that run at the same time.
    pub at_once: usize,
    /// Tries before a job is given up.
    pub max_attempts: u32,
    /// Pause after the first failure; it doubles with each.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// A job that takes longer has failed.
    pub max_run: Duration,
    /// How often to look for jobs that have become due.
    pub poll: Duration,
}

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            at_once: 8,
            max_attempts: 10,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(600),
            max_run: Duration::from_secs(30),
            poll: Duration::from_secs(1),
        }
    }
}

/// How many jobs are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Waiting for their time or for another try.
    pub waiting: u64,
    /// Being run.
    pub running: u64,
    /// Given up.
    pub dead: u64,
}

/// Counts the jobs of a database that are not done.
///
/// # Errors
/// If the database is away.
pub async fn job_counts(database: &Database) -> Result<JobCounts, DbErr> {
    // One query, so that a job which changes its state meanwhile is counted once.
    let by_state: Vec<(String, i64)> = job::Entity::find()
        .select_only()
        .column(job::Column::State)
        .column_as(job::Column::DedupeKey.count(), "jobs")
        .filter(job::Column::State.ne(DONE))
        .group_by(job::Column::State)
        .into_tuple()
        .all(database.read())
        .await?;
    let count =
        |state| by_state.iter().find(|(found, _)| found == state).map_or(0, |(_, jobs)| jobs.unsigned_abs());
    Ok(JobCounts { waiting: count(WAITING), running: count(RUNNING), dead: count(DEAD) })
}

/// Runs the jobs of a database until `stop` is cancelled and those that have begun are done. One call per database and
/// process. Jobs of a kind without a handler wait.
pub async fn run_jobs(
    database: Database,
    writer: Writer,
    handlers: Vec<JobHandler>,
    ids: Ids,
    settings: JobSettings,
    stop: CancellationToken,
) {
    let handlers: HashMap<&'static str, JobHandler> =
        handlers.into_iter().map(|handler| (handler.kind, handler)).collect();
    if handlers.is_empty() {
        stop.cancelled().await;
        return;
    }
    let backoff = Backoff::new(settings.first_pause, settings.longest_pause, &ids);
    let worker = Arc::new(Worker { database, writer, handlers, backoff, settings });
    let mut running = JoinSet::new();
    while !stop.is_cancelled() {
        let room = worker.settings.at_once - running.len();
        match worker.claim(room).await {
            Ok(claimed) => {
                for job in claimed {
                    let worker = Arc::clone(&worker);
                    running.spawn(async move { worker.run(job).await });
                }
            }
            Err(fault) => tracing::warn!(error = %fault, "jobs cannot be claimed; trying again"),
        }
        let is_full = running.len() >= worker.settings.at_once;
        tokio::select! {
            () = stop.cancelled() => {}
            Some(_) = running.join_next() => {}
            () = worker.writer.jobs_changed(), if !is_full => {}
            () = tokio::time::sleep(worker.settings.poll), if !is_full => {}
        }
    }
    while running.join_next().await.is_some() {}
}

struct Worker {
    database: Database,
    writer: Writer,
    handlers: HashMap<&'static str, JobHandler>,
    backoff: Backoff,
    settings: JobSettings,
}

/// What it takes to find due jobs, as an act may keep it.
#[derive(Clone, Debug)]
struct Search {
    kinds: Vec<&'static str>,
    now: Timestamp,
    real_now: Timestamp,
    limit: u64,
    claim_until: Timestamp,
    max_attempts: u32,
}

impl Worker {
    /// Takes at most `room` jobs that are due.
    async fn claim(&self, room: usize) -> Result<Vec<job::Model>, Fault> {
        let clocks = self.writer.clocks();
        let real_now = clocks.real.now();
        // Longer than a run may take, so that a claim passes on only if its holder is gone.
        let claim = self.settings.max_run * 2;
        let search = Search {
            kinds: self.handlers.keys().copied().collect(),
            now: clocks.business.now(),
            real_now,
            limit: room as u64,
            claim_until: later(real_now, claim),
            max_attempts: self.settings.max_attempts,
        };
        // Most of the time there is nothing, which a read can tell.
        if room == 0 || search.due().one(self.database.read()).await.map_err(database_fault)?.is_none() {
            return Ok(Vec::new());
        }
        self.writer.internal("job_claim", search, |tx, search| claim_due(tx, search).boxed()).await
    }

    async fn run(&self, job: job::Model) {
        let Some(handler) = self.handlers.get(job.kind.as_str()) else { return };
        let context = JobContext {
            writer: self.writer.clone(),
            dedupe_key: job.dedupe_key.clone(),
            attempt: job.attempts.unsigned_abs(),
            run_at: Timestamp::from_micros(job.run_at),
            kind: handler.kind,
            correlation_id: job.correlation_id.clone(),
            traceparent: Some(job.traceparent.clone()).filter(|trace| !trace.is_empty()),
        };
        // In a task of its own, so that a panic of the handler costs this try only; it ends with the worker's task.
        let mut task = JoinSet::new();
        task.spawn((handler.run)(context, job.payload.clone()));
        let ended = tokio::time::timeout(self.settings.max_run, task.join_next()).await;
        let result = match ended {
            Ok(Some(Ok(result))) => result,
            Ok(Some(Err(panic))) => Err(JobError::Transient(panic.to_string())),
            Ok(None) => return,
            Err(_) => Err(JobError::Transient(format!("took longer than {:?}", self.settings.max_run))),
        };
        self.finish(job, result).await;
    }

    /// Stores how a run ended. If that fails the claim runs out and the job runs again.
    async fn finish(&self, mut job: job::Model, result: Result<(), JobError>) {
        let attempts = job.attempts.unsigned_abs();
        match result {
            Ok(()) => {
                job.state = DONE.to_owned();
                job.payload = Vec::new();
                job.last_error = String::new();
            }
            Err(JobError::Transient(error)) if attempts < self.settings.max_attempts => {
                let pause = self.backoff.pause_after(attempts);
                tracing::warn!(job.kind, job.attempt = attempts, %error, pause_ms = pause.as_millis(), "a job failed");
                job.state = WAITING.to_owned();
                job.not_before = later(self.writer.clocks().real.now(), pause).as_micros();
                job.last_error = error;
            }
            Err(JobError::Transient(error) | JobError::Permanent(error)) => {
                tracing::error!(job.kind, job.attempt = attempts, %error, "a job is given up and waits for a person");
                job.state = DEAD.to_owned();
                job.last_error = error;
            }
        }
        let stored =
            self.writer.internal("job_finish", job, |tx, job| store(tx, job, job.attempts).boxed()).await;
        if let Err(fault) = stored {
            tracing::warn!(error = %fault, "the end of a job was not stored; it will run again");
        }
    }
}

impl Search {
    fn due(&self) -> Select<job::Entity> {
        job::Entity::find()
            .filter(job::Column::State.is_in([WAITING, RUNNING]))
            .filter(job::Column::Kind.is_in(self.kinds.iter().copied()))
            .filter(job::Column::RunAt.lte(self.now.as_micros()))
            .filter(job::Column::NotBefore.lte(self.real_now.as_micros()))
            .order_by_asc(job::Column::RunAt)
            .limit(self.limit)
    }
}

/// The act that claims. Other copies cannot claim the same jobs: the writers of a database take turns.
async fn claim_due(tx: &Tx, search: &Search) -> Result<Vec<job::Model>, Fault> {
    let due = search.due().all(tx.conn()).await.map_err(database_fault)?;
    let mut claimed = Vec::with_capacity(due.len());
    for mut job in due {
        // A job that ends the process whenever it runs never gets to store its failure.
        let hopeless = job.state == RUNNING && job.attempts.unsigned_abs() >= search.max_attempts;
        let expected = job.attempts;
        if hopeless {
            job.state = DEAD.to_owned();
            job.last_error = "did not end in its last try".to_owned();
        } else {
            job.state = RUNNING.to_owned();
            job.attempts += 1;
            job.not_before = search.claim_until.as_micros();
        }
        store(tx, &job, expected).await?;
        if !hopeless {
            claimed.push(job);
        }
    }
    Ok(claimed)
}

/// Stores the state of a job unless another run has begun meanwhile.
async fn store(tx: &Tx, job: &job::Model, expected_attempts: i32) -> Result<(), Fault> {
    let change = job::ActiveModel {
        state: Set(job.state.clone()),
        payload: Set(job.payload.clone()),
        attempts: Set(job.attempts),
        not_before: Set(job.not_before),
        last_error: Set(job.last_error.clone()),
        ..Default::default()
    };
    job::Entity::update_many()
        .set(change)
        .filter(job::Column::Kind.eq(job.kind.as_str()))
        .filter(job::Column::DedupeKey.eq(job.dedupe_key.as_str()))
        .filter(job::Column::Attempts.eq(expected_attempts))
        .exec(tx.conn())
        .await
        .map_err(database_fault)?;
    Ok(())
}

fn later(from: Timestamp, pause: Duration) -> Timestamp {
    from + time::Duration::try_from(pause).unwrap_or(time::Duration::MAX)
}
