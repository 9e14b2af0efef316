//! What is known of forums, and the rolls of their elections.

use messaging::schema::{bytes, flag, number, optional, table, text, uuid};
use sea_orm_migration::prelude::*;

use super::date;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "membership_0003_rolls"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        let of_person = Index::create().name("roll_entry_of").table("roll_entry").col("person").take();
        manager.create_index(of_person).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        // Lists have commas between their codes. The seat plan may come before the founding: an upsert either way.
        table(
            "known_forum",
            [uuid("id"), text("tenants"), optional(date("term_ends_on")), text("seat_plan")],
            &["id"],
        ),
        table(
            "roll",
            [
                uuid("election"),
                uuid("forum"),
                text("tenants"),
                text("service_group"),
                bytes("hash"),
                flag("over"),
            ],
            &["election"],
        ),
        table(
            "roll_count",
            [uuid("election"), text("municipality"), number("count")],
            &["election", "municipality"],
        ),
        table(
            "roll_entry",
            [
                uuid("election"),
                uuid("person"),
                uuid("participant"),
                text("municipality"),
                optional(text("helper_kind")),
                // The person has left: the place is kept in the count and given to nobody.
                flag("withdrawn"),
            ],
            &["election", "person"],
        ),
    ]
}
