//! Proposals, their units, authors and steps; what was moderated.

use messaging::schema::{bytes, flag, number, optional, table, text, uuid};
use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "proposals_0002_proposals"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            proposal(),
            proposal_unit(),
            proposal_author(),
            author_invitation(),
            proposal_step(),
            proposal_finding(),
            moderation_log(),
            table("used_voucher", [uuid("id")], &["id"]),
        ] {
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

fn proposal() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        text("tenant"),
        optional(text("receipt_no")),
        text("stage"),
        text("stage_detail"),
        optional(uuid("stage_ref")),
        optional(text("owner_role")),
        optional(text("next_step")),
        optional(text("due_on")),
        text("category"),
        optional(text("perspective")),
        text("goals"),
        optional(uuid("lead_unit")),
        optional(uuid("forum")),
        optional(uuid("round")),
        text("channel"),
        text("acting_mode"),
        optional(uuid("recorder_ref")),
        optional(uuid("helper_ref")),
        flag("conflict_accepted"),
        text("own_words"),
        text("strength"),
        text("confirmation"),
        optional(bytes("return_code_hash")),
        optional(text("submitted_on")),
        optional(text("screened_on")),
        optional(text("endorsed_on")),
        optional(text("feedback_on")),
        number("reroutings"),
        optional(uuid("split_from")),
        flag("is_public"),
        flag("is_hidden"),
        flag("to_recheck"),
        text("touched_on"),
    ];
    table("proposal", columns, &["id"])
}

fn proposal_unit() -> TableCreateStatement {
    table("proposal_unit", [uuid("proposal_id"), uuid("unit_id")], &["proposal_id", "unit_id"])
}

fn proposal_author() -> TableCreateStatement {
    let columns = [uuid("proposal_id"), uuid("author_ref"), text("kind"), text("joined_on")];
    table("proposal_author", columns, &["proposal_id", "author_ref"])
}

fn author_invitation() -> TableCreateStatement {
    let columns = [bytes("code_hash"), uuid("proposal_id"), text("expires_on")];
    table("author_invitation", columns, &["code_hash"])
}

fn proposal_step() -> TableCreateStatement {
    let columns = [
        uuid("proposal_id"),
        number("step_no"),
        text("happened_on"),
        text("mark"),
        text("stage"),
        text("stage_detail"),
        optional(uuid("stage_ref")),
        optional(text("owner_role")),
        optional(text("next_step")),
        optional(text("due_on")),
        text("reason"),
    ];
    table("proposal_step", columns, &["proposal_id", "step_no"])
}

fn proposal_finding() -> TableCreateStatement {
    let columns = [
        uuid("proposal_id"),
        number("finding_no"),
        text("kind"),
        text("place"),
        number("starts_at"),
        number("length"),
        text("decision"),
    ];
    table("proposal_finding", columns, &["proposal_id", "finding_no"])
}

fn moderation_log() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        text("tenant"),
        text("what"),
        uuid("proposal_id"),
        text("act"),
        text("reason"),
        text("happened_on"),
    ];
    table("moderation_log", columns, &["id"])
}

fn index(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(table).take();
    for column in columns {
        index.col(*column);
    }
    index
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("proposal_by_tenant_id", "proposal", &["tenant", "id"]),
        index("proposal_by_tenant_stage_due_on_id", "proposal", &["tenant", "stage", "due_on", "id"]),
        index("proposal_receipt_no", "proposal", &["tenant", "receipt_no"]).unique().take(),
        index("proposal_return_code", "proposal", &["return_code_hash"]).unique().take(),
        index("proposal_by_split_from", "proposal", &["split_from"]),
        index("proposal_unit_by_unit_id", "proposal_unit", &["unit_id", "proposal_id"]),
        index("proposal_author_by_author_ref", "proposal_author", &["author_ref", "proposal_id"]),
        index("author_invitation_by_proposal_id", "author_invitation", &["proposal_id"]),
        index("moderation_log_by_tenant_id", "moderation_log", &["tenant", "id"]),
    ]
}
