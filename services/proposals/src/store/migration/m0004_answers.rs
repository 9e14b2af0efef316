//! Decisions of forums, answers of units, changes and what they brought about, loop cards.

use messaging::schema::{flag, number, optional, table, text, uuid};
use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "proposals_0004_answers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let answers = [forum_decision(), unit_response(), unit_answer(), answer_part(), disqualification()];
        let changes =
            [implementation_plan(), impact_report(), impact_indicator(), feedback_item(), telling()];
        for table in answers.into_iter().chain(changes) {
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

fn forum_decision() -> TableCreateStatement {
    let columns = [uuid("proposal_id"), uuid("meeting_id"), text("decided_on")];
    table("forum_decision", columns, &["proposal_id", "meeting_id"])
}

fn unit_response() -> TableCreateStatement {
    let columns = [
        uuid("proposal_id"),
        number("round"),
        text("tenant"),
        uuid("unit_id"),
        text("asked_on"),
        text("remind_on"),
        text("due_on"),
        text("manager_on"),
        flag("extended"),
        number("version"),
        text("state"),
        flag("answered"),
        optional(text("given_on")),
    ];
    table("unit_response", columns, &["proposal_id", "round"])
}

fn unit_answer() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        uuid("proposal_id"),
        number("number"),
        optional(text("outcome")),
        text("next_role"),
        optional(text("next_on")),
        optional(text("trial_ends_on")),
        text("trial_evaluation"),
        text("forwarded_to"),
        optional(text("forwarded_due_on")),
        optional(text("given_on")),
    ];
    table("unit_answer", columns, &["id"])
}

fn answer_part() -> TableCreateStatement {
    let columns = [uuid("proposal_id"), uuid("unit_id"), text("text_plain")];
    table("answer_part", columns, &["proposal_id", "unit_id"])
}

fn disqualification() -> TableCreateStatement {
    table("disqualification", [uuid("proposal_id"), uuid("person")], &["proposal_id", "person"])
}

fn implementation_plan() -> TableCreateStatement {
    let columns = [
        uuid("proposal_id"),
        uuid("unit_id"),
        text("state"),
        text("steps"),
        number("percent"),
        text("due_on"),
        optional(text("started_on")),
        optional(text("ended_on")),
        text("delay_reason"),
    ];
    table("implementation_plan", columns, &["proposal_id"])
}

fn impact_report() -> TableCreateStatement {
    let columns = [
        uuid("proposal_id"),
        text("state"),
        optional(text("baseline_on")),
        optional(text("measured_on")),
        optional(text("published_on")),
    ];
    table("impact_report", columns, &["proposal_id"])
}

fn impact_indicator() -> TableCreateStatement {
    let columns = [
        uuid("proposal_id"),
        text("indicator_id"),
        text("label"),
        text("kind"),
        number("before_sum"),
        number("before_n"),
        optional(number("after_sum")),
        optional(number("after_n")),
        optional(number("target")),
    ];
    table("impact_indicator", columns, &["proposal_id", "indicator_id"])
}

fn feedback_item() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        uuid("proposal_id"),
        text("tenant"),
        text("next_role"),
        optional(text("next_on")),
        optional(text("published_on")),
        optional(text("delivered_on")),
    ];
    table("feedback_item", columns, &["id"])
}

fn telling() -> TableCreateStatement {
    table("telling", [text("key"), uuid("after"), number("told")], &["key"])
}

fn index(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(table).take();
    for column in columns {
        index.col(*column);
    }
    index
}

fn indexes() -> Vec<IndexCreateStatement> {
    let waiting = ["answered", "due_on", "proposal_id"];
    let of_tenant = [&["tenant"], &waiting[..]].concat();
    let of_unit = [&["unit_id"], &waiting[..]].concat();
    vec![
        index("unit_response_by_tenant_answered_due_on", "unit_response", &of_tenant),
        index("unit_response_by_unit_id_answered_due_on", "unit_response", &of_unit),
        index("unit_response_by_tenant_due_on", "unit_response", &["tenant", "due_on"]),
        index("unit_answer_by_proposal_id", "unit_answer", &["proposal_id", "number"]).unique().take(),
        index("disqualification_by_person", "disqualification", &["person"]),
        index("feedback_item_by_proposal_id", "feedback_item", &["proposal_id"]).unique().take(),
    ]
}
