//! The rules of proposals and comparisons. Pure: no database, no network, no clock, no randomness of its own.
//!
//! | module | what it decides |
//! | --- | --- |
//! | [`attachment`] | files: what may be sent, what they are, what is taken out of them |
//! | [`code`] | codes that people read from paper and type |
//! | [`comment`] | comments in threads, who may add one and where, what a human decides about them |
//! | [`moderation`] | what is moderated, and what everybody may know of it |
//! | [`proposal`] | where a proposal stands, where it may go, whose turn it is |
//! | [`screening`] | what in a text looks like personal data; it warns and never decides |
//! | [`stems`] | words of texts as the search sees them, and what they weigh |
//! | [`text`] | several forms of one text: their states, and what must be there before something is published |

pub mod attachment;
pub mod code;
pub mod comment;
pub mod moderation;
pub mod proposal;
pub mod screening;
pub mod stems;
pub mod text;
