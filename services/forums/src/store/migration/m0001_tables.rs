//! All tables of forums.

use messaging::schema::{bytes, flag, number, optional, table, text, uuid};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "forums_0001_tables"
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
        manager.create_table(voter_mark(manager.get_database_backend())).await?;
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
        forum(),
        forum_tenant(),
        seat_quota(),
        seat(),
        deputy(),
        election(),
        lots_seed(),
        constituency(),
        candidate(),
        candidate_picture(),
        tally_line(),
        ballot_box(),
        counted_choices(),
        paper_entry(),
        policy_value(),
        retirement_cursor(),
    ]
}

fn forum() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        text("tenant"),
        text("agreement_id"),
        text("name"),
        text("purpose"),
        text("purpose_plain"),
        text("kind"),
        text("level"),
        text("service_group"),
        text("term_starts_on"),
        text("term_ends_on"),
        text("founding_decision"),
        text("state"),
        number("seats_filled"),
    ];
    table("forum", columns, &["id"])
}

fn forum_tenant() -> TableCreateStatement {
    let columns = [uuid("forum_id"), text("tenant"), flag("lead"), flag("confirmed")];
    table("forum_tenant", columns, &["forum_id", "tenant"])
}

fn seat_quota() -> TableCreateStatement {
    let columns = [uuid("forum_id"), text("municipality"), number("seats")];
    table("seat_quota", columns, &["forum_id", "municipality"])
}

fn seat() -> TableCreateStatement {
    let columns = [
        uuid("forum_id"),
        text("municipality"),
        number("seat_no"),
        text("state"),
        optional(text("origin")),
        optional(uuid("holder_ref")),
        flag("name_public"),
        optional(uuid("election_id")),
        optional(text("supplementary_due_on")),
    ];
    table("seat", columns, &["forum_id", "municipality", "seat_no"])
}

fn deputy() -> TableCreateStatement {
    let columns = [
        uuid("forum_id"),
        text("municipality"),
        number("position"),
        uuid("holder_ref"),
        flag("name_public"),
        uuid("election_id"),
    ];
    table("deputy", columns, &["forum_id", "municipality", "position"])
}

fn election() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        uuid("forum_id"),
        flag("supplementary"),
        text("phase"),
        text("nomination_opens_on"),
        text("nomination_closes_on"),
        text("voting_opens_on"),
        text("voting_closes_on"),
        bytes("board_public_key"),
        text("lots_commitment"),
        optional(bytes("roll_hash")),
        optional(number("forum_seats_filled")),
        text("annul_reason"),
    ];
    table("election", columns, &["id"])
}

fn lots_seed() -> TableCreateStatement {
    let columns = [uuid("election_id"), bytes("sealed"), optional(bytes("revealed"))];
    table("lots_seed", columns, &["election_id"])
}

fn constituency() -> TableCreateStatement {
    let columns = [
        uuid("election_id"),
        text("municipality"),
        number("seats"),
        optional(number("eligible")),
        number("candidates"),
        flag("uncontested"),
        optional(number("ballots")),
        number("blank"),
        number("invalid"),
        optional(number("tie_seats_left")),
        optional(text("witness_number")),
        optional(uuid("witness_ref")),
        flag("lots_drawn"),
        optional(number("elected")),
        number("deputies"),
        number("vacant"),
        optional(text("supplementary_due_on")),
        flag("tally_suppressed"),
    ];
    table("constituency", columns, &["election_id", "municipality"])
}

fn candidate() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        uuid("election_id"),
        text("municipality"),
        optional(uuid("person")),
        optional(number("number")),
        text("state"),
        text("ballot_name"),
        optional(text("picture_type")),
        optional(number("picture_size")),
        optional(bytes("picture_sha256")),
        text("picture_text"),
        flag("publish_name"),
    ];
    table("candidate", columns, &["id"])
}

fn candidate_picture() -> TableCreateStatement {
    let columns = [uuid("candidate_id"), bytes("picture")];
    table("candidate_picture", columns, &["candidate_id"])
}

fn tally_line() -> TableCreateStatement {
    let columns = [
        uuid("election_id"),
        text("municipality"),
        number("number"),
        number("approvals"),
        optional(number("seat_no")),
        optional(number("deputy_no")),
    ];
    table("tally_line", columns, &["election_id", "municipality", "number"])
}

fn ballot_box() -> TableCreateStatement {
    let columns = [uuid("election_id"), text("municipality"), bytes("sealed"), number("paper_handed")];
    table("ballot_box", columns, &["election_id", "municipality"])
}

fn counted_choices() -> TableCreateStatement {
    let columns = [uuid("election_id"), text("municipality"), bytes("choices")];
    table("counted_choices", columns, &["election_id", "municipality"])
}

fn paper_entry() -> TableCreateStatement {
    let columns = [
        uuid("election_id"),
        text("municipality"),
        text("batch"),
        uuid("official"),
        number("ballots"),
        number("blank"),
        number("invalid"),
        bytes("approvals"),
    ];
    table("paper_entry", columns, &["election_id", "municipality", "batch", "official"])
}

fn policy_value() -> TableCreateStatement {
    let columns = [text("tenant"), text("key"), text("valid_from"), number("value")];
    table("policy_value", columns, &["tenant", "key", "valid_from"])
}

fn retirement_cursor() -> TableCreateStatement {
    let columns = [text("name"), number("cursor"), number("runs")];
    table("retirement_cursor", columns, &["name"])
}

/// Marks lie in the order of their key and have no row id, so that SQLite keeps no order of insertion beside them.
fn voter_mark(backend: DbBackend) -> TableCreateStatement {
    let columns =
        [uuid("election_id"), uuid("voter_ref"), text("municipality"), text("channel"), bytes("key_hash")];
    let mut table = table("voter_mark", columns, &["election_id", "voter_ref"]);
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
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
        index("seat_person", "seat", &["forum_id", "holder_ref"]).unique().take(),
        index("deputy_person", "deputy", &["forum_id", "holder_ref"]).unique().take(),
        index("candidate_person", "candidate", &["election_id", "person"]).unique().take(),
        index("forum_tenant_by_tenant_forum_id", "forum_tenant", &["tenant", "forum_id"]),
        index("election_by_forum_id_id", "election", &["forum_id", "id"]),
        index(
            "candidate_by_election_id_municipality_number",
            "candidate",
            &["election_id", "municipality", "number"],
        ),
        index("candidate_by_person", "candidate", &["person"]),
        index("seat_by_holder_ref", "seat", &["holder_ref"]),
        index("deputy_by_holder_ref", "deputy", &["holder_ref"]),
        index("voter_mark_by_election_id_municipality", "voter_mark", &["election_id", "municipality"]),
    ]
}
