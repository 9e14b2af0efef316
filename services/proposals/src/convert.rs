//! Every conversion between the contracts and the domain.

pub mod answers;
pub mod changes;
pub mod community;
pub mod comparisons;
pub mod feedback;
pub mod proposals;
pub mod requests;
pub mod search;
pub mod texts;
