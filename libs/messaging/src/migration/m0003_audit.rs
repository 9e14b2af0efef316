//! The audit log, and what keeps its rows from being changed (SEC-40, SEC-41).

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

use crate::database::DatabaseKind;
use crate::schema::{bytes, number, table, text};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "messaging_0003_audit"
    }
}

/// SQLite has no triggers of statements. A row that replaces another is deleted without a trigger, so a number that is
/// there already, or lower, is refused as well.
const SQLITE: [&str; 3] = [
    "CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log \
     BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END",
    "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log \
     BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END",
    "CREATE TRIGGER audit_log_no_replace BEFORE INSERT ON audit_log \
     WHEN EXISTS (SELECT 1 FROM audit_log WHERE seq >= NEW.seq) \
     BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END",
];

/// Triggers of statements fire for a statement that meets no row, too.
const POSTGRES: [&str; 2] = [
    "CREATE FUNCTION audit_log_append_only() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN RAISE EXCEPTION 'audit_log is append-only'; END $$",
    "CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log \
     FOR EACH STATEMENT EXECUTE FUNCTION audit_log_append_only()",
];

/// What takes the guard against deleting away, and what puts it back: for whoever owns the table, within a transaction.
pub(crate) fn guards(kind: DatabaseKind) -> (&'static str, &'static str) {
    match kind {
        DatabaseKind::Sqlite => ("DROP TRIGGER audit_log_no_delete", SQLITE[1]),
        DatabaseKind::Postgres => (
            "ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only",
            "ALTER TABLE audit_log ENABLE TRIGGER audit_log_append_only",
        ),
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "async_trait matches the trait's signature only as it is written there"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            number("seq"),
            number("at"),
            text("tenant"),
            text("actor"),
            text("actor_kind"),
            text("mode"),
            text("rpc"),
            text("resource"),
            text("purpose"),
            text("decision"),
            text("outcome"),
            text("code"),
            text("correlation_id"),
            text("causation_id"),
            bytes("prev_hash"),
            bytes("hash"),
        ];
        manager.create_table(table("audit_log", columns, &["seq"])).await?;
        let guards: &[&str] = match manager.get_database_backend() {
            DbBackend::Postgres => &POSTGRES,
            _ => &SQLITE,
        };
        for guard in guards {
            manager.get_connection().execute_unprepared(guard).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
