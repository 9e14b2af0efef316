//! Notices that cannot wait until another day, and looking for those who hold a role.

use messaging::schema::flag;
use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "membership_0006_urgent"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let urgent = flag("urgent").default(false).take();
        manager.alter_table(Table::alter().table("notice").add_column(urgent).take()).await?;
        manager.drop_index(Index::drop().name("notice_day").table("notice").to_owned()).await?;
        // One notice a person a day; the urgent ones are beside it.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX notice_day ON notice (person, deliver_on) WHERE NOT urgent",
            )
            .await?;
        let index = |name: &'static str, of: &'static str| Index::create().name(name).table(of).take();
        let by_day = index("notice_of", "notice").col("person").col("deliver_on").col("id").take();
        let by_role = index("role_assignment_in", "role_assignment").col("scope").col("role").take();
        manager.create_index(by_day).await?;
        manager.create_index(by_role).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
