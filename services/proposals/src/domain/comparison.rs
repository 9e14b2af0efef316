//! Ideas compared in pairs: which of two is better, again and again, until an order can be told. Nobody signs in for
//! it, nobody is known by it, and the ranking is advice: it never closes or rejects an idea.
//!
//! | module | what it decides |
//! | --- | --- |
//! | [`idea`] | what an idea may be; own ideas, which nobody sees before a human has approved them |
//! | [`round`] | when ideas are compared, and when a ranking may be published |
//! | [`session`] | one visit: the pairs it was shown, its answers, taking the latest one back |
//! | [`pairing`] | which pair comes next |
//! | [`sums`] | who won how often over whom |
//! | [`scores`] | win share with its interval |
//! | [`strength`] | Bradley–Terry strengths |
//! | [`ranking`] | the order, by which of the two scores, and what must be said beside it |
//! | [`places`] | for which municipalities an order of their own may be told |
//! | [`import`] | results of a round that was held elsewhere |

pub mod idea;
pub mod import;
pub mod pairing;
pub mod places;
pub mod ranking;
pub mod round;
pub mod scores;
pub mod session;
pub mod strength;
pub mod sums;

/// Number of an idea within its round, from 1, in the order in which they joined it.
pub type IdeaNo = u16;
