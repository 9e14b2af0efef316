//! The tables as sea-orm sees them. Nothing outside of the store knows them.

pub(crate) mod agenda_item;
pub(crate) mod attendance;
pub(crate) mod ballot_box;
pub(crate) mod candidate;
pub(crate) mod candidate_picture;
pub(crate) mod constituency;
pub(crate) mod counted_choices;
pub(crate) mod deputy;
pub(crate) mod dissent;
pub(crate) mod election;
pub(crate) mod forum;
pub(crate) mod forum_tenant;
pub(crate) mod forum_vote;
pub(crate) mod forum_vote_mark;
pub(crate) mod lots_seed;
pub(crate) mod meeting;
pub(crate) mod meeting_present;
pub(crate) mod meeting_text;
pub(crate) mod paper_entry;
pub(crate) mod policy_value;
pub(crate) mod proposal_sending;
pub(crate) mod retirement_cursor;
pub(crate) mod seat;
pub(crate) mod seat_quota;
pub(crate) mod tally_line;
pub(crate) mod voter_mark;
