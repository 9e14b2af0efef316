//! Copying a snapshot of an SQLite file into another file.
//!
//! `VACUUM INTO` would copy one file consistently, but not within a transaction, and so not the same moment of several
//! files. Instead the copy is made as it does it: the tables, then their rows within the transaction that holds the
//! snapshot, then indexes and triggers. What was erased from the database is not in the copy either.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, Statement};

use super::{BackupError, at};
use crate::database::sqlite_path;
use crate::log::LaneHead;

/// The database that is copied to, beside the one that is copied.
const COPY: &str = "copy";
const TABLES: &str =
    "SELECT sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid";
const NAMES: &str = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
const REST: &str = "SELECT sql FROM sqlite_master WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL ORDER BY rowid";

/// How the database is opened that is copied: rows are copied table by table, so references are not looked at.
pub(super) fn reader(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.create_if_missing(false).foreign_keys(false)
}

/// Makes the file with empty tables, for its owner only, and attaches it.
pub(super) async fn prepare(connection: &DatabaseConnection, file: &Path) -> Result<(), BackupError> {
    let new = std::fs::File::options().write(true).create_new(true).open(file).map_err(at(file))?;
    new.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(at(file))?;
    let copy = open(file).await?;
    for table in texts(connection, TABLES).await? {
        copy.execute_unprepared(&table).await?;
    }
    copy.close().await?;
    let attach = Statement::from_sql_and_values(
        connection.get_database_backend(),
        format!("ATTACH DATABASE ? AS {COPY}"),
        [file.display().to_string().into()],
    );
    connection.execute_raw(attach).await?;
    Ok(())
}

/// Copies the rows.
pub(super) async fn copy(transaction: &DatabaseTransaction) -> Result<(), BackupError> {
    for table in texts(transaction, NAMES).await? {
        let insert = format!("INSERT INTO {COPY}.\"{table}\" SELECT * FROM main.\"{table}\"");
        transaction.execute_unprepared(&insert).await?;
    }
    Ok(())
}

/// Adds indexes and triggers.
pub(super) async fn finish(url: &str, file: &Path) -> Result<(), BackupError> {
    let source = open(&sqlite_path(url)).await?;
    let copy = open(file).await?;
    for statement in texts(&source, REST).await? {
        copy.execute_unprepared(&statement).await?;
    }
    source.close().await?;
    copy.close().await?;
    Ok(())
}

/// What SQLite says of a file's soundness.
///
/// # Errors
/// Damaged, with the first finding.
pub(super) async fn check(connection: &DatabaseConnection) -> Result<(), BackupError> {
    match texts(connection, "PRAGMA integrity_check(1)").await?.first().map(String::as_str) {
        Some("ok") => Ok(()),
        other => Err(BackupError::Damaged(other.unwrap_or("no answer").to_owned())),
    }
}

/// That a copy is sound, and its log whole and ending here.
pub(super) async fn judge(
    file: &Path,
    service: &str,
    ends: &[LaneHead],
    progress: impl FnMut(u64),
) -> Result<(), BackupError> {
    let copy = open(file).await?;
    let sound = async {
        check(&copy).await?;
        super::judge(&copy, service, ends, progress).await
    };
    let sound = sound.await;
    copy.close().await?;
    sound
}

/// Opens a file that nobody else uses, and leaves its journal as it is.
pub(super) async fn open(file: &Path) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(format!("sqlite://{}", file.display()));
    options.sqlx_logging(false).max_connections(1);
    sea_orm::Database::connect(options).await
}

async fn texts(connection: &impl ConnectionTrait, question: &str) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), question);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
