//! What the crash matrix and the fault tests share: a system of real processes that may be harmed, clients that keep
//! working meanwhile, and the judgement afterwards.
//!
//! ```text
//! Place (folder, databases, nats-server) ── start ──▶ Program `osallisuus up`
//!    │ copy                                              ▲ kill, freeze, starve
//!    ▼                                                   │
//! another Place            Load (clients that send a command again, with its key, until it is answered)
//!                                                        │ stop
//!                                            drained ──▶ verdict
//! ```
//!
//! | module | what it has |
//! | --- | --- |
//! | [`place`] | what a system stands on, and its processes |
//! | [`scene`] | an election brought to the day of voting: who may do what |
//! | [`load`] | clients of all services, working at the same time |
//! | [`verdict`] | waiting until everything has arrived, and whether it is as it must be |
//! | [`measure`] | the figures of the documentation, measured from outside |
//! | [`matrix`] | the crash matrix: every point at which a process may die (TST-03) |

pub mod load;
pub mod matrix;
pub mod measure;
pub mod operation;
pub mod place;
pub mod scene;
pub mod verdict;
