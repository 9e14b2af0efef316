//! Signing keys; the private halves are sealed.

use kernel::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _,
};

use super::entity::signing_key;
use super::{Result, failed};

/// A signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SigningKey {
    /// Its id in the headers of tokens.
    pub(crate) key_id: String,
    /// The private half, sealed.
    pub(crate) sealed: Vec<u8>,
    /// X coordinate of the public half.
    pub(crate) x: Vec<u8>,
    /// Y coordinate of the public half.
    pub(crate) y: Vec<u8>,
    /// When it was made, real time.
    pub(crate) created_at: Timestamp,
    /// Until when tokens may be signed with it; None for the key in use.
    pub(crate) not_after: Option<Timestamp>,
}

/// The key in use.
pub(crate) async fn current(db: &impl ConnectionTrait) -> Result<Option<SigningKey>> {
    let row = signing_key::Entity::find()
        .filter(signing_key::Column::NotAfter.is_null())
        .order_by_desc(signing_key::Column::CreatedAt)
        .one(db)
        .await
        .map_err(failed)?;
    Ok(row.map(to_key))
}

/// The keys with which valid tokens may be signed, the newest first.
pub(crate) async fn published(db: &impl ConnectionTrait, real_now: Timestamp) -> Result<Vec<SigningKey>> {
    let valid = Condition::any()
        .add(signing_key::Column::NotAfter.is_null())
        .add(signing_key::Column::NotAfter.gte(real_now.as_micros()));
    let rows = signing_key::Entity::find()
        .filter(valid)
        .order_by_desc(signing_key::Column::CreatedAt)
        .order_by_desc(signing_key::Column::KeyId)
        .all(db)
        .await
        .map_err(failed)?;
    Ok(rows.into_iter().map(to_key).collect())
}

/// Puts a new key to use; the one before is published until `old_not_after`, and those past are dropped.
pub(crate) async fn rotate(
    db: &impl ConnectionTrait,
    key: &SigningKey,
    old_not_after: Timestamp,
) -> Result<()> {
    signing_key::Entity::delete_many()
        .filter(signing_key::Column::NotAfter.lt(key.created_at.as_micros()))
        .exec(db)
        .await
        .map_err(failed)?;
    signing_key::Entity::update_many()
        .col_expr(signing_key::Column::NotAfter, Expr::value(old_not_after.as_micros()))
        .filter(signing_key::Column::NotAfter.is_null())
        .exec(db)
        .await
        .map_err(failed)?;
    let row = signing_key::Model {
        key_id: key.key_id.clone(),
        sealed: key.sealed.clone(),
        x: key.x.clone(),
        y: key.y.clone(),
        created_at: key.created_at.as_micros(),
        not_after: None,
    };
    signing_key::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map_err(failed)?;
    Ok(())
}

fn to_key(row: signing_key::Model) -> SigningKey {
    SigningKey {
        key_id: row.key_id,
        sealed: row.sealed,
        x: row.x,
        y: row.y,
        created_at: Timestamp::from_micros(row.created_at),
        not_after: row.not_after.map(Timestamp::from_micros),
    }
}
