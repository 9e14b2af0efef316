//! What people bring to a proposal beside its authors: support, following, comments, files; and the index of words by
//! which earlier proposals are found.

use messaging::schema::{bytes, flag, number, optional, table, text, uuid};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "proposals_0005_community"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let plain = [support(), follow(), proposal_counts(), comment(), attachment(), search_document()];
        for table in plain {
            manager.create_table(table).await?;
        }
        for mut table in [attachment_chunk(), search_term(), search_stem(), search_size()] {
            // These lie in the order of their key: a page of them is read in one piece, and is kept once, not twice.
            if manager.get_database_backend() == DbBackend::Sqlite {
                table.extra("WITHOUT ROWID");
            }
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

fn support() -> TableCreateStatement {
    let columns = [uuid("proposal_id"), uuid("person"), text("given_on"), text("acting_mode")];
    table("support", columns, &["proposal_id", "person"])
}

fn follow() -> TableCreateStatement {
    let columns = [uuid("proposal_id"), uuid("person"), text("since")];
    table("follow", columns, &["proposal_id", "person"])
}

fn proposal_counts() -> TableCreateStatement {
    let columns = [
        uuid("proposal_id"),
        number("supports"),
        number("followers"),
        number("comments"),
        number("comments_written"),
    ];
    table("proposal_counts", columns, &["proposal_id"])
}

fn comment() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        text("tenant"),
        uuid("proposal_id"),
        optional(uuid("parent_id")),
        text("path"),
        optional(uuid("person")),
        flag("by_staff"),
        text("acting_mode"),
        text("written_on"),
        number("written_at"),
        text("body"),
        text("findings"),
        text("state"),
        optional(text("review_due_on")),
        text("reason"),
        number("replies"),
        flag("shown"),
    ];
    table("comment", columns, &["id"])
}

fn attachment() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        text("tenant"),
        uuid("proposal_id"),
        optional(uuid("person")),
        text("state"),
        text("media_type"),
        number("size"),
        number("chunks"),
        bytes("sha256"),
        text("description"),
        text("variant"),
        text("part"),
        number("begun_at"),
        optional(text("review_due_on")),
        text("reason"),
    ];
    table("attachment", columns, &["id"])
}

/// `part` tells the bytes as they were sent from those with the hidden data taken out.
fn attachment_chunk() -> TableCreateStatement {
    let columns = [uuid("attachment_id"), text("part"), number("position"), bytes("data")];
    table("attachment_chunk", columns, &["attachment_id", "part", "position"])
}

fn search_document() -> TableCreateStatement {
    let columns = [uuid("proposal_id"), text("tenant"), text("stems")];
    table("search_document", columns, &["proposal_id"])
}

fn search_term() -> TableCreateStatement {
    let columns = [number("stem"), uuid("proposal_id"), number("weight")];
    table("search_term", columns, &["stem", "proposal_id"])
}

fn search_stem() -> TableCreateStatement {
    table("search_stem", [number("stem"), number("proposals")], &["stem"])
}

fn search_size() -> TableCreateStatement {
    table("search_size", [text("tenant"), number("proposals")], &["tenant"])
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("support_of", "support", &["person"]),
        index("follow_of", "follow", &["person"]),
        index("comment_place", "comment", &["proposal_id", "path"]).unique().take(),
        index("comment_shown", "comment", &["proposal_id", "shown", "path"]),
        index("comment_of", "comment", &["person", "written_on", "id"]),
        index("comment_state", "comment", &["tenant", "state", "id"]),
        index("attachment_on", "attachment", &["proposal_id"]),
        index("attachment_of", "attachment", &["person"]),
        index("attachment_state", "attachment", &["tenant", "state", "id"]),
        index("attachment_begun", "attachment", &["state", "begun_at"]),
        Index::create()
            .name("search_best")
            .table("search_term")
            .col("stem")
            .col(("weight", IndexOrder::Desc))
            .col("proposal_id")
            .take(),
    ]
}

fn index(name: &'static str, of: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(of).take();
    for column in columns {
        index.col(*column);
    }
    index
}
