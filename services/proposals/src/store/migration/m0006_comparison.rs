//! Rounds of pairwise comparison: ideas, visits and their pairs, kept sums, published rankings.

use messaging::schema::{flag, number, optional, table, text, uuid};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "proposals_0006_comparison"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [round(), idea(), session()] {
            manager.create_table(table).await?;
        }
        for mut table in [pair_offer(), pair_sum(), place(), skip_sum(), ranking(), ranked_idea()] {
            // These lie in the order of their key: what is read together lies together, and is kept once.
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

fn round() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        text("tenant"),
        optional(uuid("forum")),
        text("title"),
        text("opens_on"),
        text("closes_on"),
        flag("own_ideas"),
        text("state"),
        flag("imported"),
        number("ideas"),
        number("joined_late"),
        number("comparisons"),
        number("skips"),
        number("sessions"),
        number("assisted"),
    ];
    table("comparison_round", columns, &["id"])
}

fn idea() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        uuid("round_id"),
        optional(number("number")),
        text("text"),
        text("picture"),
        optional(uuid("proposal_id")),
        flag("own"),
        text("state"),
        text("reason"),
        number("shown"),
        number("wins"),
        number("comparisons"),
    ];
    table("comparison_idea", columns, &["id"])
}

fn session() -> TableCreateStatement {
    let columns = [
        uuid("id"),
        uuid("round_id"),
        text("municipality"),
        number("comparisons"),
        text("latest"),
        number("own_ideas"),
    ];
    table("comparison_session", columns, &["id"])
}

fn pair_offer() -> TableCreateStatement {
    let columns = [
        uuid("session_id"),
        number("number"),
        number("left_idea"),
        number("right_idea"),
        optional(text("answer")),
    ];
    table("pair_offer", columns, &["session_id", "number"])
}

fn pair_sum() -> TableCreateStatement {
    let columns = [
        uuid("round_id"),
        text("place"),
        number("lower"),
        number("higher"),
        number("wins_lower"),
        number("wins_higher"),
    ];
    table("pair_sum", columns, &["round_id", "place", "lower", "higher"])
}

fn place() -> TableCreateStatement {
    let columns = [uuid("round_id"), text("place"), number("sessions"), number("comparisons")];
    table("comparison_place", columns, &["round_id", "place"])
}

fn skip_sum() -> TableCreateStatement {
    let columns = [uuid("round_id"), number("idea"), text("reason"), number("times")];
    table("skip_sum", columns, &["round_id", "idea", "reason"])
}

fn ranking() -> TableCreateStatement {
    let columns = [
        uuid("round_id"),
        text("part"),
        text("basis"),
        flag("provisional"),
        number("groups"),
        number("sessions"),
        number("comparisons"),
    ];
    table("round_ranking", columns, &["round_id", "part"])
}

fn ranked_idea() -> TableCreateStatement {
    let columns = [
        uuid("round_id"),
        text("part"),
        number("idea"),
        optional(number("rank")),
        number("linked"),
        number("wins"),
        number("comparisons"),
        ColumnDef::new("strength").double().take(),
    ];
    table("ranked_idea", columns, &["round_id", "part", "idea"])
}

fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &'static str, table: &'static str, columns: &[&'static str]| {
        let mut index = Index::create();
        index.name(name).table(table);
        for column in columns {
            index.col(*column);
        }
        index.take()
    };
    vec![
        index("comparison_round_list", "comparison_round", &["tenant", "state", "id"]),
        index("comparison_idea_round", "comparison_idea", &["round_id", "state", "id"]),
        // The heaviest sessions of a round are its last ones.
        index("comparison_session_weight", "comparison_session", &["round_id", "comparisons", "id"]),
    ]
}
