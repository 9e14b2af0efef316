//! Cards, sessions, references, service accounts, signing keys, notices. Every secret is a hash or sealed.

use messaging::schema::{bytes, number, optional, table, text, uuid};
use sea_orm_migration::prelude::*;

use super::date;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "membership_0002_signin"
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
        manager.create_table(retired_reference()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "code_card",
            [
                text("number"),
                uuid("participant"),
                text("code_hash"),
                // Who had it made: their entry in the register, and the unit in whose name, if not the county's.
                uuid("issued_by"),
                optional(uuid("issued_for")),
                number("issued_at"),
                number("expires_at"),
                number("tries"),
                text("state"),
            ],
            &["number"],
        ),
        table(
            "session",
            [
                bytes("secret_hash"),
                uuid("person"),
                // In the register of the county whose card it was: a session covers no other entry.
                uuid("participant"),
                text("assurance"),
                // Real time, microseconds.
                number("expires_at"),
            ],
            &["secret_hash"],
        ),
        // A person as one service knows them.
        table("pseudonym", [uuid("person"), text("service"), uuid("reference")], &["person", "service"]),
        table("service_account", [text("name"), bytes("secret_hash")], &["name"]),
        // One row at most, with the id 1.
        table("setup_code", [number("id"), bytes("code_hash")], &["id"]),
        table(
            "signing_key",
            [
                text("key_id"),
                bytes("sealed"),
                bytes("x"),
                bytes("y"),
                // Real time, microseconds.
                number("created_at"),
                optional(number("not_after")),
            ],
            &["key_id"],
        ),
        table(
            "nomination_code",
            // Counties of the session that made it, with commas between them: it tells of no other.
            [bytes("code_hash"), uuid("person"), text("tenants"), number("expires_at")],
            &["code_hash"],
        ),
        table(
            "notice",
            [
                uuid("id"),
                uuid("person"),
                optional(text("tenant")),
                text("service"),
                text("template"),
                text("dedupe_key"),
                number("created_at"),
                date("deliver_on"),
                optional(number("delivered_at")),
            ],
            &["id"],
        ),
    ]
}

/// References of people who have left, numbered in the order of leaving.
fn retired_reference() -> TableCreateStatement {
    Table::create()
        .table("retired_reference")
        .col(ColumnDef::new("seq").big_integer().not_null().auto_increment().primary_key())
        .col(text("service"))
        .col(uuid("reference"))
        .take()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &'static str, of: &'static str, columns: &[&'static str]| {
        let mut index = Index::create().name(name).table(of).take();
        for column in columns {
            index.col(*column);
        }
        index
    };
    vec![
        index("code_card_of", "code_card", &["participant"]),
        index("session_of", "session", &["person"]),
        index("pseudonym_reference", "pseudonym", &["service", "reference"]).unique().take(),
        index("nomination_code_of", "nomination_code", &["person"]),
        // One notice a person a day, and each key once.
        index("notice_day", "notice", &["person", "deliver_on"]).unique().take(),
        index("notice_key", "notice", &["person", "service", "dedupe_key"]).unique().take(),
        index("retired_reference_of", "retired_reference", &["service", "seq"]),
    ]
}
