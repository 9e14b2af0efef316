//! The library's own tables. Released migrations never change; a new one is added at the end.

mod m0001_pipeline;
mod m0002_rebuild;
mod m0003_audit;

use sea_orm_migration::MigrationTrait;

pub(crate) use m0003_audit::guards as audit_guards;

/// The migrations of this library, in order. [`Database::open`](crate::Database::open) applies them before those of
/// the service.
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(m0001_pipeline::Migration),
        Box::new(m0002_rebuild::Migration),
        Box::new(m0003_audit::Migration),
    ]
}
