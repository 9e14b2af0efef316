//! What a rebuild of a projection needs to know of itself.

use sea_orm_migration::prelude::*;

use crate::schema::{number, optional};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "messaging_0002_rebuild"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column with a statement.
        let generation = number("generation").default(0).take();
        for column in [generation, optional(number("rebuild_to"))] {
            let add = Table::alter().table("projection_cursor").add_column(column).take();
            manager.alter_table(add).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
