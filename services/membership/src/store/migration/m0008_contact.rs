//! How people want to be told, and what leaves the service.

use messaging::schema::{bytes, table, text, uuid};
use sea_orm_migration::prelude::*;

use super::date;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "membership_0008_contact"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(table("contact", [uuid("participant"), bytes("sealed")], &["participant"]))
            .await?;
        let delivery = table(
            "delivery",
            [
                // Of a notice, and the id of a letter.
                uuid("notice"),
                uuid("participant"),
                text("tenant"),
                text("channel"),
                text("state"),
                date("made_on"),
            ],
            &["notice"],
        );
        manager.create_table(delivery).await?;
        let index = |name: &'static str| Index::create().name(name).table("delivery").take();
        let waiting = index("delivery_in").col("tenant").col("channel").col("state").col("notice").take();
        manager.create_index(waiting).await?;
        manager.create_index(index("delivery_of").col("participant").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
