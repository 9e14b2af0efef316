//! Service units, as membership published them.

use kernel::{Fault, MunicipalityCode, TenantId, UnitId};
use messaging::database_fault;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::entity::service_unit;
use super::values;

/// A unit that answers proposals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Id.
    pub id: UnitId,
    /// Its county.
    pub tenant: TenantId,
    /// Name.
    pub name: String,
    /// Kind (S1.42).
    pub kind: String,
    /// Its municipality.
    pub municipality: MunicipalityCode,
}

/// Stores a unit; it replaces an earlier word about it. `generation` is the rebuild that writes it.
pub async fn save(conn: &impl ConnectionTrait, unit: &Unit, generation: u64) -> Result<(), Fault> {
    let row = service_unit::Model {
        id: unit.id.as_uuid(),
        tenant: unit.tenant.to_string(),
        name: unit.name.clone(),
        kind: unit.kind.clone(),
        municipality: unit.municipality.to_string(),
        generation: generation.cast_signed(),
    };
    use service_unit::Column::{Generation, Kind, Municipality, Name, Tenant};
    let changed = [Tenant, Name, Kind, Municipality, Generation];
    let replace = OnConflict::column(service_unit::Column::Id).update_columns(changed).to_owned();
    let stored = service_unit::Entity::insert(row.into_active_model()).on_conflict(replace);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Deletes a county's units that were last written before this rebuild.
pub async fn sweep(conn: &impl ConnectionTrait, tenant: &str, generation: u64) -> Result<(), Fault> {
    service_unit::Entity::delete_many()
        .filter(service_unit::Column::Tenant.eq(tenant))
        .filter(service_unit::Column::Generation.lt(generation.cast_signed()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// These units of a county; ones that are unknown or another county's are missing from the answer.
pub async fn of(conn: &impl ConnectionTrait, tenant: TenantId, ids: &[UnitId]) -> Result<Vec<Unit>, Fault> {
    let rows = service_unit::Entity::find()
        .filter(service_unit::Column::Tenant.eq(tenant.as_str()))
        .filter(service_unit::Column::Id.is_in(ids.iter().map(UnitId::as_uuid)))
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter()
        .map(|row| {
            Ok(Unit {
                id: UnitId::from_uuid(row.id),
                tenant: values::tenant(&row.tenant)?,
                name: row.name,
                kind: row.kind,
                municipality: values::municipality(&row.municipality)?,
            })
        })
        .collect()
}
