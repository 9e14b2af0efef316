//! What a database error means for the one who asked.

use std::time::Duration;

use kernel::Fault;
use sea_orm::sqlx::error::ErrorKind;
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// What a database error asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// A rule of the schema was broken: uniqueness, a reference, a check, a missing value.
    Constraint,
    /// Nothing wrong with the statement; the same may succeed when tried again (lock, deadlock, lost connection).
    Transient,
    /// No room left on the disk.
    Full,
    /// Anything else: a fault of the program or of the set-up.
    Other,
}

/// Sorts a database error.
pub fn classify(error: &DbErr) -> ErrorClass {
    if let Some(SqlErr::UniqueConstraintViolation(_) | SqlErr::ForeignKeyConstraintViolation(_)) =
        error.sql_err()
    {
        return ErrorClass::Constraint;
    }
    let runtime = match error {
        DbErr::ConnectionAcquire(_) => return ErrorClass::Transient,
        DbErr::Conn(runtime) | DbErr::Exec(runtime) | DbErr::Query(runtime) => runtime,
        _ => return ErrorClass::Other,
    };
    let RuntimeErr::SqlxError(error) = runtime else {
        return ErrorClass::Other;
    };
    match error.as_ref() {
        sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => ErrorClass::Transient,
        sqlx::Error::Database(database) => match database.kind() {
            ErrorKind::Other => classify_code(database.code().as_deref().unwrap_or_default()),
            _ => ErrorClass::Constraint,
        },
        _ => ErrorClass::Other,
    }
}

/// SQLSTATE of PostgreSQL, extended result code of SQLite.
fn classify_code(code: &str) -> ErrorClass {
    match code {
        "40001" | "40P01" | "55P03" | "57014" => ErrorClass::Transient,
        "53100" => ErrorClass::Full,
        _ if code.len() == 5 && ["08", "53", "57"].contains(&&code[..2]) => ErrorClass::Transient,
        // 25P03: the server ended a transaction that stood idle.
        "25P03" => ErrorClass::Transient,
        _ => match code.parse::<u32>().map(|extended| extended & 0xff) {
            Ok(5 | 6) if code.len() < 5 => ErrorClass::Transient,
            Ok(13) if code.len() < 5 => ErrorClass::Full,
            _ => ErrorClass::Other,
        },
    }
}

/// Code of the fault that makes the writer try a command again before it answers.
pub const RETRY_CODE: &str = "messaging.database_busy";

/// The fault for a database error inside an act: `store::load(tx).await.map_err(messaging::database_fault)?`. A lost
/// connection or a lock makes the writer try the act again; the rest is an internal fault. A uniqueness that is a rule
/// of the domain is not for here: use `ON CONFLICT DO NOTHING` and the affected rows.
pub fn database_fault(error: DbErr) -> Fault {
    match classify(&error) {
        ErrorClass::Transient => Fault::unavailable(RETRY_CODE, "The database is busy or away; try again.")
            .with_retry_after(RETRY)
            .because(error),
        ErrorClass::Full => full().because(error),
        ErrorClass::Constraint | ErrorClass::Other => Fault::internal(error),
    }
}

/// No room left on the disk.
pub(crate) fn full() -> Fault {
    Fault::resource_exhausted("messaging.database_full", "There is no room left to store this.")
        .with_retry_after(RETRY)
}

/// When a refused caller may come again.
pub(crate) const RETRY: Duration = Duration::from_millis(500);
