//! Work for later: deadlines of the business clock and calls to the outside, which no act may make itself (REL-45).
//!
//! A job is a row written in the act's own transaction, so it exists exactly if the act was committed. The worker runs
//! it at least once; what a job does must bear being done twice, and [`JobContext::command`] gives it the means.

mod worker;

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use kernel::Timestamp;

use crate::writer::{Command, Writer};

pub use worker::{JobCounts, JobSettings, job_counts, run_jobs};

/// A job to be scheduled with [`Tx::schedule`](crate::Tx::schedule).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Which handler runs it.
    pub kind: &'static str,
    /// Unique within the kind, for ever: a second job with the same key is ignored. Something like "round-1-closes@2",
    /// with a version of the date in it when the date can move.
    pub dedupe_key: String,
    /// Not before this moment of the business clock.
    pub run_at: Timestamp,
    /// What the handler needs, in a form of its own choice; no personal data.
    pub payload: Vec<u8>,
}

/// Why a job did not succeed. The text may hold no personal data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Try again later, after a growing pause, a limited number of times.
    #[error("transient: {0}")]
    Transient(String),
    /// Will fail every time: the job is dead at once and waits for a person.
    #[error("permanent: {0}")]
    Permanent(String),
}

/// A fault of a command or a query within a job. A refusal will be the same next time; a service that is busy, away or
/// broken may get well.
impl From<kernel::Fault> for JobError {
    fn from(fault: kernel::Fault) -> Self {
        match fault.kind() {
            kernel::FaultKind::Unavailable
            | kernel::FaultKind::ResourceExhausted
            | kernel::FaultKind::Internal => Self::Transient(fault.to_string()),
            _ => Self::Permanent(fault.to_string()),
        }
    }
}

/// What a job gets to work with.
#[derive(Clone, Debug)]
pub struct JobContext {
    /// For the effect of the job in the service's own database.
    pub writer: Writer,
    /// Key of the job, unique within its kind; good as the dedupe key of a call to the outside.
    pub dedupe_key: String,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// The moment it was scheduled for.
    pub run_at: Timestamp,
    pub(crate) kind: &'static str,
    pub(crate) correlation_id: String,
    pub(crate) traceparent: Option<String>,
}

impl JobContext {
    /// The command for one step of the job. Its key is made from the job's, so when the job runs twice the step is
    /// done once. Different steps of a job need different names.
    pub fn command(&self, step: &'static str) -> Command {
        let key = format!("{}/{step}", self.dedupe_key);
        Command {
            principal: format!("job/{}", self.kind),
            request_hash: crate::writer::request_hash(key.as_bytes()),
            key,
            rpc: step,
            deadline: None,
            traceparent: self.traceparent.clone(),
            correlation_id: self.correlation_id.clone(),
            // What the system does by itself is in its own tables; the log is of those who use it.
            audit: None,
        }
    }
}

/// What a job of a kind does.
pub type JobRun = Arc<dyn Fn(JobContext, Vec<u8>) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync>;

/// A kind of job and what it does.
#[derive(Clone)]
pub struct JobHandler {
    /// Name of the kind.
    pub kind: &'static str,
    /// Called with the payload; may be called again with the same.
    pub run: JobRun,
}

impl JobHandler {
    /// A handler from a function or closure.
    pub fn new<F>(kind: &'static str, run: F) -> Self
    where
        F: Fn(JobContext, Vec<u8>) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync + 'static,
    {
        Self { kind, run: Arc::new(run) }
    }
}

impl fmt::Debug for JobHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandler").field("kind", &self.kind).finish_non_exhaustive()
    }
}
