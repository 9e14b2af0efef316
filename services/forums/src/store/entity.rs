//! The tables as sea-orm sees them. Nothing outside of the store knows them.

pub(crate) mod ballot_box;
pub(crate) mod candidate;
pub(crate) mod candidate_picture;
pub(crate) mod constituency;
pub(crate) mod counted_choices;
pub(crate) mod deputy;
pub(crate) mod election;
pub(crate) mod forum;
pub(crate) mod forum_tenant;
pub(crate) mod lots_seed;
pub(crate) mod paper_entry;
pub(crate) mod policy_value;
pub(crate) mod retirement_cursor;
pub(crate) mod seat;
pub(crate) mod seat_quota;
pub(crate) mod tally_line;
pub(crate) mod voter_mark;
