//! What other services told: policy, units, forums; and how far the list of those who left was read.

use messaging::schema::{number, table, text, uuid};
use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "proposals_0001_projections"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [policy_value(), service_unit(), known_forum(), retirement_cursor()] {
            manager.create_table(table).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn policy_value() -> TableCreateStatement {
    let columns = [text("tenant"), text("key"), text("valid_from"), number("value"), number("generation")];
    table("policy_value", columns, &["tenant", "key", "valid_from"])
}

fn service_unit() -> TableCreateStatement {
    let columns =
        [uuid("id"), text("tenant"), text("name"), text("kind"), text("municipality"), number("generation")];
    table("service_unit", columns, &["id"])
}

fn known_forum() -> TableCreateStatement {
    let columns = [uuid("id"), text("tenant"), text("co_tenants"), number("generation")];
    table("known_forum", columns, &["id"])
}

fn retirement_cursor() -> TableCreateStatement {
    let columns = [text("name"), number("cursor"), number("runs")];
    table("retirement_cursor", columns, &["name"])
}
