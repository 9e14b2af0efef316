//! Putting a copy in the place of a database that nobody uses.

use std::path::{Path, PathBuf};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, EntityTrait as _, QueryOrder as _, RuntimeErr, Statement,
    sqlx,
};

use super::{BackupError, Tools, at, on_disk, sqlite};
use crate::database::{DatabaseKind, OpenError};
use crate::entity::event_head;
use crate::exclusive::{self, Exclusive};
use crate::log::{self, LaneHead};

/// Tables of the schema that belongs to the system.
const TABLES: &str = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()";

impl Exclusive {
    /// Whether there is no database yet, or one without tables.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub async fn is_empty(&self) -> Result<bool, BackupError> {
        match self.kind() {
            DatabaseKind::Sqlite => Ok(self.path().metadata().map_or(0, |metadata| metadata.len()) == 0),
            DatabaseKind::Postgres => Ok(tables(&self.connection().await?).await?.is_empty()),
        }
    }

    /// Puts the copy in `file` in the place of the database. What was there goes. If it fails, an SQLite database is as
    /// it was, and a PostgreSQL one is as it was or empty.
    ///
    /// # Errors
    /// NotEmpty unless `replace`; Damaged if the copy is; otherwise what does not work.
    pub async fn restore(&self, file: &Path, replace: bool, tools: &Tools) -> Result<(), BackupError> {
        if !replace && !self.is_empty().await? {
            return Err(BackupError::NotEmpty(self.service()));
        }
        match self.kind() {
            DatabaseKind::Sqlite => self.restore_file(file).await,
            DatabaseKind::Postgres => {
                drop_tables(&self.connection().await?).await?;
                tools.restore(self.url(), file).await
            }
        }
    }

    /// The ends of the lanes of what is there now.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn heads(&self) -> Result<Vec<LaneHead>, BackupError> {
        let connection = self.connection().await?;
        let heads =
            event_head::Entity::find().order_by_asc(event_head::Column::Lane).all(&connection).await?;
        if self.kind() == DatabaseKind::Sqlite {
            connection.close().await?;
        }
        Ok(heads.into_iter().map(log::head).collect())
    }

    async fn restore_file(&self, file: &Path) -> Result<(), BackupError> {
        let path = self.path();
        let new = beside(&path, ".restoring");
        if let Err(error) = std::fs::remove_file(&new)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(at(&new)(error));
        }
        std::fs::copy(file, &new).map_err(at(&new))?;
        let copy = sqlite::open(&new).await?;
        sqlite::check(&copy).await?;
        copy.close().await?;
        on_disk(&new)?;
        // The log of the old database must not be taken for one of the new, nor its end be lost if this is killed.
        fold_log(&path).await?;
        for suffix in ["-wal", "-shm"] {
            let old = beside(&path, suffix);
            if old.exists() {
                std::fs::remove_file(&old).map_err(at(&old))?;
            }
        }
        std::fs::rename(&new, &path).map_err(at(&path))?;
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => on_disk(folder),
            _ => Ok(()),
        }
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Brings what is only in the log of an SQLite database into its file, so that the log may go.
async fn fold_log(path: &Path) -> Result<(), BackupError> {
    if !path.exists() || !beside(path, "-wal").exists() {
        return Ok(());
    }
    match checkpoint(path).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(OpenError::InUse(path.to_owned()).into()),
        // Nothing can be kept of what cannot be read, and that may be why it is restored.
        Err(error) if is_damaged(&error) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether all of the log is in the file now; not while somebody reads from it.
async fn checkpoint(path: &Path) -> Result<bool, DbErr> {
    let old = sqlite::open(path).await?;
    let question = Statement::from_string(old.get_database_backend(), "PRAGMA wal_checkpoint(TRUNCATE)");
    let answer = old.query_one_raw(question).await;
    old.close().await?;
    let is_busy = answer?.map(|row| row.try_get_by_index::<i32>(0)).transpose()?;
    Ok(is_busy == Some(0))
}

/// Whether an SQLite file is damaged or is none.
fn is_damaged(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    let extended = code.and_then(|code| code.parse::<u32>().ok());
    // SQLITE_CORRUPT and SQLITE_NOTADB.
    extended.is_some_and(|extended| [11, 26].contains(&(extended & 0xff)))
}

/// Drops every table, all or none, however long others read from one: pg_restore drops what is in the copy, and a newer
/// table would stay.
async fn drop_tables(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let transaction = exclusive::begin(connection).await?;
    transaction.execute_unprepared("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0").await?;
    for table in tables(&transaction).await? {
        transaction.execute_unprepared(&format!("DROP TABLE {table} CASCADE")).await?;
    }
    transaction.commit().await
}

async fn tables(connection: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), TABLES);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_only_in_the_log_of_the_old_database_is_in_its_file_before_the_log_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (living, dead) = (folder.path().join("living"), folder.path().join("dead"));
        std::fs::write(&living, "").unwrap();
        let writer = sqlite::open(&living).await.unwrap();
        for statement in
            ["PRAGMA journal_mode = WAL", "CREATE TABLE note (text TEXT)", "INSERT INTO note VALUES ('kept')"]
        {
            writer.execute_unprepared(statement).await.unwrap();
        }
        // As a process leaves it that is killed.
        for suffix in ["", "-wal"] {
            std::fs::copy(beside(&living, suffix), beside(&dead, suffix)).unwrap();
        }
        fold_log(&dead).await.unwrap();
        let _ = std::fs::remove_file(beside(&dead, "-wal"));
        let reader = sqlite::open(&dead).await.unwrap();
        let question = Statement::from_string(reader.get_database_backend(), "SELECT text FROM note");
        let row = reader.query_one_raw(question).await.unwrap().expect("the row");
        assert_eq!(row.try_get_by_index::<String>(0).unwrap(), "kept");
        reader.close().await.unwrap();
        writer.close().await.unwrap();

        std::fs::write(&dead, vec![7; 8192]).unwrap();
        std::fs::write(beside(&dead, "-wal"), "").unwrap();
        fold_log(&dead).await.expect("a damaged database can be replaced");
    }
}
