//! Forums, as far as they are needed here: whose they are.

use kernel::{Fault, ForumId, TenantId};
use messaging::database_fault;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::entity::known_forum;
use super::values;

/// Stores whose a forum is. `generation` is the rebuild that writes it.
pub async fn save(
    conn: &impl ConnectionTrait,
    id: ForumId,
    tenant: TenantId,
    co_tenants: &[TenantId],
    generation: u64,
) -> Result<(), Fault> {
    let co_tenants: Vec<String> = co_tenants.iter().map(ToString::to_string).collect();
    let row = known_forum::Model {
        id: id.as_uuid(),
        tenant: tenant.to_string(),
        co_tenants: co_tenants.join(","),
        generation: generation.cast_signed(),
    };
    use known_forum::Column::{CoTenants, Generation, Tenant};
    let replace = OnConflict::column(known_forum::Column::Id)
        .update_columns([Tenant, CoTenants, Generation])
        .to_owned();
    let stored = known_forum::Entity::insert(row.into_active_model()).on_conflict(replace);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Deletes a county's forums that were last written before this rebuild.
pub async fn sweep(conn: &impl ConnectionTrait, tenant: &str, generation: u64) -> Result<(), Fault> {
    known_forum::Entity::delete_many()
        .filter(known_forum::Column::Tenant.eq(tenant))
        .filter(known_forum::Column::Generation.lt(generation.cast_signed()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// The counties of a forum, the lead first; none if the forum is unknown.
pub async fn tenants(conn: &impl ConnectionTrait, id: ForumId) -> Result<Vec<TenantId>, Fault> {
    let row = known_forum::Entity::find_by_id(id.as_uuid()).one(conn).await.map_err(database_fault)?;
    let Some(row) = row else { return Ok(Vec::new()) };
    let others = row.co_tenants.split(',').filter(|code| !code.is_empty());
    std::iter::once(row.tenant.as_str()).chain(others).map(values::tenant).collect()
}
