//! The load generator: calls at fixed times, whatever the answers do.
//!
//! Real people do not wait for each other, so the generator is an *open loop*: arrivals follow a schedule, and how long a
//! call took counts from the moment it was due. A server that stands still for a second therefore shows a second in
//! the figures of everybody who came meanwhile, and not in one call's (coordinated omission). Calls in work are bounded;
//! one that is due when there is no room is counted as failed, never dropped in silence.
//!
//! It comes as an administrator, prepares its own people, forums, proposals and election by ordinary calls, and runs only against a
//! system whose business clock may be set: a demonstration, or one with `load_test = true`. Everything it writes it also
//! writes into a journal, if asked, by which the ledger judges the system afterwards.
//!
//! | file | what it does |
//! | --- | --- |
//! | `load/fleet.rs` | connections and tokens, made ahead of time |
//! | `load/prepare.rs`, `load/election.rs`, `load/ideas.rs` | what must be there before |
//! | `load/mix.rs` | which calls, in which share |
//! | `load/act.rs`, `load/take_part.rs` | doing one of them, as a real client does, retries included |
//! | `load/schedule.rs` | when |
//! | `load/record.rs`, `load/report.rs` | latencies and counts; what is told at the end |
//! | `load/watch.rs` | memory of the server, commit to projection |
//! | `load/seek.rs` | the highest rate that keeps a promise |

mod act;
mod election;
mod fleet;
mod ideas;
mod mix;
mod prepare;
mod record;
mod report;
mod schedule;
mod seek;
mod take_part;
mod watch;

use std::time::Duration;

use kernel::TenantId;

pub use fleet::Fleet;
pub use mix::Mix;
pub use report::{Latencies, Memory, Report};
pub use seek::{Found, Step, seek};

use crate::exit::Failure;
use crate::screen::Screen;

/// What to do to a system.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which calls.
    pub mix: Mix,
    /// Arrivals a second.
    pub rate: f64,
    /// For how long.
    pub duration: Duration,
    /// Most calls in work at once; more are counted as failed.
    pub outstanding: usize,
    /// Decides which call comes when.
    pub seed: u64,
    /// County to work in.
    pub tenant: TenantId,
    /// Voters of an election day; each votes once.
    pub voters: usize,
    /// Whether to measure how long a commit takes to reach another service's projection.
    pub probe: bool,
    /// Whether it is a soak: the report tells how memory grows.
    pub soak: bool,
}

/// Prepares a system for the plan and then carries it out.
///
/// # Errors
/// Refused, if the system is not there to be loaded; what a service answered while it was prepared. Failed calls of the
/// load itself are in the report.
pub async fn run(fleet: &Fleet, plan: &Plan, screen: Screen) -> Result<Report, Failure> {
    let stage = prepare::prepare(fleet, plan, screen).await?;
    schedule::carry_out(fleet, plan, &stage, screen).await
}
