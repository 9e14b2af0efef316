//! Support relationships, and how many support persons the municipalities have.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{
    Date, MunicipalityCode, PageSize, ParticipantId, Role, ScopeRef, SupportId, TenantId, UnitId, Uuid,
};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::entity::{participant, role_assignment, service_unit, support};
use super::{Result, failed, stored, word};
use crate::domain::participant::State as Standing;
use crate::domain::role;
use crate::domain::support::{State, Support};

/// Scopes asked for with one statement.
const CHUNK: usize = 500;

/// A relationship by its id; whether the caller is one of the two is the caller's to check.
pub(crate) async fn load(db: &impl ConnectionTrait, id: SupportId) -> Result<Option<Support>> {
    let row = support::Entity::find_by_id(id.as_uuid()).one(db).await.map_err(failed)?;
    row.map(to_support).transpose()
}

/// The relationship of these two that has not ended.
pub(crate) async fn open(
    db: &impl ConnectionTrait,
    member: ParticipantId,
    supporter: ParticipantId,
) -> Result<Option<Support>> {
    let row = support::Entity::find()
        .filter(support::Column::Member.eq(member.as_uuid()))
        .filter(support::Column::Supporter.eq(supporter.as_uuid()))
        .filter(support::Column::State.ne(State::Ended.as_str()))
        .one(db)
        .await
        .map_err(failed)?;
    row.map(to_support).transpose()
}

/// The relationships on either side of these entries that have not ended, the oldest first, after `after`; one more than
/// the page holds.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    entries: &[ParticipantId],
    after: Option<SupportId>,
    size: PageSize,
) -> Result<Vec<Support>> {
    let ids = || entries.iter().map(ParticipantId::as_uuid);
    let either = Condition::any()
        .add(support::Column::Member.is_in(ids()))
        .add(support::Column::Supporter.is_in(ids()));
    let mut query =
        support::Entity::find().filter(either).filter(support::Column::State.ne(State::Ended.as_str()));
    if let Some(after) = after {
        query = query.filter(support::Column::Id.gt(after.as_uuid()));
    }
    let rows = query.order_by_asc(support::Column::Id).limit(size.limit()).all(db).await.map_err(failed)?;
    rows.into_iter().map(to_support).collect()
}

/// Stores a relationship, new or as it is now. False if the two have another one that has not ended.
pub(crate) async fn save(db: &impl ConnectionTrait, support: &Support) -> Result<bool> {
    let row = support::Model {
        id: support.id.as_uuid(),
        tenant: support.tenant.to_string(),
        member: support.member.as_uuid(),
        supporter: support.supporter.as_uuid(),
        state: support.state.as_str().to_owned(),
        of_county: support.of_county,
        offered_on: support.offered_on,
        trained_on: support.trained_on,
        ended_on: support.ended_on,
    };
    let known = support::Entity::find_by_id(row.id).one(db).await.map_err(failed)?;
    if known.is_some() {
        support::Entity::update(row.into_active_model().reset_all()).exec(db).await.map_err(failed)?;
        return Ok(true);
    }
    let added = support::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(added == 1)
}

/// Forgets the relationships of an entry, on either side: its person leaves.
pub(crate) async fn forget(db: &impl ConnectionTrait, entry: ParticipantId) -> Result<()> {
    let either = Condition::any()
        .add(support::Column::Member.eq(entry.as_uuid()))
        .add(support::Column::Supporter.eq(entry.as_uuid()));
    support::Entity::delete_many().filter(either).exec(db).await.map_err(failed)?;
    Ok(())
}

/// Deletes a county's relationships that ended before this day: how many, and whether ended ones are left.
pub(crate) async fn purge(db: &impl ConnectionTrait, tenant: TenantId, before: Date) -> Result<(u64, bool)> {
    let ended = Condition::all()
        .add(support::Column::Tenant.eq(tenant.as_str()))
        .add(support::Column::State.eq(State::Ended.as_str()));
    let gone = support::Entity::delete_many()
        .filter(ended.clone())
        .filter(support::Column::EndedOn.lt(before))
        .exec(db)
        .await
        .map_err(failed)?;
    let left = support::Entity::find().filter(ended).one(db).await.map_err(failed)?;
    Ok((gone.rows_affected, left.is_some()))
}

/// How many people hold the role of a support person in the units of each of these municipalities on this day and are let
/// in; 0 for those without any (S1.36).
pub(crate) async fn coverage(
    db: &impl ConnectionTrait,
    municipalities: &[MunicipalityCode],
    day: Date,
) -> Result<BTreeMap<MunicipalityCode, u32>> {
    let units = service_unit::Entity::find()
        .filter(service_unit::Column::Municipality.is_in(municipalities.iter().map(MunicipalityCode::as_str)))
        .all(db)
        .await
        .map_err(failed)?;
    let mut place_of: BTreeMap<String, MunicipalityCode> = BTreeMap::new();
    for unit in units {
        let scope = ScopeRef::Unit(UnitId::from_uuid(unit.id)).to_string();
        place_of.insert(scope, stored(unit.municipality.parse())?);
    }
    let mut found: BTreeMap<MunicipalityCode, BTreeSet<Uuid>> = BTreeMap::new();
    let scopes: Vec<&String> = place_of.keys().collect();
    for chunk in scopes.chunks(CHUNK) {
        let not_over = Condition::any()
            .add(role_assignment::Column::EndsOn.is_null())
            .add(role_assignment::Column::EndsOn.gte(day));
        let held = role_assignment::Entity::find()
            .filter(role_assignment::Column::Scope.is_in(chunk.iter().copied()))
            .filter(role_assignment::Column::Role.eq(Role::SupportPerson.to_string()))
            .filter(role_assignment::Column::State.eq(role::State::Active.as_str()))
            .filter(role_assignment::Column::StartsOn.lte(day))
            .filter(not_over)
            .all(db)
            .await
            .map_err(failed)?;
        let let_in = participant::Entity::find()
            .filter(participant::Column::Id.is_in(held.iter().map(|one| one.participant)))
            .filter(
                participant::Column::State
                    .is_in(Standing::ALL.into_iter().filter(|state| state.is_let_in()).map(Standing::as_str)),
            )
            .all(db)
            .await
            .map_err(failed)?;
        for one in held {
            let person = let_in.iter().find(|entry| entry.id == one.participant).map(|entry| entry.person);
            if let (Some(place), Some(person)) = (place_of.get(&one.scope), person) {
                found.entry(*place).or_default().insert(person);
            }
        }
    }
    let counted = municipalities.iter().map(|place| {
        let people = found.get(place).map_or(0, BTreeSet::len);
        (*place, u32::try_from(people).unwrap_or(u32::MAX))
    });
    Ok(counted.collect())
}

fn to_support(row: support::Model) -> Result<Support> {
    Ok(Support {
        id: SupportId::from_uuid(row.id),
        tenant: stored(row.tenant.parse())?,
        member: ParticipantId::from_uuid(row.member),
        supporter: ParticipantId::from_uuid(row.supporter),
        state: word(&State::ALL, State::as_str, &row.state)?,
        of_county: row.of_county,
        offered_on: row.offered_on,
        trained_on: row.trained_on,
        ended_on: row.ended_on,
    })
}
