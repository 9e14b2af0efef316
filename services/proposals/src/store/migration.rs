//! The migrations of proposals. Released ones never change; a new one is added at the end.

mod m0001_projections;
mod m0002_proposals;
mod m0003_texts;
mod m0004_answers;
mod m0005_community;
mod m0006_comparison;
mod m0007_rounds;
mod m0008_reasons;

use sea_orm_migration::MigrationTrait;

/// The migrations, in order; messaging's come before them.
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(m0001_projections::Migration),
        Box::new(m0002_proposals::Migration),
        Box::new(m0003_texts::Migration),
        Box::new(m0004_answers::Migration),
        Box::new(m0005_community::Migration),
        Box::new(m0006_comparison::Migration),
        Box::new(m0007_rounds::Migration),
        Box::new(m0008_reasons::Migration),
    ]
}
