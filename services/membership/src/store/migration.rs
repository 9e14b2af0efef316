//! The tables of membership. Released migrations never change; a new one is added at the end.

mod m0001_register;
mod m0002_signin;
mod m0003_rolls;

use sea_orm_migration::MigrationTrait;
use sea_orm_migration::prelude::{ColumnDef, Index, Table, TableCreateStatement};

/// The migrations of this service, after those of messaging.
pub(crate) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(m0001_register::Migration),
        Box::new(m0002_signin::Migration),
        Box::new(m0003_rolls::Migration),
    ]
}

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().take()
}

fn uuid(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().not_null().take()
}

fn date(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).date().not_null().take()
}

fn yes_no(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().take()
}

/// The same column, allowed to be empty.
fn optional(mut column: ColumnDef) -> ColumnDef {
    column.null().take()
}

fn table(
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
