//! Where proposals keeps its rows. Functions take a connection, and what the caller may see as a parameter: the limit
//! goes into the query as a condition, so rows outside of it are not found rather than forbidden.

pub mod answers;
pub mod attachments;
pub mod authors;
pub mod changes;
pub mod comments;
pub mod comparison;
pub mod counts;
pub mod decisions;
mod entity;
pub mod feedback;
pub mod findings;
pub mod follows;
pub mod forums;
pub mod lists;
mod migration;
pub mod moderations;
pub mod policies;
pub mod proposals;
pub mod reach;
pub mod responses;
pub mod retirements;
pub mod search;
pub mod steps;
pub mod supports;
pub mod tellings;
pub mod texts;
pub mod units;
mod values;

pub use migration::migrations;
