//! Columns and tables in the words of migrations: the few kinds that SQLite and PostgreSQL both have. A column is never
//! empty unless it is [`optional`].

use sea_orm_migration::prelude::{ColumnDef, Index, Table, TableCreateStatement};

/// A text, or the name of one of a few choices.
pub fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

/// A whole number of 64 bits; a moment, in microseconds.
pub fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// Bytes.
pub fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().take()
}

/// An id.
pub fn uuid(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().not_null().take()
}

/// Yes or no.
pub fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().take()
}

/// The same column, allowed to be empty.
pub fn optional(mut column: ColumnDef) -> ColumnDef {
    column.null().take()
}

/// A table of these columns; those named by `key` are its primary key, in this order.
pub fn table(
    name: &'static str,
    columns: impl IntoIterator<Item = ColumnDef>,
    key: &[&'static str],
) -> TableCreateStatement {
    let mut table = Table::create().table(name).take();
    for column in columns {
        table.col(column);
    }
    let mut primary = Index::create();
    for column in key {
        primary.col(*column);
    }
    table.primary_key(&mut primary).take()
}

#[cfg(test)]
mod tests {
    use sea_orm_migration::prelude::{PostgresQueryBuilder, SqliteQueryBuilder};

    use super::*;

    #[test]
    fn only_an_optional_column_may_be_empty_and_the_key_is_in_its_order() {
        let columns =
            [uuid("id"), text("name"), number("at"), flag("over"), bytes("hash"), optional(bytes("seal"))];
        let table = table("thing", columns, &["name", "id"]);
        assert_eq!(
            table.to_string(PostgresQueryBuilder),
            "CREATE TABLE \"thing\" ( \"id\" uuid NOT NULL, \"name\" text NOT NULL, \"at\" bigint NOT NULL, \
             \"over\" bool NOT NULL, \"hash\" bytea NOT NULL, \"seal\" bytea NULL, PRIMARY KEY (\"name\", \"id\") )"
        );
        let sqlite = table.to_string(SqliteQueryBuilder);
        assert_eq!((sqlite.matches("NOT NULL").count(), sqlite.matches(" NULL").count()), (5, 6), "{sqlite}");
    }
}
