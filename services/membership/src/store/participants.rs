//! People in the registers of the counties, and which of them are one human.

use kernel::{PageSize, ParticipantId, TenantId, Uuid};
use sea_orm::sea_query::{OnConflict, Query};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};

use super::entity::{attestation, participant, person};
use super::{Result, failed, stored, word};
use crate::domain::participant::{Participant, PersonId, Profile, State};

/// A person of this county's register.
pub(crate) async fn load(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    id: ParticipantId,
) -> Result<Option<Participant>> {
    let row = participant::Entity::find_by_id(id.as_uuid())
        .filter(participant::Column::Tenant.eq(tenant.as_str()))
        .one(db)
        .await
        .map_err(failed)?;
    row.map(to_participant).transpose()
}

/// A person by id alone, where something else has limited the access: a card, a session, a roll.
pub(crate) async fn any(db: &impl ConnectionTrait, id: ParticipantId) -> Result<Option<Participant>> {
    let row = participant::Entity::find_by_id(id.as_uuid()).one(db).await.map_err(failed)?;
    row.map(to_participant).transpose()
}

/// People by id, where something else has limited the access.
pub(crate) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = ParticipantId>,
) -> Result<Vec<Participant>> {
    let rows = participant::Entity::find()
        .filter(participant::Column::Id.is_in(ids.into_iter().map(|id| id.as_uuid())))
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(to_participant).collect()
}

/// The people of a county by these register keys.
pub(crate) async fn by_keys(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    keys: impl IntoIterator<Item = String>,
) -> Result<Vec<Participant>> {
    let rows = participant::Entity::find()
        .filter(participant::Column::Tenant.eq(tenant.as_str()))
        .filter(participant::Column::RegisterKey.is_in(keys))
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(to_participant).collect()
}

/// One human in the registers of all counties.
pub(crate) async fn of_person(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<Participant>> {
    of_people(db, [person]).await
}

/// Humans in the registers of all counties, in the order of the counties' codes.
pub(crate) async fn of_people(
    db: &impl ConnectionTrait,
    people: impl IntoIterator<Item = PersonId>,
) -> Result<Vec<Participant>> {
    let rows = participant::Entity::find()
        .filter(participant::Column::Person.is_in(people.into_iter().map(PersonId::as_uuid)))
        .order_by_asc(participant::Column::Tenant)
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(to_participant).collect()
}

/// A page of a county's people in the order of their ids, after this one; of one municipality if that is named (by
/// an attestation, ended or not). One more than the page holds.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    municipality: Option<&str>,
    after: Option<Uuid>,
    size: PageSize,
) -> Result<Vec<Participant>> {
    let mut query = participant::Entity::find().filter(participant::Column::Tenant.eq(tenant.as_str()));
    if let Some(code) = municipality {
        let attested = Query::select()
            .column(attestation::Column::Participant)
            .from(attestation::Entity)
            .and_where(attestation::Column::Municipality.eq(code))
            .take();
        query = query.filter(participant::Column::Id.in_subquery(attested));
    }
    if let Some(after) = after {
        query = query.filter(participant::Column::Id.gt(after));
    }
    let rows =
        query.order_by_asc(participant::Column::Id).limit(size.limit()).all(db).await.map_err(failed)?;
    rows.into_iter().map(to_participant).collect()
}

/// Adds a person to a county's register; false if the key, or the human, is there already.
pub(crate) async fn add(db: &impl ConnectionTrait, participant: &Participant) -> Result<bool> {
    let added = participant::Entity::insert(to_row(participant).into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(added == 1)
}

/// Stores a person as they are now.
pub(crate) async fn save(db: &impl ConnectionTrait, participant: &Participant) -> Result<()> {
    let row = to_row(participant).into_active_model().reset_all();
    participant::Entity::update(row).exec(db).await.map_err(failed)?;
    Ok(())
}

/// The human with this link, if any.
pub(crate) async fn person_by_link(db: &impl ConnectionTrait, link_hash: &[u8]) -> Result<Option<PersonId>> {
    let row = person::Entity::find()
        .filter(person::Column::LinkHash.eq(link_hash.to_vec()))
        .one(db)
        .await
        .map_err(failed)?;
    Ok(row.map(|row| PersonId::from(row.id)))
}

/// The link of a human, if known.
pub(crate) async fn link_of(db: &impl ConnectionTrait, person: PersonId) -> Result<Option<Vec<u8>>> {
    let row = person::Entity::find_by_id(person.as_uuid()).one(db).await.map_err(failed)?;
    Ok(row.and_then(|row| row.link_hash))
}

/// Adds a human.
pub(crate) async fn add_person(
    db: &impl ConnectionTrait,
    person: PersonId,
    link_hash: Option<Vec<u8>>,
) -> Result<()> {
    let row = person::Model { id: person.as_uuid(), link_hash };
    person::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map_err(failed)?;
    Ok(())
}

/// Sets or, with None, forgets the link of a human.
pub(crate) async fn set_link(
    db: &impl ConnectionTrait,
    person: PersonId,
    link_hash: Option<Vec<u8>>,
) -> Result<()> {
    let row = person::ActiveModel { id: Set(person.as_uuid()), link_hash: Set(link_hash) };
    person::Entity::update(row).exec(db).await.map_err(failed)?;
    Ok(())
}

fn to_row(participant: &Participant) -> participant::Model {
    let Profile { display_name, language, email, phone } = participant.profile.clone();
    participant::Model {
        id: participant.id.as_uuid(),
        tenant: participant.tenant.to_string(),
        person: participant.person.as_uuid(),
        register_key: participant.register_key.clone(),
        display_name,
        language: language.to_string(),
        email,
        phone,
        state: participant.state.as_str().to_owned(),
    }
}

fn to_participant(row: participant::Model) -> Result<Participant> {
    Ok(Participant {
        id: ParticipantId::from_uuid(row.id),
        tenant: stored(row.tenant.parse())?,
        person: PersonId::from(row.person),
        register_key: row.register_key,
        profile: Profile {
            display_name: row.display_name,
            language: stored(row.language.parse())?,
            email: row.email,
            phone: row.phone,
        },
        state: word(&State::ALL, State::as_str, &row.state)?,
    })
}
