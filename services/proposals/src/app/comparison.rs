//! Rounds of pairwise comparison: prepared, open, closed, ranked.

mod own_ideas;
mod ranking;
mod reading;
mod rounds;
mod visits;

pub use own_ideas::NewOwnIdea;
pub use ranking::ImportResult;
pub use rounds::{CLOSE_ROUND, PrepareRound, PreparedIdea};
