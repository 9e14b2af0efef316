//! The rules of proposals and comparisons. Pure: no database, no network, no clock, no randomness of its own.
//!
//! | module | what it decides |
//! | --- | --- |
//! | [`attachment`] | files: what may be sent, what they are, what is taken out of them |
//! | [`code`] | codes that people read from paper and type |
//! | [`comment`] | comments in threads, who may add one and where, what a human decides about them |
//! | [`feedback`] | the loop card: you said, we did, we could not, next |
//! | [`finding`] | what may be personal data in a proposal, and what a human said of it |
//! | [`impact`] | what a change brought about: measured before and after it, or not claimed |
//! | [`implementation`] | the change that an answer promised: plan, progress, end |
//! | [`moderation`] | what is moderated, and what everybody may know of it |
//! | [`comparison`] | ideas compared in pairs, and the ranking that comes of it |
//! | [`proposal`] | where a proposal stands, where it may go, whose turn it is |
//! | [`response`] | what a unit owes an endorsed proposal, when, and what its answer says |
//! | [`screening`] | what in a text looks like personal data; it warns and never decides |
//! | [`stems`] | words of texts as the search sees them, and what they weigh |
//! | [`text`] | several forms of one text: their states, and what must be there before something is published |
//! | [`timeline`] | what happens to a proposal within a stage, and who is told of it |
//! | [`wording`] | form of roles, steps and reasons |

pub mod attachment;
pub mod code;
pub mod comment;
pub mod comparison;
pub mod feedback;
pub mod finding;
pub mod impact;
pub mod implementation;
pub mod moderation;
pub mod proposal;
pub mod response;
pub mod screening;
pub mod stems;
pub mod text;
pub mod timeline;
pub mod wording;
