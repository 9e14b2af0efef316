//! How tests start things: a real nats-server, a real PostgreSQL, each in a temporary folder, each gone when the
//! test is.
//!
//! Nothing here sleeps and hopes. A server counts as started once it has answered as itself, a condition is
//! awaited with [`eventually`], and whatever a test started is ended when its handle is dropped, or when the test
//! process ends in any other way: an interrupted run leaves no process and no folder.
//!
//! - [`nats::Server`]: JetStream on a port of its own, which a test may kill, restart, pause and resume;
//!   [`nats::Trio`]: three of them that keep streams together.
//! - [`postgres::Cluster`]: one PostgreSQL per run (`infra/test` starts it) or per test process, with a fresh
//!   database for every test that asks.
//! - [`Directory`](directory::Directory): a stand-in for membership that signs the tokens of made-up callers.
//! - [`Program`](program::Program): `osallisuus` in a process of its own, to kill, freeze and start again.
//! - [`not_run()`]: for what a machine cannot try.
//! - [`System`](system::System): services with all of these, in the test's own process.

mod binaries;
mod copy;
pub mod directory;
mod eventually;
pub mod nats;
mod not_run;
mod ports;
pub mod postgres;
mod process;
pub mod program;
pub mod raw;
pub mod system;

pub use copy::copy_folder;
pub use eventually::eventually;
pub use not_run::not_run;
pub use ports::free_port;
