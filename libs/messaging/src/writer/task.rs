//! The task that owns the connection: collects batches, and decides what happens when one fails.
//!
//! A command's own mistakes end with its savepoint and never get here. What gets here is the failure of the transaction
//! as a whole: a lock or deadlock, a lost connection, a full disk. Then nothing was answered yet, the connection is
//! thrown away, and the acts run again: all, then in halves, then one by one (REL-11). If it was the COMMIT that failed,
//! nobody knows whether it took place; the acts run again alone, and those that had been committed find their answer in
//! the command log (REL-10).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use kernel::{Fault, Ids};
use sea_orm::{DatabaseConnection, DbErr};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::batch::{self, Ended, Failure};
use super::{Clocks, Wake, Work, WriterSettings, housekeeping};
use crate::backoff::Backoff;
use crate::crash;
use crate::database::{Database, ErrorClass, RETRY, classify, full};
use crate::telemetry::{NotRun, WriterMetrics};
use crate::tx::Parts;

/// Between the rounds of a failing batch, and the longest wait before the next attempt to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// The round in which an act gets its last chance, alone.
const LAST_ROUND: u32 = 3;
/// Where one act is refused others are, and a batch without savepoints would run twice: so many get them at once.
const CAREFUL: u32 = 16;

/// What the task works with.
pub(super) struct Context {
    pub(super) database: Database,
    pub(super) clocks: Clocks,
    pub(super) ids: Ids,
    pub(super) settings: WriterSettings,
    pub(super) wake: Arc<Wake>,
    pub(super) metrics: WriterMetrics,
}

struct Task {
    context: Context,
    connection: Option<DatabaseConnection>,
    backoff: Backoff,
    /// Why there is no connection, and no attempt to connect before when; requests are refused until then.
    away: Option<(Instant, DbErr)>,
    /// Taken from the queue, not yet run.
    waiting: VecDeque<Work>,
    /// Batches that get savepoints at once, because an act was refused lately.
    careful: u32,
    /// When something was last published in each lane that has no watermark at its end.
    active_lanes: HashMap<String, Instant>,
}

/// Acts that share a transaction, and how often they have failed together.
struct Group {
    works: Vec<Work>,
    round: u32,
}

/// Runs until `stop` is cancelled and the queue is empty.
pub(super) async fn run(context: Context, mut queue: mpsc::Receiver<Work>, stop: CancellationToken) {
    let tidy_every = housekeeping::interval(&context.settings);
    let mut next_tidy = Instant::now();
    let backoff = Backoff::new(PAUSES.0, PAUSES.1, &context.ids);
    let mut task = Task {
        context,
        connection: None,
        backoff,
        away: None,
        waiting: VecDeque::new(),
        careful: 0,
        active_lanes: HashMap::new(),
    };
    let mut first_tidy = true;
    loop {
        if stop.is_cancelled() {
            queue.close();
        }
        if task.waiting.is_empty() {
            tokio::select! {
                work = queue.recv() => match work {
                    Some(work) => task.waiting.push_back(work),
                    None => break,
                },
                () = stop.cancelled(), if !queue.is_closed() => continue,
                () = tokio::time::sleep_until(next_tidy) => {}
            }
        }
        while task.waiting.len() < task.context.settings.max_batch {
            let Ok(work) = queue.try_recv() else { break };
            task.waiting.push_back(work);
        }
        let size = task.waiting.len().min(task.context.settings.max_batch);
        let works: Vec<Work> = task.waiting.drain(..size).collect();
        if !works.is_empty() {
            task.process(works).await;
        }
        if Instant::now() >= next_tidy {
            let more = task.tidy(first_tidy).await;
            first_tidy = false;
            next_tidy = Instant::now() + if more { Duration::ZERO } else { tidy_every };
        }
    }
    task.disconnect().await;
}

impl Task {
    /// Runs acts to their end: each is answered, or put back to wait for the next batch.
    async fn process(&mut self, works: Vec<Work>) {
        if works.iter().any(Work::is_command) {
            crash::point("writer.recv");
        }
        let mut groups = VecDeque::from([Group { works, round: 0 }]);
        while let Some(mut group) = groups.pop_front() {
            if group.round == 0 {
                group.refuse_expired(&self.context.metrics);
            }
            if group.works.is_empty() {
                continue;
            }
            let Some(connection) = self.connect().await else {
                self.refuse_all(group, groups);
                return;
            };
            let began = Instant::now();
            // One act has nobody to share with, and would run twice if it refuses.
            let is_alone = group.works.len() == 1;
            let parts = if self.careful > 0 || is_alone { Parts::Apart } else { Parts::Joined };
            let of_clients = group.works.iter().any(Work::is_command);
            let run = batch::run(&self.context, &connection, &group.works, &[], parts);
            let outcome = crash::at_stake(of_clients, run).await;
            drop(connection);
            match outcome {
                Ok(outcome) => {
                    let size = outcome.ended.len();
                    self.careful = match (parts, outcome.parts) {
                        (Parts::Joined, Parts::Apart) => CAREFUL,
                        _ => self.careful.saturating_sub(1),
                    };
                    self.context.metrics.committed(size, began.elapsed().as_secs_f64());
                    self.note_published(&outcome.lanes);
                    groups.extend(self.finish(group, outcome.ended).await);
                    self.context.wake(outcome.lanes.is_empty(), outcome.scheduled);
                }
                Err(failure) => {
                    tracing::warn!(
                        batch.size = group.works.len(),
                        batch.round = group.round,
                        batch.committing = failure.committing,
                        error = %failure.error,
                        "a batch was lost and is tried again"
                    );
                    self.context.metrics.lost();
                    self.disconnect().await;
                    for next in group.after(&failure).into_iter().rev() {
                        groups.push_front(next);
                    }
                    tokio::time::sleep(self.backoff.jittered(PAUSES.0)).await;
                }
            }
        }
    }

    /// Answers what has ended; gives back what must be tried again alone.
    async fn finish(&mut self, group: Group, ended: Vec<Ended>) -> Vec<Group> {
        let mut again = Vec::new();
        let mut not_run = Vec::new();
        let mut ended = ended.into_iter();
        let mut works = group.works.into_iter();
        while let Some(work) = works.next() {
            match ended.next() {
                Some(Ended::Again(_)) if group.round < LAST_ROUND => {
                    again.push(Group { works: vec![work], round: group.round + 1 });
                }
                Some(Ended::Again(fault)) => work.answer(Err(fault)),
                Some(Ended::Answer(answer)) => {
                    let is_planned = crash::is_planned("writer.after_first_reply");
                    let first = work.key().filter(|_| is_planned).map(str::to_owned);
                    work.answer(answer);
                    if let Some(first) = first {
                        pass_between(&first, works.as_slice().iter().take(ended.len())).await;
                    }
                }
                None => not_run.push(work),
            }
        }
        for work in not_run.into_iter().rev() {
            self.waiting.push_front(work);
        }
        again
    }

    /// Watermarks of quiet lanes, and old answers. True if there is more to delete.
    async fn tidy(&mut self, first: bool) -> bool {
        let Some(connection) = self.connect().await else {
            return false;
        };
        let now = Instant::now();
        if first {
            for lane in housekeeping::lanes_without_watermark(&connection).await.unwrap_or_default() {
                self.active_lanes.entry(lane).or_insert(now);
            }
        }
        let quiet_after = self.context.settings.watermark_quiet;
        let quiet: Vec<String> = self
            .active_lanes
            .iter()
            .filter(|(_, last)| now.duration_since(**last) >= quiet_after)
            .map(|(lane, _)| lane.clone())
            .collect();
        let (work, deleted) = housekeeping::forget_old_answers(&self.context);
        let works = [work];
        let run = batch::run(&self.context, &connection, &works, &quiet, Parts::Apart);
        match crash::at_stake(false, run).await {
            Ok(outcome) => {
                for lane in &quiet {
                    self.active_lanes.remove(lane);
                }
                self.context.wake(outcome.lanes.is_empty(), false);
                deleted.is_at_limit()
            }
            Err(failure) => {
                tracing::warn!(error = %failure.error, "housekeeping failed and is tried again later");
                self.disconnect().await;
                false
            }
        }
    }

    fn note_published(&mut self, lanes: &[String]) {
        let now = Instant::now();
        for lane in lanes {
            self.active_lanes.insert(lane.clone(), now);
        }
    }

    /// The connection, made anew if it was lost. None if the database is away.
    async fn connect(&mut self) -> Option<DatabaseConnection> {
        if let Some(connection) = &self.connection {
            return Some(connection.clone());
        }
        if self.away.as_ref().is_some_and(|(until, _)| Instant::now() < *until) {
            return None;
        }
        match self.context.database.connect_writer().await {
            Ok(connection) => {
                self.away = None;
                self.backoff.reset();
                self.connection = Some(connection.clone());
                Some(connection)
            }
            Err(error) => {
                let pause = self.backoff.next_pause();
                tracing::warn!(%error, retry_ms = pause.as_millis(), "the database is away");
                self.away = Some((Instant::now() + pause, error));
                None
            }
        }
    }

    async fn disconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            // The connection is thrown away because it is not trusted; how it ends does not matter.
            let _ = connection.close().await;
        }
    }

    fn refuse_all(&mut self, group: Group, groups: VecDeque<Group>) {
        let groups = std::iter::once(group).chain(groups);
        for work in groups.flat_map(|group| group.works).chain(self.waiting.drain(..)) {
            let fault = away();
            self.context.metrics.rejected(NotRun::DatabaseAway);
            work.answer(Err(match &self.away {
                Some((_, error)) => fault.because(error),
                None => fault,
            }));
        }
    }
}

impl Context {
    fn wake(&self, nothing_published: bool, scheduled: bool) {
        if !nothing_published {
            self.wake.published.notify_one();
        }
        if scheduled {
            self.wake.jobs.notify_one();
        }
    }
}

impl Group {
    /// Only what was never begun: of the rest nobody could say that nothing was stored.
    fn refuse_expired(&mut self, metrics: &WriterMetrics) {
        let now = std::time::Instant::now();
        let (expired, works) = self.works.drain(..).partition(|work: &Work| work.is_expired(now));
        self.works = works;
        for work in expired {
            metrics.rejected(NotRun::DeadlinePassed);
            work.answer(Err(expired_fault()));
        }
    }

    /// How to go on after a failure of the whole transaction.
    fn after(self, failure: &Failure) -> Vec<Self> {
        let round = if failure.committing { LAST_ROUND } else { self.round + 1 };
        let hopeless =
            self.works.len() == 1 && classify(&failure.error) != ErrorClass::Transient && !failure.committing;
        if self.round >= LAST_ROUND || hopeless {
            for work in self.works {
                work.answer(Err(lost(&failure.error)));
            }
            return Vec::new();
        }
        let size = if round == 1 { self.works.len().div_ceil(2) } else { 1 };
        let mut groups = Vec::new();
        let mut works = self.works.into_iter();
        loop {
            let part: Vec<Work> = works.by_ref().take(size).collect();
            if part.is_empty() {
                return groups;
            }
            groups.push(Self { works: part, round });
        }
    }
}

/// A client was answered. Of others, whose commands are stored as well, there must be some that were not.
async fn pass_between(answered: &str, others: impl Iterator<Item = &Work>) {
    let left: Vec<&str> = others.filter_map(Work::key).collect();
    if !left.is_empty() {
        let tell = || format!("{answered}\n{}", left.join("\n"));
        crash::hold("writer.after_first_reply", tell).await;
    }
}

fn lost(error: &DbErr) -> Fault {
    match classify(error) {
        ErrorClass::Transient => away().because(error),
        ErrorClass::Full => full().because(error),
        ErrorClass::Constraint | ErrorClass::Other => Fault::internal(error),
    }
}

fn away() -> Fault {
    Fault::unavailable(
        "messaging.database_away",
        "The database cannot be reached, so it is not known whether this was stored; send the same request again.",
    )
    .with_retry_after(RETRY)
}

fn expired_fault() -> Fault {
    Fault::unavailable(
        "messaging.deadline_passed",
        "The deadline passed before this was begun; nothing was stored.",
    )
    .with_retry_after(RETRY)
}

#[cfg(test)]
mod tests {
    use kernel::FaultKind;
    use sea_orm::ConnAcquireErr;
    use tokio::sync::oneshot;

    use super::*;
    use crate::writer::Origin;

    type Answer = oneshot::Receiver<Result<Vec<u8>, Fault>>;

    fn group(size: usize, round: u32) -> (Group, Vec<Answer>) {
        let work = |_| {
            let (reply, answer) = oneshot::channel();
            let origin = Origin::default();
            let work =
                Work { name: "test", logged: None, origin, deadline: None, act: None, audit: None, reply };
            (work, answer)
        };
        let (works, answers) = (0..size).map(work).unzip();
        (Group { works, round }, answers)
    }

    fn lost_connection() -> Failure {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout).into()
    }

    fn own_failure() -> Failure {
        DbErr::Custom("a fault of the act".to_owned()).into()
    }

    fn shape(groups: &[Group]) -> Vec<(usize, u32)> {
        groups.iter().map(|group| (group.works.len(), group.round)).collect()
    }

    /// The answers of acts that will not run again; none of them waits.
    fn answered(answers: Vec<Answer>) -> Vec<FaultKind> {
        answers.into_iter().map(|mut answer| answer.try_recv().unwrap().unwrap_err().kind()).collect()
    }

    #[test]
    fn rel_11_a_batch_that_was_lost_runs_again_in_halves_then_one_by_one_and_then_no_more() {
        let (all, answers) = group(5, 0);
        let mut halves = all.after(&lost_connection());
        assert_eq!(shape(&halves), [(3, 1), (2, 1)]);
        let mut alone = halves.remove(0).after(&lost_connection());
        assert_eq!(shape(&alone), [(1, 2); 3]);
        let mut last = alone.remove(0).after(&lost_connection());
        assert_eq!(shape(&last), [(1, 3)]);
        assert!(last.remove(0).after(&lost_connection()).is_empty());
        assert_eq!(answered(answers.into_iter().take(1).collect()), [FaultKind::Unavailable]);
    }

    #[test]
    fn rel_10_after_a_lost_commit_everybody_runs_once_more_and_alone() {
        for size in [1, 3] {
            let committing = || Failure { committing: true, ..own_failure() };
            let (all, answers) = group(size, 0);
            let groups = all.after(&committing());
            assert_eq!(shape(&groups), vec![(1, 3); size]);
            for group in groups {
                assert!(group.after(&committing()).is_empty());
            }
            assert_eq!(answered(answers), vec![FaultKind::Internal; size]);
        }
    }

    #[test]
    fn an_act_that_fails_by_itself_is_not_tried_again_when_it_is_alone() {
        let (alone, answers) = group(1, 0);
        assert!(alone.after(&own_failure()).is_empty());
        assert_eq!(answered(answers), [FaultKind::Internal]);
        let (two, _) = group(2, 0);
        assert_eq!(shape(&two.after(&own_failure())), [(1, 1), (1, 1)], "one of two may be innocent");
    }
}
