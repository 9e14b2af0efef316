//! Tests of the machinery on real databases: every story on SQLite and on PostgreSQL.

mod commands;
mod copies;
mod faults;
mod jobs;
mod lanes;
mod measure;
mod proxy;
mod support;
