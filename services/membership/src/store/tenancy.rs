//! Policy, regions, service units.

use kernel::policy::PolicyValue;
use kernel::{Date, PageSize, Policies, PolicyKey, RegionId, TenantId, UnitId};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::entity::{policy, region, service_unit};
use super::{Result, failed, joined, split, stored, word};
use crate::domain::tenancy::{Policy, Region, ServiceUnit, UnitKind};

/// All values a county has set, by key and day.
pub(crate) async fn policies(db: &impl ConnectionTrait, tenant: TenantId) -> Result<Vec<Policy>> {
    let rows = policy::Entity::find()
        .filter(policy::Column::Tenant.eq(tenant.as_str()))
        .order_by_asc(policy::Column::PolicyKey)
        .order_by_asc(policy::Column::ValidFrom)
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(Policy {
                tenant,
                key: stored(row.policy_key.parse())?,
                value: stored(u32::try_from(row.value))?,
                valid_from: row.valid_from,
            })
        })
        .collect()
}

/// The value in force in a county on a day.
pub(crate) async fn policy_on(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    key: PolicyKey,
    day: Date,
) -> Result<u32> {
    let set = policies(db, tenant).await?;
    let values = set.into_iter().map(|policy| PolicyValue {
        key: policy.key,
        value: policy.value,
        valid_from: policy.valid_from,
    });
    Ok(Policies::new(values.collect()).on(day, key))
}

/// Stores a value, in the place of one for the same key and day.
pub(crate) async fn save_policy(db: &impl ConnectionTrait, policy: &Policy) -> Result<()> {
    let row = policy::Model {
        tenant: policy.tenant.to_string(),
        policy_key: policy.key.to_string(),
        valid_from: policy.valid_from,
        value: i64::from(policy.value),
    };
    let key = [policy::Column::Tenant, policy::Column::PolicyKey, policy::Column::ValidFrom];
    policy::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::columns(key).update_column(policy::Column::Value).to_owned())
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Adds a region; false if one of its name begins on its day already.
pub(crate) async fn add_region(db: &impl ConnectionTrait, region: &Region) -> Result<bool> {
    let row = region::Model {
        id: region.id.as_uuid(),
        tenant: region.tenant.to_string(),
        name: region.name.clone(),
        municipalities: joined(&region.municipalities),
        valid_from: region.valid_from,
    };
    let added = region::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(added == 1)
}

/// The regions a county keeps, by name and day.
pub(crate) async fn regions(db: &impl ConnectionTrait, tenant: TenantId) -> Result<Vec<Region>> {
    let rows = region::Entity::find()
        .filter(region::Column::Tenant.eq(tenant.as_str()))
        .order_by_asc(region::Column::Name)
        .order_by_asc(region::Column::ValidFrom)
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(to_region).collect()
}

/// A region of any county.
pub(crate) async fn region(db: &impl ConnectionTrait, id: RegionId) -> Result<Option<Region>> {
    let row = region::Entity::find_by_id(id.as_uuid()).one(db).await.map_err(failed)?;
    row.map(to_region).transpose()
}

fn to_region(row: region::Model) -> Result<Region> {
    Ok(Region {
        id: RegionId::from_uuid(row.id),
        tenant: stored(row.tenant.parse())?,
        name: row.name,
        municipalities: split(&row.municipalities)?,
        valid_from: row.valid_from,
    })
}

/// Adds a unit; false if one of its name is in the county already.
pub(crate) async fn add_unit(db: &impl ConnectionTrait, unit: &ServiceUnit) -> Result<bool> {
    let row = service_unit::Model {
        id: unit.id.as_uuid(),
        tenant: unit.tenant.to_string(),
        name: unit.name.clone(),
        kind: unit.kind.as_str().to_owned(),
        municipality: unit.municipality.to_string(),
    };
    let added = service_unit::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(added == 1)
}

/// A unit of any county.
pub(crate) async fn unit(db: &impl ConnectionTrait, id: UnitId) -> Result<Option<ServiceUnit>> {
    let row = service_unit::Entity::find_by_id(id.as_uuid()).one(db).await.map_err(failed)?;
    row.map(to_unit).transpose()
}

/// Units by id.
pub(crate) async fn units_by_ids(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = UnitId>,
) -> Result<Vec<ServiceUnit>> {
    let rows = service_unit::Entity::find()
        .filter(service_unit::Column::Id.is_in(ids.into_iter().map(|id| id.as_uuid())))
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(to_unit).collect()
}

/// The units of a county by these names.
pub(crate) async fn units_named(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    names: impl IntoIterator<Item = String>,
) -> Result<Vec<ServiceUnit>> {
    let rows = service_unit::Entity::find()
        .filter(service_unit::Column::Tenant.eq(tenant.as_str()))
        .filter(service_unit::Column::Name.is_in(names))
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(to_unit).collect()
}

/// A page of a county's units by name, after this name; one more than the page holds.
pub(crate) async fn units(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    after: Option<&str>,
    size: PageSize,
) -> Result<Vec<ServiceUnit>> {
    let after = after.map(|name| Expr::col(service_unit::Column::Name).gt(name));
    let rows = service_unit::Entity::find()
        .filter(service_unit::Column::Tenant.eq(tenant.as_str()))
        .filter(Condition::all().add_option(after))
        .order_by_asc(service_unit::Column::Name)
        .limit(size.limit())
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(to_unit).collect()
}

fn to_unit(row: service_unit::Model) -> Result<ServiceUnit> {
    Ok(ServiceUnit {
        id: UnitId::from_uuid(row.id),
        tenant: stored(row.tenant.parse())?,
        name: row.name,
        kind: word(&UnitKind::ALL, UnitKind::as_str, &row.kind)?,
        municipality: stored(row.municipality.parse())?,
    })
}
