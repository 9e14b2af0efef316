//! Storing what happened and telling others: the machinery below every service, with no word of the field in it.
//!
//! ```text
//! request ─▶ Writer ─▶ one transaction: rows + event log + command log ─▶ COMMIT ─▶ answer
//!                                          │
//!                                          ▼ relay           (the log is the truth, the stream a copy)
//!                                      JetStream ─▶ projector of another service ─▶ its rows + cursor, one transaction
//! ```
//!
//! - [`Database`] opens and migrates; reads go through its pool.
//! - [`Writer`] runs every write, many per transaction; inside, an act has a [`Tx`].
//! - [`audit`] is the log of who did or read what.
//! - [`NewEvent`] is a fact for others, [`NewJob`] work for later; both exist only if the act was committed.
//! - [`Projection`] is what a service does with the events of another.
//! - [`Pipeline`] runs the [`relay`] and the [`projector`]s of a service until it stops; [`provision`] says what streams
//!   and consumers look like. [`schema`] has the words of migrations.
//!
//! Lanes: the events of one county (tenant) in one service are a sequence without gaps, linked by hashes. A reader that
//! has checked both knows that it has missed nothing.

pub mod audit;
mod backoff;
pub mod backup;
pub mod broker;
pub mod crash;
mod database;
mod entity;
pub mod envelope;
mod event;
pub mod exclusive;
pub mod feed;
pub mod gate;
mod job;
mod lease;
pub mod log;
mod migration;
mod parking;
mod pipeline;
mod projection;
pub mod projector;
pub mod provision;
pub mod relay;
mod rights;
pub mod schema;
pub mod status;
pub mod store;
pub mod telemetry;
mod tx;
mod view;
mod writer;

pub use database::{
    Database, DatabaseKind, ErrorClass, OpenError, RETRY_CODE, Readers, classify, database_fault,
};
pub use envelope::Envelope;
pub use event::{NewEvent, Origin};
pub use job::{
    JobContext, JobCounts, JobError, JobHandler, JobRun, JobSettings, NewJob, job_counts, run_jobs,
};
pub use lease::{Lease, Leases};
pub use migration::migrations;
pub use parking::{ParkedEvent, ParkedKind, ParkedPlace};
pub use pipeline::{Pipeline, PipelineParts};
pub use projection::{Handler, HandlerError, Projection, Received, Sweep, Swept};
pub use tx::{Attempt, Tx};
pub use view::view;
pub use writer::{Clocks, Command, Writer, WriterSettings, causation, request_hash};
