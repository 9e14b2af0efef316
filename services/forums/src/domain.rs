//! The rules of forums, their elections and their meetings. Pure: no database, no network, no clock, no randomness of its own.
//!
//! | module | what it decides |
//! | --- | --- |
//! | [`forum`] | founding a forum and approving its seat plan (F1) |
//! | [`seat`] | filling and vacating seats, deputies in order |
//! | [`election`] | the steps of an election and when each may be taken |
//! | [`candidate`] | who may stand where (F2, F8), what goes on the ballot paper |
//! | [`voter`] | who may vote (F3, F8, M5) |
//! | [`ballot`] | what a ballot may say (F4) and how it is written down |
//! | [`sealed`] | sealing ballots to the election board's key; the box |
//! | [`paper`] | batches of paper ballots, entered twice |
//! | [`tally`] | who is elected, who is a deputy, where lots are needed (F5, F6) |
//! | [`lots`] | lots that anyone can recompute |
//! | [`figures`] | what the public sees of a result (F7) |
//! | [`meeting`] | meetings: agenda, quorum (F9), votes (F10), notice (F11), minutes (F12) |

pub mod ballot;
pub mod candidate;
pub mod election;
pub mod figures;
pub mod forum;
pub mod lots;
pub mod meeting;
pub mod paper;
pub mod sealed;
pub mod seat;
pub mod tally;
pub mod voter;
