//! Every conversion between the contracts and the domain.

pub mod community;
pub mod proposals;
pub mod requests;
pub mod search;
pub mod texts;
