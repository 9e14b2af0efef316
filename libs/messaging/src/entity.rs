//! The library's own tables, as sea-orm sees them. Rows never leave the crate.
//!
//! Without `#[sea_orm::model]`: what that adds opens transactions of its own (REL-14).

pub(crate) mod audit_log;
pub(crate) mod command_log;
pub(crate) mod event_head;
pub(crate) mod event_log;
pub(crate) mod job;
pub(crate) mod lease;
pub(crate) mod parked_event;
pub(crate) mod projection_cursor;
