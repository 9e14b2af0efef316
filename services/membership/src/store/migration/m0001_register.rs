//! Counties' policy, regions and units; people, attestations, roles, mandates.

use messaging::schema::{bytes, number, optional, table, text, uuid};
use sea_orm_migration::prelude::*;

use super::date;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "membership_0001_register"
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
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // M1: one attestation in force for a person, group and municipality; the backstop of the rule.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX attestation_in_force ON attestation (participant, service_group, municipality) \
                 WHERE state = 'active'",
            )
            .await?;
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "policy",
            [text("tenant"), text("policy_key"), date("valid_from"), number("value")],
            &["tenant", "policy_key", "valid_from"],
        ),
        table(
            "region",
            // Codes with commas between them.
            [uuid("id"), text("tenant"), text("name"), text("municipalities"), date("valid_from")],
            &["id"],
        ),
        table(
            "service_unit",
            [uuid("id"), text("tenant"), text("name"), text("kind"), text("municipality")],
            &["id"],
        ),
        // One human. The link is a keyed hash; empty where none is known.
        table("person", [uuid("id"), optional(bytes("link_hash"))], &["id"]),
        table(
            "participant",
            [
                uuid("id"),
                text("tenant"),
                uuid("person"),
                text("register_key"),
                text("display_name"),
                text("language"),
                text("email"),
                text("phone"),
                text("state"),
            ],
            &["id"],
        ),
        table(
            "attestation",
            [
                uuid("id"),
                uuid("participant"),
                text("tenant"),
                uuid("unit"),
                text("service_group"),
                text("municipality"),
                date("attested_on"),
                date("expires_on"),
                text("state"),
            ],
            &["id"],
        ),
        // How many attestations are in force; kept, not counted.
        table(
            "eligible_count",
            [text("tenant"), text("service_group"), text("municipality"), number("count")],
            &["tenant", "service_group", "municipality"],
        ),
        table(
            "role_assignment",
            [
                uuid("id"),
                uuid("participant"),
                text("tenant"),
                text("role"),
                text("scope"),
                date("starts_on"),
                optional(date("ends_on")),
                text("state"),
            ],
            &["id"],
        ),
        table(
            "mandate",
            [uuid("id"), text("tenant"), uuid("principal"), uuid("holder"), date("ends_on")],
            &["id"],
        ),
    ]
}

fn unique(name: &'static str, of: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    index(name, of, columns).unique().take()
}

fn index(name: &'static str, of: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(of).take();
    for column in columns {
        index.col(*column);
    }
    index
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("region_name", "region", &["tenant", "name", "valid_from"]),
        unique("service_unit_name", "service_unit", &["tenant", "name"]),
        unique("person_link", "person", &["link_hash"]),
        unique("participant_key", "participant", &["tenant", "register_key"]),
        unique("participant_person", "participant", &["tenant", "person"]),
        index("participant_of_person", "participant", &["person"]),
        index("attestation_of", "attestation", &["participant"]),
        index("attestation_where", "attestation", &["service_group", "municipality", "state"]),
        index("role_assignment_of", "role_assignment", &["participant"]),
        index("mandate_of", "mandate", &["holder", "principal"]),
    ]
}
