//! Reading one state of a database with several questions, while others write to it.

use sea_orm::{
    AccessMode, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel,
    TransactionTrait as _,
};

/// A transaction that reads: all its questions are answered from one state of the database, that of the first. For
/// checks in a process of their own, which cancel nothing. It is to be committed.
///
/// # Errors
/// If the database is away.
#[expect(
    clippy::disallowed_methods,
    reason = "it reads for a check of its own process, which cancels nothing and closes its connections at the end"
)]
pub async fn view(database: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    match database.get_database_backend() {
        DatabaseBackend::Postgres => {
            let (isolation, access) = (IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
            database.begin_with_config(Some(isolation), Some(access)).await
        }
        _ => database.begin().await,
    }
}
