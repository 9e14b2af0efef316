//! Work for later (REL-45).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub(crate) struct Model {
    /// Which handler runs it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) kind: String,
    /// Unique within the kind.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) dedupe_key: String,
    /// What the handler needs; emptied when the job is done.
    pub(crate) payload: Vec<u8>,
    /// Not before this moment of the business clock, microseconds.
    pub(crate) run_at: i64,
    /// "waiting", "running", "done" or "dead".
    pub(crate) state: String,
    /// Tries begun so far; also tells one run of the job from another.
    pub(crate) attempts: i32,
    /// Not before this moment of real time, microseconds: the pause after a failure, or the time a running job has
    /// before it is taken to be lost.
    pub(crate) not_before: i64,
    /// What went wrong last; empty if nothing did.
    pub(crate) last_error: String,
    /// Id of the whole act that scheduled it.
    pub(crate) correlation_id: String,
    /// W3C trace context of that act, or empty.
    pub(crate) traceparent: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Waits for its time, or for another try.
pub(crate) const WAITING: &str = "waiting";
/// Being run, until `not_before`.
pub(crate) const RUNNING: &str = "running";
/// Succeeded.
pub(crate) const DONE: &str = "done";
/// Given up; waits for a person.
pub(crate) const DEAD: &str = "dead";
