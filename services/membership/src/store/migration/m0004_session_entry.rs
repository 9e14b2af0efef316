//! A session is of one entry in one county's register. Sessions from before end: nobody knows whose card began them.

use sea_orm_migration::prelude::*;

use super::{bytes, number, table, text, uuid};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "membership_0004_session_entry"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("session").take()).await?;
        let session = table(
            "session",
            [
                bytes("secret_hash"),
                uuid("person"),
                uuid("participant"),
                text("assurance"),
                // Real time, microseconds.
                number("expires_at"),
            ],
            &["secret_hash"],
        );
        manager.create_table(session).await?;
        manager.create_index(Index::create().name("session_of").table("session").col("person").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
