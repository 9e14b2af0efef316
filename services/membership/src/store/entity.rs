//! The tables as sea-orm sees them. Rows never leave the store.

pub(super) mod attestation;
pub(super) mod code_card;
pub(super) mod contact;
pub(super) mod delivery;
pub(super) mod eligible_count;
pub(super) mod known_forum;
pub(super) mod mandate;
pub(super) mod nomination_code;
pub(super) mod notice;
pub(super) mod participant;
pub(super) mod person;
pub(super) mod policy;
pub(super) mod pseudonym;
pub(super) mod region;
pub(super) mod retired_reference;
pub(super) mod role_assignment;
pub(super) mod roll;
pub(super) mod roll_count;
pub(super) mod roll_entry;
pub(super) mod service_account;
pub(super) mod service_unit;
pub(super) mod session;
pub(super) mod setup_code;
pub(super) mod signing_key;
pub(super) mod support;
