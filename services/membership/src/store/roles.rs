//! Roles and mandates.

use kernel::{AssignmentId, Date, HeldRole, PageSize, ParticipantId, Role, ScopeRef, TenantId};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::entity::{mandate, role_assignment};
use super::{Result, failed, stored, word};
use crate::domain::mandate::Mandate;
use crate::domain::participant::PersonId;
use crate::domain::role::{Assignment, State};

/// A role that this county gave.
pub(crate) async fn load(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    id: AssignmentId,
) -> Result<Option<Assignment>> {
    let row = role_assignment::Entity::find_by_id(id.as_uuid())
        .filter(role_assignment::Column::Tenant.eq(tenant.as_str()))
        .one(db)
        .await
        .map_err(failed)?;
    row.map(to_assignment).transpose()
}

/// A role by id alone, for its own timer.
pub(crate) async fn any(db: &impl ConnectionTrait, id: AssignmentId) -> Result<Option<Assignment>> {
    let row = role_assignment::Entity::find_by_id(id.as_uuid()).one(db).await.map_err(failed)?;
    row.map(to_assignment).transpose()
}

/// The roles of these people, ended ones too, the oldest first.
pub(crate) async fn of(
    db: &impl ConnectionTrait,
    participants: impl IntoIterator<Item = ParticipantId>,
) -> Result<Vec<Assignment>> {
    let ids = participants.into_iter().map(|id| id.as_uuid());
    let rows = role_assignment::Entity::find()
        .filter(role_assignment::Column::Participant.is_in(ids))
        .order_by_asc(role_assignment::Column::Id)
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(to_assignment).collect()
}

/// Those of the counties in which nobody is administrator.
pub(crate) async fn without_administrator(
    db: &impl ConnectionTrait,
    counties: &[TenantId],
) -> Result<Vec<TenantId>> {
    let held = held(db, Role::Administrator).await?;
    Ok(counties.iter().copied().filter(|county| !held.contains(&ScopeRef::Tenant(*county))).collect())
}

/// Whether anybody is operator of the deployment.
pub(crate) async fn is_operated(db: &impl ConnectionTrait) -> Result<bool> {
    Ok(!held(db, Role::Operator).await?.is_empty())
}

/// Those who hold this role on this day, after the assignment `after`, in the order of the assignments; one more than the
/// page holds.
pub(crate) async fn holders(
    db: &impl ConnectionTrait,
    held: HeldRole,
    day: Date,
    after: Option<AssignmentId>,
    size: PageSize,
) -> Result<Vec<(AssignmentId, ParticipantId)>> {
    let not_over = Condition::any()
        .add(role_assignment::Column::EndsOn.is_null())
        .add(role_assignment::Column::EndsOn.gte(day));
    let mut query = role_assignment::Entity::find()
        .filter(role_assignment::Column::Scope.eq(held.scope.to_string()))
        .filter(role_assignment::Column::Role.eq(held.role.to_string()))
        .filter(role_assignment::Column::State.eq(State::Active.as_str()))
        .filter(role_assignment::Column::StartsOn.lte(day))
        .filter(not_over);
    if let Some(after) = after {
        query = query.filter(role_assignment::Column::Id.gt(after.as_uuid()));
    }
    let rows =
        query.order_by_asc(role_assignment::Column::Id).limit(size.limit()).all(db).await.map_err(failed)?;
    Ok(rows.into_iter().map(|row| (row.id.into(), row.participant.into())).collect())
}

/// Where somebody holds this role.
async fn held(db: &impl ConnectionTrait, role: Role) -> Result<Vec<ScopeRef>> {
    let rows = role_assignment::Entity::find()
        .filter(role_assignment::Column::Role.eq(role.to_string()))
        .filter(role_assignment::Column::State.eq(State::Active.as_str()))
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(|row| Ok(to_assignment(row)?.held.scope)).collect()
}

/// Stores a role, new or as it is now.
pub(crate) async fn save(db: &impl ConnectionTrait, assignment: &Assignment) -> Result<()> {
    let row = role_assignment::Model {
        id: assignment.id.as_uuid(),
        participant: assignment.participant.as_uuid(),
        tenant: assignment.tenant.to_string(),
        role: assignment.held.role.to_string(),
        scope: assignment.held.scope.to_string(),
        starts_on: assignment.starts_on,
        ends_on: assignment.ends_on,
        state: assignment.state.as_str().to_owned(),
    };
    let columns = OnConflict::column(role_assignment::Column::Id)
        .update_column(role_assignment::Column::State)
        .to_owned();
    role_assignment::Entity::insert(row.into_active_model())
        .on_conflict(columns)
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(())
}

fn to_assignment(row: role_assignment::Model) -> Result<Assignment> {
    Ok(Assignment {
        id: AssignmentId::from_uuid(row.id),
        participant: ParticipantId::from_uuid(row.participant),
        tenant: stored(row.tenant.parse())?,
        held: HeldRole { role: stored(row.role.parse())?, scope: stored(row.scope.parse())? },
        starts_on: row.starts_on,
        ends_on: row.ends_on,
        state: word(&State::ALL, State::as_str, &row.state)?,
    })
}

/// Records a mandate.
pub(crate) async fn add_mandate(db: &impl ConnectionTrait, mandate: &Mandate) -> Result<()> {
    let row = mandate::Model {
        id: mandate.id.as_uuid(),
        tenant: mandate.tenant.to_string(),
        principal: mandate.principal.as_uuid(),
        holder: mandate.holder.as_uuid(),
        ends_on: mandate.ends_on,
    };
    mandate::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map_err(failed)?;
    Ok(())
}

/// Forgets the mandates that this county has recorded from or for a human.
pub(crate) async fn forget_mandates(
    db: &impl ConnectionTrait,
    person: PersonId,
    tenant: TenantId,
) -> Result<()> {
    let party = Condition::any()
        .add(mandate::Column::Holder.eq(person.as_uuid()))
        .add(mandate::Column::Principal.eq(person.as_uuid()));
    mandate::Entity::delete_many()
        .filter(mandate::Column::Tenant.eq(tenant.as_str()))
        .filter(party)
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// The mandates one human has from another.
pub(crate) async fn mandates(
    db: &impl ConnectionTrait,
    holder: PersonId,
    principal: PersonId,
) -> Result<Vec<Mandate>> {
    let rows = mandate::Entity::find()
        .filter(mandate::Column::Holder.eq(holder.as_uuid()))
        .filter(mandate::Column::Principal.eq(principal.as_uuid()))
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(Mandate {
                id: row.id.into(),
                tenant: stored(row.tenant.parse())?,
                principal: PersonId::from(row.principal),
                holder: PersonId::from(row.holder),
                ends_on: row.ends_on,
            })
        })
        .collect()
}
