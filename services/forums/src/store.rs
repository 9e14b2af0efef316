//! Rows of forums: what is stored, and how it becomes the domain's values again.
//!
//! Functions take a connection and whatever limits what they may touch: a county, a forum, a person, a place on a roll.
//! The limit goes into the query as a condition, so rows outside of it are not found rather than forbidden.

pub mod agenda;
pub mod attendance;
pub mod ballots;
pub mod candidates;
pub mod dissents;
pub mod elections;
mod entity;
pub mod forums;
pub mod meeting_texts;
pub mod meetings;
mod migration;
pub mod papers;
pub mod policies;
pub mod retirements;
pub mod seats;
pub mod tallies;
mod values;
pub mod votes;

pub use migration::migrations;
