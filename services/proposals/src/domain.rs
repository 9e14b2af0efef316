//! The rules of proposals and comparisons. Pure: no database, no network, no clock, no randomness of its own.
//!
//! | module | what it decides |
//! | --- | --- |
//! | [`text`] | several forms of one text: their states, and what must be there before something is published |

pub mod text;
