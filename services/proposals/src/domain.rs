//! The rules of proposals and comparisons. Pure: no database, no network, no clock, no randomness of its own.
//!
//! | module | what it decides |
//! | --- | --- |
