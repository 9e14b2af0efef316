//! Membership on real databases: every story on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "what tests share is a test too")]

mod cards;
mod contact;
mod directory;
mod import;
mod leaving;
mod log;
mod mail_server;
mod nominations;
mod register;
mod retention;
mod roles;
mod rolls;
mod setup;
mod support;
mod supporters;
mod tenancy;
mod tokens;
mod upkeep;
mod wire;
mod wire_people;
mod wire_support;
