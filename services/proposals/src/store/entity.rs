//! The tables as sea-orm sees them. Nothing outside of the store knows them.

pub(crate) mod known_forum;
pub(crate) mod policy_value;
pub(crate) mod retirement_cursor;
pub(crate) mod service_unit;
