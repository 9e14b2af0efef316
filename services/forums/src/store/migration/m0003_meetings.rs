//! Meetings: agenda, attendance, votes, minutes; and which events of proposals raised which topic.

use messaging::schema::{bytes, flag, number, optional, table, text, uuid};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "forums_0003_meetings"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [
            meeting(),
            meeting_present(),
            attendance(),
            agenda_item(),
            deferred_topic(),
            proposal_sending(),
            meeting_text(),
            forum_vote(),
            forum_vote_mark(manager.get_database_backend()),
            dissent(),
        ];
        for table in tables {
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

fn meeting() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        uuid("forum_id"),
        text("state"),
        text("held_on"),
        text("starts_at"),
        text("mode"),
        text("place"),
        text("remote_link"),
        number("moves"),
        optional(text("notice_sent_on")),
        flag("manager_present"),
        number("support_persons"),
        optional(text("chair_municipality")),
        optional(number("chair_seat_no")),
        optional(number("seats_filled")),
        number("seats_total"),
        flag("quorate"),
        optional(uuid("drafted_by")),
        optional(text("drafted_on")),
        optional(text("checked_on")),
        optional(text("screened_on")),
        optional(text("published_on")),
    ];
    table("meeting", columns, &["id"])
}

fn meeting_present() -> TableCreateStatement {
    let columns = [uuid("meeting_id"), text("municipality"), number("seats")];
    table("meeting_present", columns, &["meeting_id", "municipality"])
}

fn attendance() -> TableCreateStatement {
    let columns = [
        uuid("meeting_id"),
        text("municipality"),
        number("seat_no"),
        optional(uuid("person")),
        flag("deputy"),
        flag("remote"),
    ];
    table("attendance", columns, &["meeting_id", "municipality", "seat_no"])
}

fn agenda_item() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        uuid("forum_id"),
        text("source"),
        text("source_name"),
        optional(uuid("proposal_id")),
        optional(uuid("raised_by")),
        text("raised_on"),
        text("state"),
        optional(uuid("meeting_id")),
        number("position"),
        optional(text("decision")),
        optional(text("decided_on")),
    ];
    table("agenda_item", columns, &["id"])
}

fn deferred_topic() -> TableCreateStatement {
    let columns = [uuid("meeting_id"), uuid("item_id"), number("position")];
    table("deferred_topic", columns, &["meeting_id", "item_id"])
}

fn proposal_sending() -> TableCreateStatement {
    let columns = [uuid("event_id"), text("tenant"), uuid("item_id"), number("generation")];
    table("proposal_sending", columns, &["event_id"])
}

fn meeting_text() -> TableCreateStatement {
    let columns = [uuid("owner_id"), text("kind"), text("language"), text("title"), text("body")];
    table("meeting_text", columns, &["owner_id", "kind", "language"])
}

fn forum_vote() -> TableCreateStatement {
    let columns = [
        uuid("item_id"),
        uuid("meeting_id"),
        text("method"),
        flag("is_open"),
        number("present"),
        number("votes_for"),
        number("votes_against"),
        number("votes_blank"),
    ];
    table("forum_vote", columns, &["item_id"])
}

/// As an election's marks: in the order of their key, without a row id that would keep the order of voting.
fn forum_vote_mark(backend: DbBackend) -> TableCreateStatement {
    let columns = [uuid("item_id"), text("municipality"), number("seat_no"), bytes("key_hash")];
    let mut table = table("forum_vote_mark", columns, &["item_id", "municipality", "seat_no"]);
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}

fn dissent() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        uuid("meeting_id"),
        uuid("item_id"),
        text("municipality"),
        number("seat_no"),
        optional(uuid("author")),
        text("body"),
        flag("show_seat"),
        flag("withheld"),
    ];
    table("dissent", columns, &["id"])
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
        index("meeting_by_forum_id_id", "meeting", &["forum_id", "id"]),
        index("attendance_by_person", "attendance", &["person"]),
        index("agenda_item_by_forum_id_id", "agenda_item", &["forum_id", "id"]),
        index("agenda_item_by_meeting_id", "agenda_item", &["meeting_id"]),
        index("agenda_item_by_proposal_id", "agenda_item", &["proposal_id"]),
        index("agenda_item_by_raised_by", "agenda_item", &["raised_by"]),
        index("proposal_sending_by_item_id", "proposal_sending", &["item_id"]),
        index("forum_vote_by_meeting_id", "forum_vote", &["meeting_id"]),
        index("dissent_seat", "dissent", &["item_id", "municipality", "seat_no"]).unique().take(),
        index("dissent_by_meeting_id", "dissent", &["meeting_id"]),
        index("dissent_by_author", "dissent", &["author"]),
    ]
}
