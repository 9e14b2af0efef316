//! Rounds of pairwise comparison. Answers are rows; what a ranking or the next pair needs is kept beside them with every
//! answer, so that neither ever reads the answers again.

pub mod ideas;
pub mod rankings;
pub mod rounds;
pub mod sessions;
pub mod sums;

use kernel::Fault;

use crate::domain::comparison::IdeaNo;

/// The number of an idea.
fn idea_no(stored: i64) -> Result<IdeaNo, Fault> {
    IdeaNo::try_from(stored).map_err(Fault::internal)
}

/// A kept count.
fn count(stored: i64) -> Result<u64, Fault> {
    u64::try_from(stored).map_err(Fault::internal)
}

/// A count to keep.
fn kept(count: u64) -> Result<i64, Fault> {
    i64::try_from(count).map_err(Fault::internal)
}
