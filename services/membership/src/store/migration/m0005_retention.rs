//! When things ended, so that they can go when their time is over (TIHA-12).

use messaging::schema::{flag, optional};
use sea_orm_migration::prelude::*;

use super::date;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "membership_0005_retention"
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
            ("attestation", optional(date("ended_on"))),
            ("roll", optional(date("over_on"))),
            ("roll", flag("erased").default(false).take()),
        ];
        for (table, column) in columns {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
