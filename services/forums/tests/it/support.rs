//! Ballots with given sums, and what is in the tables.

use messaging::{Database, DatabaseKind};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};

/// Ballots, as lists of candidate indexes, in which candidate `i` has `approvals[i]` approvals in all and no ballot has
/// many more than another: each candidate takes the next ballots in turn.
pub(crate) fn ballots(approvals: &[usize], count: usize) -> Vec<Vec<usize>> {
    let mut ballots = vec![Vec::new(); count];
    let mut next = 0;
    for (candidate, wanted) in approvals.iter().enumerate() {
        for _ in 0..*wanted {
            ballots[next % count].push(candidate);
            next += 1;
        }
    }
    ballots
}

/// All rows of all tables, a line each, as text; in the order of their text.
pub(crate) async fn dump(database: &Database) -> Vec<String> {
    let conn = database.read();
    let (backend, tables) = match database.kind() {
        DatabaseKind::Sqlite => (
            DatabaseBackend::Sqlite,
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        ),
        DatabaseKind::Postgres => (
            DatabaseBackend::Postgres,
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
        ),
    };
    let query = async |sql: String| conn.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
    let text = |row: &sea_orm::QueryResult| row.try_get_by_index::<String>(0).unwrap();
    let mut lines = Vec::new();
    for table in query(tables.to_owned()).await.iter().map(text) {
        let sql = match database.kind() {
            DatabaseKind::Sqlite => {
                let columns =
                    query(format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')")).await;
                let columns: Vec<String> = columns.iter().map(text).collect();
                format!("SELECT {} FROM {table}", columns.join(" || '|' || "))
            }
            DatabaseKind::Postgres => format!("SELECT t::text FROM {table} t"),
        };
        lines.extend(query(sql).await.iter().map(|row| format!("{table}: {}", text(row))));
    }
    lines.sort();
    lines
}

/// One text column of a query.
pub(crate) async fn texts(database: &Database, sql: &str) -> Vec<String> {
    let backend = match database.kind() {
        DatabaseKind::Sqlite => DatabaseBackend::Sqlite,
        DatabaseKind::Postgres => DatabaseBackend::Postgres,
    };
    let rows = database.read().query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// One column of bytes of a query.
pub(crate) async fn blobs(database: &Database, sql: &str) -> Vec<Vec<u8>> {
    let backend = match database.kind() {
        DatabaseKind::Sqlite => DatabaseBackend::Sqlite,
        DatabaseKind::Postgres => DatabaseBackend::Postgres,
    };
    let rows = database.read().query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}
