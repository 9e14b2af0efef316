//! Rounds of pairwise comparison: ideas that are taken out, own ideas that nobody reads in time, visits that are deleted,
//! and no published figure that would tell how single visits answered.

use messaging::schema::{number, optional, table, text, uuid};
use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "proposals_0007_rounds"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let added = [
            ("comparison_round", ColumnDef::new("removed").big_integer().not_null().default(0).take()),
            (
                "comparison_round",
                ColumnDef::new("visits_forgotten").boolean().not_null().default(false).take(),
            ),
            ("comparison_idea", optional(text("review_due_on"))),
        ];
        for (table, column) in added {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        let columns = [uuid("round_id"), number("sessions_left_out"), number("ideas_moved")];
        manager.create_table(table("round_sensitivity", columns, &["round_id"])).await?;
        for (name, table, columns) in [
            ("comparison_round_forum", "comparison_round", ["forum", "state", "id"]),
            ("comparison_idea_proposal", "comparison_idea", ["proposal_id", "state", "id"]),
        ] {
            let mut index = Index::create().name(name).table(table).take();
            for column in columns {
                index.col(column);
            }
            manager.create_index(index).await?;
        }
        let connection = manager.get_connection();
        for statement in [
            // What was shown and left unanswered does not count any more.
            "UPDATE comparison_idea SET shown = (SELECT COUNT(*) FROM pair_offer o \
             JOIN comparison_session s ON s.id = o.session_id \
             WHERE s.round_id = comparison_idea.round_id AND o.answer IS NOT NULL \
             AND (o.left_idea = comparison_idea.number OR o.right_idea = comparison_idea.number)) \
             WHERE number IS NOT NULL AND round_id IN (SELECT id FROM comparison_round WHERE NOT imported)",
            "DELETE FROM ranked_idea WHERE part = 'without_heaviest'",
            "DELETE FROM round_ranking WHERE part = 'without_heaviest'",
            "UPDATE ranked_idea SET wins = 0, comparisons = 0, strength = NULL WHERE part <> 'all'",
            "UPDATE round_ranking SET sessions = 0, comparisons = 0 WHERE part <> 'all'",
        ] {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
