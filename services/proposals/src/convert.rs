//! Every conversion between the contracts and the domain.

pub mod proposals;
pub mod requests;
pub mod texts;
