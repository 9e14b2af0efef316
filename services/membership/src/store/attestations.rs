//! Attestations, and how many are in force.

use std::collections::HashMap;

use kernel::{AttestationId, Date, Fault, MunicipalityCode, ParticipantId, TenantId, UnitId, Uuid};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::entity::{attestation, eligible_count, participant};
use super::{Result, count, failed, stored, word};
use crate::domain::attestation::{Attestation, State};
use crate::domain::participant::PersonId;
use crate::domain::roll::Claim;

/// An attestation of this county.
pub(crate) async fn load(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    id: AttestationId,
) -> Result<Option<Attestation>> {
    let row = attestation::Entity::find_by_id(id.as_uuid())
        .filter(attestation::Column::Tenant.eq(tenant.as_str()))
        .one(db)
        .await
        .map_err(failed)?;
    row.map(to_attestation).transpose()
}

/// An attestation by id alone, for its own timer.
pub(crate) async fn any(db: &impl ConnectionTrait, id: AttestationId) -> Result<Option<Attestation>> {
    let row = attestation::Entity::find_by_id(id.as_uuid()).one(db).await.map_err(failed)?;
    row.map(to_attestation).transpose()
}

/// The attestations of these people, ended ones too, the oldest first.
pub(crate) async fn of(
    db: &impl ConnectionTrait,
    participants: impl IntoIterator<Item = ParticipantId>,
) -> Result<Vec<Attestation>> {
    let ids = participants.into_iter().map(|id| id.as_uuid());
    let rows = attestation::Entity::find()
        .filter(attestation::Column::Participant.is_in(ids))
        .order_by_asc(attestation::Column::Id)
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(to_attestation).collect()
}

/// Claims to places on a roll: attestations for this group in force on this day, by these counties, in these
/// municipalities.
pub(crate) async fn claims(
    db: &impl ConnectionTrait,
    tenants: &[TenantId],
    group: &str,
    municipalities: &[MunicipalityCode],
    day: Date,
) -> Result<Vec<Claim>> {
    let rows = attestation::Entity::find()
        .filter(attestation::Column::ServiceGroup.eq(group))
        .filter(attestation::Column::State.eq(State::Active.as_str()))
        .filter(attestation::Column::Tenant.is_in(tenants.iter().map(TenantId::as_str)))
        .filter(attestation::Column::Municipality.is_in(municipalities.iter().map(MunicipalityCode::as_str)))
        .filter(attestation::Column::AttestedOn.lte(day))
        .filter(attestation::Column::ExpiresOn.gte(day))
        .all(db)
        .await
        .map_err(failed)?;
    let people = people_of(db, rows.iter().map(|row| row.participant).collect()).await?;
    rows.into_iter()
        .map(|row| {
            let person = people.get(&row.participant).copied();
            Ok(Claim {
                person: person.ok_or_else(|| Fault::internal("an attestation of nobody"))?,
                participant: ParticipantId::from_uuid(row.participant),
                municipality: stored(row.municipality.parse())?,
                attested_on: row.attested_on,
            })
        })
        .collect()
}

/// Which human each of these participants is. Asked in chunks, because databases limit the values of a query.
async fn people_of(db: &impl ConnectionTrait, participants: Vec<Uuid>) -> Result<HashMap<Uuid, PersonId>> {
    let mut people = HashMap::with_capacity(participants.len());
    for chunk in participants.chunks(1_000) {
        let rows: Vec<(Uuid, Uuid)> = participant::Entity::find()
            .select_only()
            .columns([participant::Column::Id, participant::Column::Person])
            .filter(participant::Column::Id.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(db)
            .await
            .map_err(failed)?;
        people.extend(rows.into_iter().map(|(id, person)| (id, PersonId::from(person))));
    }
    Ok(people)
}

/// Stores an attestation, new or as it is from today on.
pub(crate) async fn save(db: &impl ConnectionTrait, attestation: &Attestation, today: Date) -> Result<()> {
    let row = attestation::Model {
        id: attestation.id.as_uuid(),
        participant: attestation.participant.as_uuid(),
        tenant: attestation.tenant.to_string(),
        unit: attestation.unit.as_uuid(),
        service_group: attestation.group.clone(),
        municipality: attestation.municipality.to_string(),
        attested_on: attestation.attested_on,
        expires_on: attestation.expires_on,
        state: attestation.state.as_str().to_owned(),
        ended_on: (attestation.state != State::Active).then_some(today),
    };
    let changed = [attestation::Column::State, attestation::Column::EndedOn];
    attestation::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::column(attestation::Column::Id).update_columns(changed).to_owned())
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Moves the count of attestations in force by `change`; gives it before and after.
pub(crate) async fn move_count(
    db: &impl ConnectionTrait,
    attestation: &Attestation,
    change: i64,
) -> Result<(u64, u64)> {
    let key =
        (attestation.tenant.to_string(), attestation.group.clone(), attestation.municipality.to_string());
    let row = eligible_count::Entity::find_by_id(key.clone()).one(db).await.map_err(failed)?;
    let before = row.as_ref().map_or(0, |row| row.count);
    let after = before + change;
    if row.is_some() {
        eligible_count::Entity::update_many()
            .col_expr(eligible_count::Column::Count, Expr::col(eligible_count::Column::Count).add(change))
            .filter(eligible_count::Column::Tenant.eq(key.0))
            .filter(eligible_count::Column::ServiceGroup.eq(key.1))
            .filter(eligible_count::Column::Municipality.eq(key.2))
            .exec(db)
            .await
            .map_err(failed)?;
    } else {
        let row =
            eligible_count::Model { tenant: key.0, service_group: key.1, municipality: key.2, count: after };
        eligible_count::Entity::insert(row.into_active_model())
            .exec_without_returning(db)
            .await
            .map_err(failed)?;
    }
    Ok((count(before)?, count(after)?))
}

/// Deletes the attestations of a county that ended before this day: how many, and whether others are left that have
/// ended.
pub(crate) async fn purge(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    ended_before: Date,
) -> Result<(u64, bool)> {
    let ended = attestation::Entity::delete_many()
        .filter(attestation::Column::Tenant.eq(tenant.as_str()))
        .filter(attestation::Column::EndedOn.lt(ended_before))
        .exec(db)
        .await
        .map_err(failed)?;
    let left = attestation::Entity::find()
        .filter(attestation::Column::Tenant.eq(tenant.as_str()))
        .filter(attestation::Column::EndedOn.is_not_null())
        .one(db)
        .await
        .map_err(failed)?;
    Ok((ended.rows_affected, left.is_some()))
}

fn to_attestation(row: attestation::Model) -> Result<Attestation> {
    Ok(Attestation {
        id: AttestationId::from_uuid(row.id),
        participant: ParticipantId::from_uuid(row.participant),
        tenant: stored(row.tenant.parse())?,
        unit: UnitId::from_uuid(row.unit),
        group: row.service_group,
        municipality: stored(row.municipality.parse())?,
        attested_on: row.attested_on,
        expires_on: row.expires_on,
        state: word(&State::ALL, State::as_str, &row.state)?,
    })
}
