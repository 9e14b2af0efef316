//! Service accounts and the setup code, by the hashes of their secrets.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait as _, IntoActiveModel as _};

use super::entity::{service_account, setup_code};
use super::{Result, failed};

/// The one row of the setup code.
const THE_ROW: i64 = 1;

/// The hash of an account's secret; None if there is no such account.
pub(crate) async fn secret_hash(db: &impl ConnectionTrait, name: &str) -> Result<Option<Vec<u8>>> {
    let row = service_account::Entity::find_by_id(name).one(db).await.map_err(failed)?;
    Ok(row.map(|row| row.secret_hash))
}

/// Stores an account, or the new secret of one that is there.
pub(crate) async fn put(db: &impl ConnectionTrait, name: &str, secret_hash: &[u8]) -> Result<()> {
    let row = service_account::Model { name: name.to_owned(), secret_hash: secret_hash.to_vec() };
    let change = OnConflict::column(service_account::Column::Name)
        .update_column(service_account::Column::SecretHash)
        .to_owned();
    service_account::Entity::insert(row.into_active_model())
        .on_conflict(change)
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// The hash of the setup code, if one waits to be used.
pub(crate) async fn setup_code(db: &impl ConnectionTrait) -> Result<Option<Vec<u8>>> {
    let row = setup_code::Entity::find_by_id(THE_ROW).one(db).await.map_err(failed)?;
    Ok(row.map(|row| row.code_hash))
}

/// Stores a setup code in the place of an unused one.
pub(crate) async fn put_setup_code(db: &impl ConnectionTrait, code_hash: &[u8]) -> Result<()> {
    drop_setup_code(db).await?;
    let row = setup_code::Model { id: THE_ROW, code_hash: code_hash.to_vec() };
    setup_code::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map_err(failed)?;
    Ok(())
}

/// Uses the setup code up.
pub(crate) async fn drop_setup_code(db: &impl ConnectionTrait) -> Result<()> {
    setup_code::Entity::delete_by_id(THE_ROW).exec(db).await.map_err(failed)?;
    Ok(())
}
