//! The index of a check: a SQLite file that is removed at the end, so that a journal of a million calls needs a disk and
//! not memory. It is filled once, and the rules are questions to it.

use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseBackend, DatabaseConnection, DbErr, QueryResult,
    Statement, TryGetable, Value,
};
use tempfile::TempDir;

/// Parameters of one statement; SQLite's own limit is 32766.
const PARAMETERS: usize = 8000;

const TABLES: &str = "
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32000; PRAGMA temp_store = FILE;
CREATE TABLE op (journal INTEGER, line INTEGER, boot TEXT, service TEXT, rpc TEXT, principal TEXT, key TEXT,
    cause TEXT, invoked INTEGER, wall INTEGER, answered INTEGER, outcome TEXT, code TEXT, reply TEXT);
CREATE TABLE event (service TEXT, lane TEXT, seq INTEGER, epoch INTEGER, type TEXT, aggregate TEXT, cause TEXT,
    content BLOB, hash TEXT, occurred INTEGER, PRIMARY KEY (service, lane, seq)) WITHOUT ROWID;
CREATE TABLE answer (service TEXT, principal TEXT, key TEXT, cause TEXT, rpc TEXT, reply TEXT,
    PRIMARY KEY (service, principal, key)) WITHOUT ROWID;
CREATE TABLE message (service TEXT, lane TEXT, seq INTEGER, epoch INTEGER, place INTEGER, hash TEXT, fault TEXT);
CREATE TABLE content (side INTEGER, service TEXT, name TEXT, line TEXT);
CREATE TABLE taken (service TEXT, name TEXT, line TEXT, source TEXT, lane TEXT, seq INTEGER, type TEXT, hash TEXT);
CREATE TABLE audit (service TEXT, cause TEXT);
CREATE TABLE head (service TEXT, lane TEXT, seq INTEGER, epoch INTEGER, PRIMARY KEY (service, lane));
CREATE TABLE stream (service TEXT PRIMARY KEY, old INTEGER, first INTEGER);";

/// Made when everything is in: what the rules look things up by. A *call* is all attempts with one key.
const INDEXES: &str = "
CREATE INDEX op_key ON op (service, principal, key);
CREATE INDEX event_cause ON event (service, cause);
CREATE INDEX audit_cause ON audit (service, cause);
CREATE INDEX message_place ON message (service, lane, seq);
CREATE TABLE call AS SELECT service, principal, key, cause, rpc,
    CASE WHEN COUNT(DISTINCT boot) = 1 THEN MIN(boot) ELSE '' END AS boot, MIN(invoked) AS invoked, MIN(wall) AS wall,
    MIN(CASE WHEN outcome = 'ok' THEN answered END) AS answered, SUM(outcome = 'ok') AS oks,
    SUM(outcome = 'unknown') AS unknowns, MIN(CASE WHEN outcome = 'ok' THEN reply END) AS reply,
    COUNT(DISTINCT CASE WHEN outcome = 'ok' THEN reply END) AS replies
    FROM op WHERE code <> 'idempotency_key_reused' GROUP BY service, principal, key;
CREATE INDEX call_cause ON call (service, cause);";

/// The index.
pub(super) struct Index {
    db: DatabaseConnection,
    // Removed after the connection is gone.
    _folder: TempDir,
}

impl Index {
    /// An empty one, in the folder for temporary files.
    pub(super) async fn new() -> Result<Self, DbErr> {
        let folder = tempfile::Builder::new().prefix("osallisuus-ledger-").tempdir();
        let folder = folder.map_err(|error| DbErr::Custom(format!("a temporary folder: {error}")))?;
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("index.sqlite").display());
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        let db = Database::connect(options).await?;
        db.execute_unprepared(TABLES).await?;
        Ok(Self { db, _folder: folder })
    }

    /// To be called when everything is in.
    pub(super) async fn complete(&self) -> Result<(), DbErr> {
        self.db.execute_unprepared(INDEXES).await.map(|_| ())
    }

    /// Rows of a question.
    pub(super) async fn ask(&self, question: &str, values: &[&str]) -> Result<Vec<QueryResult>, DbErr> {
        let values = values.iter().map(|value| Value::from(*value));
        self.db.query_all_raw(Statement::from_sql_and_values(DatabaseBackend::Sqlite, question, values)).await
    }

    /// Rows to put into a table.
    pub(super) fn rows<const N: usize>(&self, table: &'static str) -> Rows<'_, N> {
        Rows { index: self, table, values: Vec::new() }
    }
}

/// Rows on their way into the index, many with one statement. [`Rows::finish`] puts in the last.
pub(super) struct Rows<'a, const N: usize> {
    index: &'a Index,
    table: &'static str,
    values: Vec<Value>,
}

impl<const N: usize> Rows<'_, N> {
    pub(super) async fn add(&mut self, row: [Value; N]) -> Result<(), DbErr> {
        self.values.extend(row);
        if self.values.len() + N > PARAMETERS { self.finish().await } else { Ok(()) }
    }

    pub(super) async fn finish(&mut self) -> Result<(), DbErr> {
        let values = std::mem::take(&mut self.values);
        if values.is_empty() {
            return Ok(());
        }
        let row = format!("({})", vec!["?"; N].join(","));
        let rows = vec![row; values.len() / N].join(",");
        // A second row with the same key is a fault of what is looked at, and is found by comparing.
        let insert = format!("INSERT OR IGNORE INTO {} VALUES {rows}", self.table);
        let statement = Statement::from_sql_and_values(DatabaseBackend::Sqlite, insert, values);
        self.index.db.execute_raw(statement).await.map(|_| ())
    }
}

/// A column of a row, by its number.
pub(super) fn get<T: TryGetable>(row: &QueryResult, column: usize) -> Result<T, DbErr> {
    row.try_get_by_index(column)
}

/// A column that may be empty, as text.
pub(super) fn text(row: &QueryResult, column: usize) -> Result<String, DbErr> {
    Ok(get::<Option<String>>(row, column)?.unwrap_or_default())
}

/// A number that is never negative.
pub(super) fn number(row: &QueryResult, column: usize) -> Result<u64, DbErr> {
    Ok(get::<i64>(row, column)?.cast_unsigned())
}
