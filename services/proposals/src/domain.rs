//! The rules of proposals and comparisons. Pure: no database, no network, no clock, no randomness of its own.
//!
//! | module | what it decides |
//! | --- | --- |
//! | [`code`] | codes that people read from paper and type |
//! | [`proposal`] | where a proposal stands, where it may go, whose turn it is |
//! | [`text`] | several forms of one text: their states, and what must be there before something is published |

pub mod code;
pub mod proposal;
pub mod text;
