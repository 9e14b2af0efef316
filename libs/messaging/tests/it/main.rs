//! Tests of the machinery on real databases: every story on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "what tests share is a test too")]

mod alone;
mod audit;
mod batches;
mod bus;
mod commands;
mod copies;
mod faults;
mod forgotten;
mod jobs;
mod lanes;
mod measured;
mod proxy;
mod rebuilt;
mod simulation;
mod stories_of_operation;
mod stories_of_the_bus;
mod support;
mod verified;
