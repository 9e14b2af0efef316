//! Everything that touches the tables. Functions take a connection, either of a write ([`messaging::Tx::conn`]) or of
//! the read pool, and give and take the domain's types; rows never leave this module.
//!
//! Where a caller's rights are limited, the function takes what limits them (county, unit, forum, person), so that rows
//! outside of it cannot be reached.

pub(crate) mod accounts;
pub(crate) mod attestations;
pub(crate) mod cards;
pub(crate) mod contacts;
mod entity;
pub(crate) mod forums;
pub(crate) mod keys;
mod migration;
pub(crate) mod notices;
pub(crate) mod participants;
pub(crate) mod references;
pub(crate) mod roles;
pub(crate) mod rolls;
pub(crate) mod sessions;
pub(crate) mod support;
pub(crate) mod tenancy;

use std::fmt::Display;

use kernel::Fault;
use sea_orm::DbErr;

pub(crate) use migration::migrations;

/// What the functions of the store answer with.
pub(crate) type Result<T> = std::result::Result<T, Fault>;

/// A database error as a fault; the writer tries again what may then succeed.
fn failed(error: DbErr) -> Fault {
    messaging::database_fault(error)
}

/// The value that a stored word stands for. One that stands for none means that the table was changed by hand.
fn word<T: Copy>(all: &[T], as_str: impl Fn(T) -> &'static str, stored: &str) -> Result<T> {
    let found = all.iter().copied().find(|value| as_str(*value) == stored);
    found.ok_or_else(|| Fault::internal("a word in the database means nothing here"))
}

/// A stored value that was checked when it came in.
fn stored<T, E: Display>(read: std::result::Result<T, E>) -> Result<T> {
    read.map_err(|error| Fault::internal(format!("a stored value cannot be read: {error}")))
}

/// A count as a number that is not negative.
fn count(number: i64) -> Result<u64> {
    stored(u64::try_from(number))
}

/// Codes with commas between them.
fn joined<T: Display>(codes: &[T]) -> String {
    codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The codes of such a list.
fn split<T: std::str::FromStr>(list: &str) -> Result<Vec<T>>
where
    T::Err: Display,
{
    list.split(',').filter(|code| !code.is_empty()).map(|code| stored(code.parse())).collect()
}
