//! Forms of texts, the pictures and recordings that go with them, and the list of those that wait for somebody.

use messaging::schema::{flag, number, optional, table, text, uuid};
use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "proposals_0003_texts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [text_variant(), text_symbols(), text_audio(), text_queue()] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn text_variant() -> TableCreateStatement {
    let columns = [
        text("owner_kind"),
        uuid("owner_id"),
        text("field"),
        text("form"),
        text("tenant"),
        text("content"),
        text("state"),
        number("revision"),
        optional(number("made_from")),
        flag("automatic"),
        optional(uuid("automatic_by")),
        optional(text("reviewed_by_role")),
        optional(text("review_method")),
        optional(text("reviewed_on")),
    ];
    table("text_variant", columns, &["owner_kind", "owner_id", "field", "form"])
}

fn text_symbols() -> TableCreateStatement {
    let columns = [text("owner_kind"), uuid("owner_id"), text("tenant"), text("codes"), text("state")];
    table("text_symbols", columns, &["owner_kind", "owner_id"])
}

fn text_audio() -> TableCreateStatement {
    let columns = [
        text("owner_kind"),
        uuid("owner_id"),
        uuid("attachment_id"),
        text("tenant"),
        number("position"),
        text("form"),
        text("state"),
    ];
    table("text_audio", columns, &["owner_kind", "owner_id", "attachment_id"])
}

fn text_queue() -> TableCreateStatement {
    let columns = [text("tenant"), uuid("owner_id"), text("owner_kind"), text("queued_on")];
    table("text_queue", columns, &["tenant", "owner_id", "owner_kind"])
}

fn indexes() -> [IndexCreateStatement; 2] {
    let automatic =
        Index::create().name("text_variant_automatic_by").table("text_variant").col("automatic_by").take();
    let recording =
        Index::create().name("text_audio_attachment_id").table("text_audio").col("attachment_id").take();
    [automatic, recording]
}
