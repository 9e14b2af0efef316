//! Putting a copy in the place of a database that nobody uses.
//!
//! A copy is made ready first, which changes nothing: an SQLite file is laid beside the database, checked, and gets its
//! new epoch there; a copy of PostgreSQL is read to its end. Then it takes the place of what was there in one step, which
//! is a rename or a transaction with the new epoch in it. So whoever is stopped at any moment has the old database or
//! the new one, and never a new one in the old epoch.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DbErr, RuntimeErr, Statement, sqlx};

use super::postgres::Script;
use super::{BackupError, Tools, at, beside, judge, on_disk, sqlite};
use crate::crash;
use crate::database::{DatabaseKind, OpenError};
use crate::exclusive::unfinished::{self, folder_on_disk};
use crate::exclusive::{Exclusive, Raised, quoted};
use crate::log::LaneHead;

/// Tables of the schema that belongs to the system, without those of extensions and without the mark of an unfinished
/// restore.
const TABLES: &str = "SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = current_schema()::regnamespace \
     AND relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_depend \
     WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e') AND relname <> ";

/// A copy that is ready to take the place of a database.
#[derive(Debug)]
pub struct Staged {
    file: PathBuf,
    /// Whether it was laid beside the database for this.
    is_beside: bool,
}

impl Exclusive {
    /// Whether there is no database yet, or one without tables.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub async fn is_empty(&self) -> Result<bool, BackupError> {
        match self.kind() {
            DatabaseKind::Sqlite => Ok(self.path().metadata().map_or(0, |metadata| metadata.len()) == 0),
            DatabaseKind::Postgres => Ok(self.tables().await?.is_empty()),
        }
    }

    /// Makes the copy in `file` ready, which ends at `ends`. Nothing of the database is changed. `progress` hears how
    /// many events were checked, which are those of an SQLite copy.
    ///
    /// # Errors
    /// Damaged if it is not sound; otherwise what does not work.
    pub async fn stage(
        &self,
        file: &Path,
        ends: &[LaneHead],
        tools: &Tools,
        progress: impl FnMut(u64),
    ) -> Result<Staged, BackupError> {
        if self.kind() == DatabaseKind::Postgres {
            let connection = self.connection().await?;
            let tools = tools.of_server(&connection).await?;
            tools.ready(&connection).await?;
            tools.read(file).await?;
            return Ok(Staged { file: file.to_owned(), is_beside: false });
        }
        // Whoever reads from the old file stops this here, and not when everything is marked as unfinished.
        fold_log(&self.path()).await?;
        let staged = Staged { file: beside(&self.path(), ".restoring"), is_beside: true };
        // Of an earlier attempt that was killed.
        staged.remove();
        std::fs::copy(file, &staged.file).map_err(at(&staged.file))?;
        sqlite::judge(&staged.file, self.service(), ends, progress).await?;
        Ok(staged)
    }

    /// Puts a copy in the place of the database, with new epochs. What was there goes. If it fails, the database is as
    /// it was.
    ///
    /// # Errors
    /// What does not work.
    pub async fn put_back(
        &self,
        staged: Staged,
        epochs: &[Raised],
        tools: &Tools,
    ) -> Result<(), BackupError> {
        match self.kind() {
            DatabaseKind::Sqlite => self.replace_file(&staged.file, epochs).await,
            DatabaseKind::Postgres => self.replace_tables(&staged.file, epochs, tools).await,
        }
    }

    /// Checks the log of what was put back, as far as that was not done before.
    ///
    /// # Errors
    /// Damaged if it is not whole.
    pub async fn judge(&self, progress: impl FnMut(u64)) -> Result<(), BackupError> {
        if self.kind() == DatabaseKind::Sqlite {
            return Ok(());
        }
        judge(&self.connection().await?, self.service(), &self.heads().await?, progress).await
    }

    async fn replace_file(&self, new: &Path, epochs: &[Raised]) -> Result<(), BackupError> {
        let path = self.path();
        let copy = sqlite::open(new).await?;
        for lane in epochs {
            copy.execute_unprepared(&lane.statement(self.kind())).await?;
        }
        copy.close().await?;
        on_disk(new)?;
        // The log of the old database must not be taken for one of the new, nor its end be lost if this is killed.
        fold_log(&path).await?;
        crash::point("restore.log_folded");
        for suffix in ["-wal", "-shm"] {
            let old = beside(&path, suffix);
            if old.exists() {
                std::fs::remove_file(&old).map_err(at(&old))?;
            }
        }
        crash::point("restore.before_rename");
        std::fs::rename(new, &path).map_err(at(&path))?;
        folder_on_disk(&path)
    }

    /// Drops every table, because the copy drops what it has and a newer table would stay; puts the copy in and begins
    /// the epochs; and sees that all is there and the lock still held. All in one transaction.
    async fn replace_tables(&self, copy: &Path, epochs: &[Raised], tools: &Tools) -> Result<(), BackupError> {
        let connection = self.connection().await?;
        let schema = first(&connection, "SELECT quote_ident(current_schema())").await?;
        let name = first(&connection, "SELECT current_schema()::text").await?;
        let tables = self.tables().await?;
        let before = match tables.is_empty() {
            true => String::new(),
            false => format!("DROP TABLE {} CASCADE", tables.join(", ")),
        };
        let raise: Vec<String> = epochs.iter().map(|lane| lane.statement(self.kind())).collect();
        let held = self.is_held().unwrap_or_else(|| "true".to_owned());
        let ends = epochs.iter().map(|lane| {
            format!("({}, {}, {}, {})", quoted(&lane.lane), lane.new_epoch, lane.seq, quoted(&lane.hash))
        });
        let ends: Vec<String> = ends.collect();
        // The copy leaves the search path empty.
        let after = format!(
            "SET LOCAL search_path = {schema};\n{};\nDO $check$ BEGIN\n\
             IF EXISTS (\n\
             SELECT FROM (SELECT lane, epoch, next_seq - 1 AS seq, \
             CASE WHEN next_seq > 1 THEN encode(head_hash, 'hex') ELSE '' END AS hash FROM event_head) AS there\n\
             FULL JOIN (VALUES {}) AS meant (lane, epoch, seq, hash) USING (lane, epoch, seq, hash)\n\
             WHERE there IS NULL OR meant IS NULL)\n\
             THEN RAISE EXCEPTION 'it does not end where the manifest says'; END IF;\n\
             IF NOT {held} THEN RAISE EXCEPTION 'the session that held the database has ended'; END IF;\n\
             END $check$",
            raise.join(";\n"),
            ends.join(", "),
        );
        let tools = tools.of_server(&connection).await?;
        tools.restore(self.url(), Script { copy, schema: &name, before: &before, after: &after }).await
    }

    /// Names of all tables of the system, quoted.
    async fn tables(&self) -> Result<Vec<String>, BackupError> {
        let connection = self.connection().await?;
        let question = format!("{TABLES}{}", quoted(unfinished::TABLE));
        let statement = Statement::from_string(connection.get_database_backend(), question);
        let rows = connection.query_all_raw(statement).await?;
        Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
    }
}

impl Staged {
    fn remove(&self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            // There is usually nothing; what cannot be removed cannot be written over either, and that is told.
            let _ = std::fs::remove_file(beside(&self.file, suffix));
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.is_beside {
            self.remove();
        }
    }
}

async fn first(connection: &impl ConnectionTrait, question: &str) -> Result<String, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), question);
    let row = connection.query_one_raw(statement).await?;
    row.ok_or_else(|| DbErr::RecordNotFound(question.to_owned()))?.try_get_by_index(0)
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
