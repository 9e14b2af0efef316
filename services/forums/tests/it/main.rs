//! forums on real databases: SQLite always, PostgreSQL where the rule might depend on the engine.
//!
//! Most stories call the app as the gRPC layer does, with the caller, scope and command that the access layer would have
//! found.

#![expect(clippy::unwrap_used, reason = "what tests share is a test too")]

mod grpc;
mod meetings;
mod paper;
mod people;
mod refusals;
mod scenario;
mod seats;
mod secrecy;
mod support;
mod world;
