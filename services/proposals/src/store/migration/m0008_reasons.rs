//! Reasons in every language of a county, what a file may say besides what is heard or read in it, and the parts of an
//! answer by a name that does not call them plain.

use messaging::schema::{flag, text};
use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "proposals_0008_reasons"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ("proposal_step", text("other_reasons").default("").take()),
            ("moderation_log", text("other_reasons").default("").take()),
            ("attachment", flag("hidden_data").default(false).take()),
        ];
        for (table, column) in columns {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        let renamed = Table::alter().table("answer_part").rename_column("text_plain", "text").take();
        manager.alter_table(renamed).await?;
        // Nobody has looked into those that were sent before.
        let unknown = "UPDATE attachment SET hidden_data = TRUE WHERE state IN ('waiting', 'visible') AND media_type NOT LIKE 'image/%'";
        manager.get_connection().execute_unprepared(unknown).await.map(|_| ())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
