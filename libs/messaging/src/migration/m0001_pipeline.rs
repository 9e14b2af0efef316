//! All tables of the event pipeline.

use sea_orm_migration::prelude::*;

use crate::schema::{bytes, number, optional, table, text, uuid};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "messaging_0001_pipeline"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in
            [event_head(), event_log(), command_log(), projection_cursor(), parked_event(), lease(), job()]
        {
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

fn small_number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().take()
}

fn event_head() -> TableCreateStatement {
    let columns = [
        text("lane"),
        number("epoch"),
        number("next_seq"),
        bytes("head_hash"),
        number("watermark_seq"),
        number("published_seq"),
    ];
    table("event_head", columns, &["lane"])
}

fn event_log() -> TableCreateStatement {
    let columns = [
        text("lane"),
        number("seq"),
        number("epoch"),
        uuid("event_id").unique_key().take(),
        text("aggregate_type"),
        text("aggregate_id"),
        text("event_type"),
        small_number("schema_version"),
        bytes("payload"),
        text("causation_id"),
        text("correlation_id"),
        text("traceparent"),
        text("co_tenants"),
        number("occurred_at"),
        bytes("prev_hash"),
        bytes("hash"),
    ];
    table("event_log", columns, &["lane", "seq"])
}

fn command_log() -> TableCreateStatement {
    let columns = [
        text("principal"),
        text("idem_key"),
        text("rpc"),
        bytes("request_hash"),
        bytes("response"),
        number("created_at"),
    ];
    // The key comes first because a batch looks its keys up, whoever sent them.
    table("command_log", columns, &["idem_key", "principal"])
}

fn projection_cursor() -> TableCreateStatement {
    let columns = [
        text("projection"),
        text("source"),
        text("lane"),
        number("epoch"),
        number("last_seq"),
        bytes("last_hash"),
        optional(text("stopped")),
        number("updated_at"),
    ];
    table("projection_cursor", columns, &["projection", "source", "lane"])
}

fn parked_event() -> TableCreateStatement {
    let columns = [
        text("projection"),
        text("source"),
        text("lane"),
        number("seq"),
        text("event_type"),
        text("aggregate_type"),
        text("aggregate_id"),
        bytes("envelope"),
        text("kind"),
        text("error"),
        small_number("attempts"),
        text("state"),
        optional(text("reason")),
        number("parked_at"),
    ];
    table("parked_event", columns, &["projection", "source", "lane", "seq"])
}

fn lease() -> TableCreateStatement {
    table("lease", [text("name"), text("owner"), number("term"), number("expires_at")], &["name"])
}

fn job() -> TableCreateStatement {
    let columns = [
        text("kind"),
        text("dedupe_key"),
        bytes("payload"),
        number("run_at"),
        text("state"),
        small_number("attempts"),
        number("not_before"),
        text("last_error"),
        text("correlation_id"),
        text("traceparent"),
    ];
    table("job", columns, &["kind", "dedupe_key"])
}

fn indexes() -> [IndexCreateStatement; 3] {
    [
        // Old answers are deleted by age.
        Index::create().name("command_log_created_at").table("command_log").col("created_at").take(),
        // "Is an earlier event of this thing parked?" is asked for every event.
        Index::create()
            .name("parked_event_aggregate")
            .table("parked_event")
            .col("projection")
            .col("source")
            .col("lane")
            .col("aggregate_id")
            .take(),
        // Which jobs are due.
        Index::create().name("job_due").table("job").col("state").col("run_at").take(),
    ]
}
