//! What a running service may do with tables that another role owns (SEC-41): everything it needs, and neither change
//! nor delete a row of the logs.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, Statement};

/// Tables to which the running service only adds.
const APPEND_ONLY: &str = "audit_log, event_log";

/// The role of a connection, quoted for use in a statement.
pub(crate) async fn role(connection: &DatabaseConnection) -> Result<String, DbErr> {
    text(connection, "SELECT quote_ident(current_user)").await
}

/// Gives `role` its rights, and no others, to all tables of the owner who is connected. Once for all: whoever is
/// connected meanwhile keeps what they need.
pub(crate) async fn grant(owner: &DatabaseConnection, role: &str) -> Result<(), DbErr> {
    let schema = text(owner, "SELECT quote_ident(current_schema())").await?;
    owner
        .execute_unprepared(&format!(
            "BEGIN; \
             GRANT USAGE ON SCHEMA {schema} TO {role}; \
             REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}; \
             REVOKE UPDATE, DELETE ON {APPEND_ONLY} FROM {role}; \
             REVOKE INSERT, UPDATE, DELETE ON seaql_migrations FROM {role}; \
             GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}; \
             COMMIT"
        ))
        .await?;
    Ok(())
}

async fn text(connection: &DatabaseConnection, question: &str) -> Result<String, DbErr> {
    let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, question)).await?;
    row.ok_or_else(|| DbErr::RecordNotFound(question.to_owned()))?.try_get_by_index(0)
}
