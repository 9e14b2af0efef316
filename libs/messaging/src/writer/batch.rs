//! One batch in one transaction.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt as _;
use kernel::{Fault, FaultKind};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait as _,
    QueryFilter as _, SqliteTransactionMode, TransactionOptions, TransactionTrait as _,
};

use super::task::Context;
use super::{Act, Logged, Work, append};
use crate::audit;
use crate::crash;
use crate::database::{DatabaseKind, RETRY_CODE};
use crate::entity::command_log;
use crate::event::Origin;
use crate::tx::{Attempt, Parts, Tx};

/// Number of the advisory lock under which the copies of a service write one after the other: "osalwri" in ASCII.
const WRITE_LOCK: i64 = 0x006f_7361_6c77_7269;

/// Savepoints of a transaction on PostgreSQL, which slows down badly beyond 64 (REL-12).
const MOST_SAVEPOINTS: u32 = 48;

/// What became of one act. What it says holds only because the transaction was committed.
pub(super) enum Ended {
    /// This is its answer.
    Answer(Result<Vec<u8>, Fault>),
    /// A lock or a deadlock ended it; it may run again. The fault is for when it may not.
    Again(Fault),
}

/// A committed batch.
pub(super) struct Outcome {
    /// One for each act that was run: the first so many of the batch.
    pub(super) ended: Vec<Ended>,
    /// Lanes in which something was published.
    pub(super) lanes: Vec<String>,
    /// Whether jobs were scheduled.
    pub(super) scheduled: bool,
    /// How it was committed: apart, if an act was refused.
    pub(super) parts: Parts,
}

/// The transaction failed as a whole; nobody may be answered.
pub(super) struct Failure {
    pub(super) error: DbErr,
    /// It was the COMMIT, so it may have taken place all the same.
    pub(super) committing: bool,
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        Self { error, committing: false }
    }
}

/// Runs acts in one transaction and commits it. `quiet` are lanes that get a watermark. With [`Parts::Joined`] an act
/// that refuses leads to another try with savepoints, and the outcome says so.
pub(super) async fn run(
    context: &Context,
    connection: &DatabaseConnection,
    works: &[Work],
    quiet: &[String],
    parts: Parts,
) -> Result<Outcome, Failure> {
    let transaction = begin(connection, context.database.kind()).await?;
    crash::point("writer.begun");
    let root = Tx::root(transaction, context.clocks.business.now(), parts);
    let run = acts(context, &root, works).await;
    if parts == Parts::Joined && (root.is_spoilt() || is_aborted(context, &root).await) {
        root.into_parts()?.0.rollback().await?;
        return Box::pin(self::run(context, connection, works, quiet, Parts::Apart)).await;
    }
    finish(context, root, run?, quiet, parts).await
}

/// PostgreSQL gives a transaction up at the first error, even one that an act has passed over, and answers its COMMIT
/// with success all the same. With savepoints the act's own end tells.
async fn is_aborted(context: &Context, root: &Tx) -> bool {
    context.database.kind() == DatabaseKind::Postgres
        && root.conn().execute_unprepared("SELECT 1").await.is_err()
}

/// What the acts of a batch came to, before anything of it is committed.
struct Run<'a> {
    ended: Vec<Ended>,
    answers: Answers,
    decisions: Vec<(&'a audit::Entry, audit::Outcome, &'a Origin)>,
}

/// Runs acts one after the other until the batch is full.
async fn acts<'a>(context: &Context, root: &Tx, works: &'a [Work]) -> Result<Run<'a>, DbErr> {
    let mut answers = Answers::look_up(root, works).await?;
    let began = Instant::now();
    let mut ended = Vec::with_capacity(works.len());
    let mut decisions = Vec::new();
    for work in works {
        if !ended.is_empty() && is_full(context, root, &answers, began) {
            break;
        }
        let known = answers.known(work);
        let is_repeated = matches!(known, Some(Ok(_)));
        let end = match (known, &work.act) {
            (Some(answer), _) => Ended::Answer(answer),
            (None, Some(act)) => run_one(context, root, work, act).await?,
            (None, None) => Ended::Answer(Ok(Vec::new())),
        };
        crash::point("writer.after_apply");
        if let (Ended::Answer(answer), Some(audited), false) = (&end, &work.audit, is_repeated) {
            let outcome = audited.outcome.clone().unwrap_or_else(|| audit::Outcome::of(answer));
            decisions.push((audited.entry.as_ref(), outcome, &work.origin));
        }
        if let (Ended::Answer(Ok(response)), Some(logged)) = (&end, &work.logged) {
            answers.remember(work.name, logged, response);
        }
        ended.push(end);
    }
    Ok(Run { ended, answers, decisions })
}

/// Stores what the acts have left behind, and commits.
async fn finish(
    context: &Context,
    root: Tx,
    run: Run<'_>,
    quiet: &[String],
    parts: Parts,
) -> Result<Outcome, Failure> {
    let (transaction, outbox) = root.into_parts()?;
    let scheduled = !outbox.jobs.is_empty();
    let lanes = append::events(context, &transaction, outbox.events, quiet).await?;
    append::jobs(&transaction, outbox.jobs).await?;
    append::answers(&transaction, run.answers.new, context.clocks.real.now()).await?;
    append::audit(context, &transaction, run.decisions).await?;
    crash::point("writer.before_commit");
    transaction.commit().await.map_err(|error| Failure { error, committing: true })?;
    crash::point("writer.after_commit");
    Ok(Outcome { ended: run.ended, lanes, scheduled, parts })
}

/// Opens the transaction. From here on nobody else writes: SQLite's own lock sees to that, and on PostgreSQL a lock
/// that other copies of the service wait for. So an act sees everything that was committed before, and what it decides
/// is still true when it is stored.
#[expect(clippy::disallowed_methods, reason = "runs in the writer's task, which no request can cancel")]
pub(crate) async fn begin(
    connection: &DatabaseConnection,
    kind: DatabaseKind,
) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(options).await?;
    if kind == DatabaseKind::Postgres {
        transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({WRITE_LOCK})")).await?;
    }
    Ok(transaction)
}

fn is_full(context: &Context, root: &Tx, answers: &Answers, began: Instant) -> bool {
    let settings = &context.settings;
    // Nested savepoints of a projector's act count too.
    let crowded = context.database.kind() == DatabaseKind::Postgres && root.savepoints() >= MOST_SAVEPOINTS;
    crowded
        || began.elapsed() >= settings.max_batch_time
        || root.published_bytes() + answers.new_bytes >= settings.max_batch_bytes
}

async fn run_one(context: &Context, root: &Tx, work: &Work, act: &Act) -> Result<Ended, DbErr> {
    let limit = context.settings.max_act_time;
    let (now, name, act) = (context.clocks.business.now(), work.name, Arc::clone(act));
    let attempt = root.attempt_at(now, work.origin.clone(), move |tx| {
        async move { tokio::time::timeout(limit, act(tx)).await.unwrap_or_else(|_| Err(too_slow(name))) }
            .boxed()
    });
    let attempt = attempt.await?;
    Ok(match attempt {
        Attempt::Done(response) => Ended::Answer(Ok(response)),
        Attempt::Refused(fault) if fault.kind() == FaultKind::Unavailable && fault.code() == RETRY_CODE => {
            Ended::Again(fault)
        }
        Attempt::Refused(fault) => Ended::Answer(Err(fault)),
        Attempt::Panicked(text) => {
            tracing::error!(command = work.name, panic = text, "an act panicked and was undone");
            Ended::Answer(Err(Fault::internal(format!("{} panicked: {text}", work.name))))
        }
    })
}

/// Answers of commands: those stored before, and those of this batch.
struct Answers {
    by_key: HashMap<(String, String), Answered>,
    new: Vec<command_log::Model>,
    new_bytes: usize,
}

struct Answered {
    request_hash: Vec<u8>,
    response: Vec<u8>,
}

impl Answers {
    /// One query for all keys of the batch.
    async fn look_up(root: &Tx, works: &[Work]) -> Result<Self, DbErr> {
        let logged = || works.iter().filter_map(|work| work.logged.as_ref());
        let mut by_key = HashMap::new();
        if logged().next().is_some() {
            let rows = command_log::Entity::find()
                .filter(command_log::Column::IdemKey.is_in(logged().map(|logged| logged.key.as_str())))
                .filter(
                    command_log::Column::Principal.is_in(logged().map(|logged| logged.principal.as_str())),
                )
                .all(root.conn())
                .await?;
            for row in rows {
                let answered = Answered { request_hash: row.request_hash, response: row.response };
                by_key.insert((row.principal, row.idem_key), answered);
            }
        }
        Ok(Self { by_key, new: Vec::new(), new_bytes: 0 })
    }

    /// The answer to a command that was committed before, or that stands earlier in this batch.
    fn known(&self, work: &Work) -> Option<Result<Vec<u8>, Fault>> {
        let logged = work.logged.as_ref()?;
        let answered = self.by_key.get(&(logged.principal.clone(), logged.key.clone()))?;
        if answered.request_hash != logged.request_hash {
            return Some(Err(key_reused()));
        }
        Some(Ok(answered.response.clone()))
    }

    fn remember(&mut self, rpc: &'static str, logged: &Logged, response: &[u8]) {
        let key = (logged.principal.clone(), logged.key.clone());
        if self.by_key.contains_key(&key) {
            return;
        }
        let answered = Answered { request_hash: logged.request_hash.to_vec(), response: response.to_vec() };
        self.by_key.insert(key, answered);
        self.new_bytes += response.len();
        self.new.push(command_log::Model {
            principal: logged.principal.clone(),
            idem_key: logged.key.clone(),
            rpc: rpc.to_owned(),
            request_hash: logged.request_hash.to_vec(),
            response: response.to_vec(),
            created_at: 0,
        });
    }
}

fn key_reused() -> Fault {
    Fault::already_exists(
        "idempotency_key_reused",
        "This idempotency key was used for another request; make a new key for every new request.",
    )
}

fn too_slow(name: &str) -> Fault {
    Fault::internal(format!("{name} took too long inside the transaction and was undone"))
}
