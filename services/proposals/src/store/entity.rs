//! The tables as sea-orm sees them. Nothing outside of the store knows them.

pub(crate) mod attachment;
pub(crate) mod attachment_chunk;
pub(crate) mod author_invitation;
pub(crate) mod comment;
pub(crate) mod follow;
pub(crate) mod known_forum;
pub(crate) mod moderation_log;
pub(crate) mod policy_value;
pub(crate) mod proposal;
pub(crate) mod proposal_author;
pub(crate) mod proposal_counts;
pub(crate) mod proposal_finding;
pub(crate) mod proposal_step;
pub(crate) mod proposal_unit;
pub(crate) mod retirement_cursor;
pub(crate) mod search_document;
pub(crate) mod search_size;
pub(crate) mod search_stem;
pub(crate) mod search_term;
pub(crate) mod service_unit;
pub(crate) mod support;
pub(crate) mod text_audio;
pub(crate) mod text_queue;
pub(crate) mod text_symbols;
pub(crate) mod text_variant;
pub(crate) mod used_voucher;
