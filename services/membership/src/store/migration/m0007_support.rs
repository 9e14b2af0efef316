//! Who helps whom.

use messaging::schema::{optional, table, text, uuid};
use sea_orm_migration::prelude::*;

use super::date;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "membership_0007_support"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let support = table(
            "support",
            [
                uuid("id"),
                text("tenant"),
                uuid("member"),
                uuid("supporter"),
                text("state"),
                date("offered_on"),
                optional(date("trained_on")),
                optional(date("ended_on")),
            ],
            &["id"],
        );
        manager.create_table(support).await?;
        // One relationship of the same two at a time.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX support_open ON support (member, supporter) WHERE state <> 'ended'",
            )
            .await?;
        let index = |name: &'static str, column: &'static str| {
            Index::create().name(name).table("support").col(column).take()
        };
        manager.create_index(index("support_of", "member")).await?;
        manager.create_index(index("support_by", "supporter")).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
