//! Rounds of pairwise comparison: prepared, open, closed, ranked.

mod correcting;
mod own_ideas;
mod ranking;
mod reading;
mod removing;
mod rounds;
mod tidying;
mod visits;

pub use own_ideas::{NewOwnIdea, OWN_IDEA_UNREAD};
pub use ranking::ImportResult;
pub(super) use removing::remove_hidden;
pub use rounds::{CLOSE_ROUND, PrepareRound, PreparedIdea};
pub use tidying::TIDY_ROUND;
