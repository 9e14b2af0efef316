//! Which rebuild a county's policy value was last written by.

use messaging::schema::number;
use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "forums_0002_rebuild"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let generation = number("generation").default(0).take();
        manager.alter_table(Table::alter().table("policy_value").add_column(generation).take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
