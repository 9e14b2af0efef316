//! Everything that somebody with a copy of a database sees: every table, every column, the system's own columns too,
//! rows in their physical order, values as text.

use std::collections::BTreeMap;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

/// A table as it lies on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// "<service>.<table>".
    pub(crate) name: String,
    /// Rows in physical order.
    pub(crate) rows: Vec<Row>,
}

/// A row: columns by name, bytes as lower-case hexadecimal text. Columns of the system begin with "sys:".
pub(crate) type Row = BTreeMap<String, Option<String>>;

/// All tables of a service's database, by name.
pub(crate) async fn all(service: &str, url: &str) -> Vec<Table> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    let connection = Database::connect(options).await.expect("the database answers");
    let mut tables = Vec::new();
    for (table, columns) in layout(&connection).await {
        let rows = rows(&connection, &table, &columns).await;
        tables.push(Table { name: format!("{service}.{table}"), rows });
    }
    connection.close().await.expect("closed");
    tables
}

/// The same without the columns of the system: what a rule may compare before and after.
pub(crate) fn content(tables: Vec<Table>) -> Vec<Table> {
    let row = |row: Row| row.into_iter().filter(|(column, _)| !column.starts_with("sys:")).collect();
    let table = |Table { name, rows }| {
        let mut rows: Vec<Row> = rows.into_iter().map(row).collect();
        rows.sort();
        Table { name, rows }
    };
    tables.into_iter().map(table).collect()
}

/// Tables with their columns, each with the expression that makes text of it.
async fn layout(connection: &DatabaseConnection) -> Vec<(String, Vec<(String, String)>)> {
    let mut found = Vec::new();
    for table in texts(connection, tables_query(connection)).await {
        let mut columns = Vec::new();
        for column in texts(connection, &columns_query(connection, &table[0])).await {
            let (name, kind) = (column[0].clone(), column[1].as_str());
            columns.push((name.clone(), as_text(connection, &name, kind)));
        }
        for system in system_columns(connection, &table[0]).await {
            let text = as_text(connection, system, "");
            columns.push((format!("sys:{system}"), text));
        }
        found.push((table[0].clone(), columns));
    }
    found
}

fn is_sqlite(connection: &DatabaseConnection) -> bool {
    connection.get_database_backend() == DbBackend::Sqlite
}

fn tables_query(connection: &DatabaseConnection) -> &'static str {
    if is_sqlite(connection) {
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    } else {
        "SELECT relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'S') AND n.nspname = 'public' ORDER BY relname"
    }
}

fn columns_query(connection: &DatabaseConnection, table: &str) -> String {
    if is_sqlite(connection) {
        format!("SELECT name, type FROM pragma_table_info('{table}') ORDER BY cid")
    } else {
        format!(
            "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute \
             WHERE attrelid = '\"{table}\"'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
    }
}

async fn system_columns(connection: &DatabaseConnection, table: &str) -> &'static [&'static str] {
    if is_sqlite(connection) {
        let rowid = connection.execute_unprepared(&format!("SELECT rowid FROM \"{table}\" LIMIT 0")).await;
        return if rowid.is_ok() { &["rowid"] } else { &[] };
    }
    &["ctid", "xmin", "xmax", "cmin", "cmax"]
}

fn as_text(connection: &DatabaseConnection, column: &str, kind: &str) -> String {
    if is_sqlite(connection) {
        format!(
            "CASE typeof(\"{column}\") WHEN 'blob' THEN lower(hex(\"{column}\")) ELSE CAST(\"{column}\" AS TEXT) END"
        )
    } else if kind == "bytea" {
        format!("encode(\"{column}\", 'hex')")
    } else {
        format!("\"{column}\"::text")
    }
}

async fn rows(connection: &DatabaseConnection, table: &str, columns: &[(String, String)]) -> Vec<Row> {
    let expressions: Vec<&str> = columns.iter().map(|(_, expression)| expression.as_str()).collect();
    let query = format!("SELECT {} FROM \"{table}\"", expressions.join(", "));
    let statement = Statement::from_string(connection.get_database_backend(), query);
    let found = connection.query_all_raw(statement).await.expect("readable");
    let value =
        |row: &sea_orm::QueryResult, index| row.try_get_by_index::<Option<String>>(index).expect("a text");
    let row = |row: &sea_orm::QueryResult| {
        columns.iter().enumerate().map(|(index, (name, _))| (name.clone(), value(row, index))).collect()
    };
    found.iter().map(row).collect()
}

async fn texts(connection: &DatabaseConnection, query: &str) -> Vec<Vec<String>> {
    let statement = Statement::from_string(connection.get_database_backend(), query);
    let rows = connection.query_all_raw(statement).await.expect("the catalogue answers");
    rows.iter()
        .map(|row| {
            let columns = row.column_names();
            (0..columns.len()).map(|index| row.try_get_by_index::<String>(index).expect("a text")).collect()
        })
        .collect()
}
