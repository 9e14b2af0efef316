//! Policy values of counties, as membership published them.

use kernel::policy::PolicyValue;
use kernel::{Fault, Policies, PolicyKey, TenantId};
use messaging::database_fault;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::entity::policy_value;
use super::values;

/// Stores a value; it replaces one for the same key and day. `generation` is the rebuild that writes it.
pub async fn save(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    value: PolicyValue,
    generation: u64,
) -> Result<(), Fault> {
    let row = policy_value::Model {
        tenant: tenant.to_string(),
        key: value.key.to_string(),
        valid_from: value.valid_from.to_string(),
        value: i64::from(value.value),
        generation: generation.cast_signed(),
    };
    let key = [policy_value::Column::Tenant, policy_value::Column::Key, policy_value::Column::ValidFrom];
    let changed = [policy_value::Column::Value, policy_value::Column::Generation];
    let replace = OnConflict::columns(key).update_columns(changed).to_owned();
    let stored = policy_value::Entity::insert(row.into_active_model()).on_conflict(replace);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Deletes a county's values that were last written before this rebuild.
pub async fn sweep(conn: &impl ConnectionTrait, tenant: &str, generation: u64) -> Result<(), Fault> {
    policy_value::Entity::delete_many()
        .filter(policy_value::Column::Tenant.eq(tenant))
        .filter(policy_value::Column::Generation.lt(generation.cast_signed()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// The policy of a county: what it has set, over the defaults.
pub async fn of(conn: &impl ConnectionTrait, tenant: TenantId) -> Result<Policies, Fault> {
    let rows = policy_value::Entity::find()
        .filter(policy_value::Column::Tenant.eq(tenant.as_str()))
        .all(conn)
        .await
        .map_err(database_fault)?;
    let value = |row: policy_value::Model| -> Result<PolicyValue, Fault> {
        Ok(PolicyValue {
            key: values::known(&PolicyKey::ALL, PolicyKey::as_str, &row.key)?,
            value: values::count(row.value)?,
            valid_from: values::day(&row.valid_from)?,
        })
    };
    Ok(Policies::new(rows.into_iter().map(value).collect::<Result<_, _>>()?))
}
