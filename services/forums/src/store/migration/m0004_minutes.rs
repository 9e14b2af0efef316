//! Who was there when something was decided; everybody who wrote minutes; why a dissent is not published, one of each
//! author; topics whose proposal has ended.

use messaging::schema::{flag, number, optional, table, text, uuid};
use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "forums_0004_minutes"
    }
}

/// What is there already goes on: those recorded at a meeting were there for its decisions, whoever wrote minutes wrote them,
/// and what was withheld told of persons.
const TAKEN_OVER: [&str; 3] = [
    "INSERT INTO decision_present (item_id, municipality, seat_no, person) \
     SELECT agenda_item.id, attendance.municipality, attendance.seat_no, attendance.person \
     FROM agenda_item JOIN attendance ON attendance.meeting_id = agenda_item.meeting_id \
     WHERE agenda_item.decision IS NOT NULL",
    "INSERT INTO minutes_writer (meeting_id, person) \
     SELECT id, drafted_by FROM meeting WHERE drafted_by IS NOT NULL",
    "UPDATE dissent SET withheld_reason = 'personal_data' WHERE withheld",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let present = [uuid("item_id"), text("municipality"), number("seat_no"), optional(uuid("person"))];
        let present = table("decision_present", present, &["item_id", "municipality", "seat_no"]);
        manager.create_table(present).await?;
        let index = |name: &'static str, of: &'static str| Index::create().name(name).table(of).take();
        manager
            .create_index(index("decision_present_by_person", "decision_present").col("person").take())
            .await?;
        let writers = [uuid("meeting_id"), uuid("person")];
        manager.create_table(table("minutes_writer", writers, &["meeting_id", "person"])).await?;
        manager
            .create_index(index("minutes_writer_by_person", "minutes_writer").col("person").take())
            .await?;
        let add = |of: &'static str, column: ColumnDef| Table::alter().table(of).add_column(column).take();
        manager.alter_table(add("dissent", optional(text("withheld_reason")))).await?;
        manager.alter_table(add("agenda_item", flag("proposal_ended").default(false).take())).await?;
        for statement in TAKEN_OVER {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        // The columns `dissent.withheld` and `meeting.drafted_by` stay and are written: copies from before read them.
        manager.drop_index(Index::drop().name("dissent_seat").table("dissent").to_owned()).await?;
        // Of a seat there may be two: its deputy's and its holder's. Not unique: rows from before may be an author's second.
        let of_author = index("dissent_of_author", "dissent").col("item_id").col("author").take();
        manager.create_index(of_author).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
