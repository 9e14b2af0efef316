//! The migrations of forums. Released ones never change; a new one is added at the end.

mod m0001_tables;
mod m0002_rebuild;
mod m0003_meetings;
mod m0004_minutes;

use sea_orm_migration::MigrationTrait;

/// The migrations, in order; messaging's come before them.
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(m0001_tables::Migration),
        Box::new(m0002_rebuild::Migration),
        Box::new(m0003_meetings::Migration),
        Box::new(m0004_minutes::Migration),
    ]
}
