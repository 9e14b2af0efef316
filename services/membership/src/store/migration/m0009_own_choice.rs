//! Whether somebody chose themselves how they are told, and whether the county offered a support person.

use messaging::schema::flag;
use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "membership_0009_own_choice"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Who set what is there already is not known: staff may set it as before, and its person is told.
        let own = flag("own").default(false).take();
        manager.alter_table(Table::alter().table("contact").add_column(own).take()).await?;
        // Nor who brought a relationship about: it goes on as it did.
        let of_county = flag("of_county").default(false).take();
        manager.alter_table(Table::alter().table("support").add_column(of_county).take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
