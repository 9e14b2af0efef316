//! The tables of membership. Released migrations never change; a new one is added at the end.

mod m0001_register;
mod m0002_signin;
mod m0003_rolls;
mod m0004_rebuild;
mod m0005_retention;
mod m0006_urgent;
mod m0007_support;
mod m0008_contact;
mod m0009_own_choice;

use sea_orm_migration::MigrationTrait;
use sea_orm_migration::prelude::ColumnDef;

/// The migrations of this service, after those of messaging.
pub(crate) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(m0001_register::Migration),
        Box::new(m0002_signin::Migration),
        Box::new(m0003_rolls::Migration),
        Box::new(m0004_rebuild::Migration),
        Box::new(m0005_retention::Migration),
        Box::new(m0006_urgent::Migration),
        Box::new(m0007_support::Migration),
        Box::new(m0008_contact::Migration),
        Box::new(m0009_own_choice::Migration),
    ]
}

fn date(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).date().not_null().take()
}
