//! References: a person as each service knows them, random and different for every service (decision: pairwise).

use std::collections::HashMap;

use kernel::{Subject, Uuid};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Set,
};

use super::entity::{pseudonym, retired_reference};
use super::{Result, count, failed};
use crate::domain::participant::PersonId;

/// People asked for, or rows inserted, with one statement.
const CHUNK: usize = 500;

/// How a service knows a person, if it does.
pub(crate) async fn find(
    db: &impl ConnectionTrait,
    person: PersonId,
    service: &str,
) -> Result<Option<Subject>> {
    let key = (person.as_uuid(), service.to_owned());
    let row = pseudonym::Entity::find_by_id(key).one(db).await.map_err(failed)?;
    Ok(row.map(|row| Subject::from_uuid(row.reference)))
}

/// How a service knows a person; `new` becomes the reference if there is none yet.
pub(crate) async fn find_or_add(
    db: &impl ConnectionTrait,
    person: PersonId,
    service: &str,
    new: Subject,
) -> Result<Subject> {
    if let Some(subject) = find(db, person, service).await? {
        return Ok(subject);
    }
    let row =
        pseudonym::Model { person: person.as_uuid(), service: service.to_owned(), reference: new.as_uuid() };
    pseudonym::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(find(db, person, service).await?.unwrap_or(new))
}

/// Gives those of these people a reference whom the service does not know yet, many with one statement.
pub(crate) async fn add_missing(
    db: &impl ConnectionTrait,
    service: &str,
    people: &[PersonId],
    new: impl Fn() -> Subject,
) -> Result<()> {
    for chunk in people.chunks(CHUNK) {
        let known = of(db, service, chunk.iter().copied()).await?;
        let missing = chunk.iter().filter(|person| !known.contains_key(person)).map(|person| {
            let (person, reference) = (person.as_uuid(), new().as_uuid());
            pseudonym::Model { person, service: service.to_owned(), reference }.into_active_model()
        });
        let missing: Vec<pseudonym::ActiveModel> = missing.collect();
        if !missing.is_empty() {
            pseudonym::Entity::insert_many(missing).exec_without_returning(db).await.map_err(failed)?;
        }
    }
    Ok(())
}

/// The references by which a service knows these people.
pub(crate) async fn of(
    db: &impl ConnectionTrait,
    service: &str,
    people: impl IntoIterator<Item = PersonId>,
) -> Result<HashMap<PersonId, Subject>> {
    let rows = pseudonym::Entity::find()
        .filter(pseudonym::Column::Service.eq(service))
        .filter(pseudonym::Column::Person.is_in(people.into_iter().map(PersonId::as_uuid)))
        .all(db)
        .await
        .map_err(failed)?;
    Ok(rows.into_iter().map(|row| (PersonId::from(row.person), Subject::from_uuid(row.reference))).collect())
}

/// The people behind a service's references, in the order of the references; unknown ones are left out.
pub(crate) async fn people(
    db: &impl ConnectionTrait,
    service: &str,
    references: &[Subject],
) -> Result<Vec<(Subject, PersonId)>> {
    let rows = pseudonym::Entity::find()
        .filter(pseudonym::Column::Service.eq(service))
        .filter(pseudonym::Column::Reference.is_in(references.iter().map(Subject::as_uuid)))
        .all(db)
        .await
        .map_err(failed)?;
    let known: HashMap<Uuid, Uuid> = rows.into_iter().map(|row| (row.reference, row.person)).collect();
    let found = references.iter().filter_map(|reference| {
        known.get(&reference.as_uuid()).map(|person| (*reference, PersonId::from(*person)))
    });
    Ok(found.collect())
}

/// The references by which the services know a person.
pub(crate) async fn of_person(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<Subject>> {
    let rows = pseudonym::Entity::find()
        .filter(pseudonym::Column::Person.eq(person.as_uuid()))
        .order_by_asc(pseudonym::Column::Service)
        .all(db)
        .await
        .map_err(failed)?;
    Ok(rows.into_iter().map(|row| Subject::from_uuid(row.reference)).collect())
}

/// Those of a service's references that lead to nobody any more, because the person has left.
pub(crate) async fn are_retired(
    db: &impl ConnectionTrait,
    service: &str,
    references: &[Subject],
) -> Result<Vec<Subject>> {
    let rows = retired_reference::Entity::find()
        .filter(retired_reference::Column::Service.eq(service))
        .filter(retired_reference::Column::Reference.is_in(references.iter().map(Subject::as_uuid)))
        .all(db)
        .await
        .map_err(failed)?;
    Ok(rows.into_iter().map(|row| Subject::from_uuid(row.reference)).collect())
}

/// Whether any service knows the person.
pub(crate) async fn any(db: &impl ConnectionTrait, person: PersonId) -> Result<bool> {
    let row = pseudonym::Entity::find()
        .filter(pseudonym::Column::Person.eq(person.as_uuid()))
        .one(db)
        .await
        .map_err(failed)?;
    Ok(row.is_some())
}

/// Retires all references of a person: each service is told, and none leads to the person any more.
pub(crate) async fn retire(db: &impl ConnectionTrait, person: PersonId) -> Result<()> {
    let rows = pseudonym::Entity::find()
        .filter(pseudonym::Column::Person.eq(person.as_uuid()))
        .order_by_asc(pseudonym::Column::Service)
        .all(db)
        .await
        .map_err(failed)?;
    for row in rows {
        let retired = retired_reference::ActiveModel {
            service: Set(row.service),
            reference: Set(row.reference),
            ..Default::default()
        };
        retired_reference::Entity::insert(retired).exec_without_returning(db).await.map_err(failed)?;
    }
    pseudonym::Entity::delete_many()
        .filter(pseudonym::Column::Person.eq(person.as_uuid()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// References of a service retired after `cursor`, with the number of each.
pub(crate) async fn retired(
    db: &impl ConnectionTrait,
    service: &str,
    cursor: u64,
    limit: u64,
) -> Result<Vec<(u64, Subject)>> {
    let rows = retired_reference::Entity::find()
        .filter(retired_reference::Column::Service.eq(service))
        .filter(retired_reference::Column::Seq.gt(i64::try_from(cursor).unwrap_or(i64::MAX)))
        .order_by_asc(retired_reference::Column::Seq)
        .limit(limit)
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(|row| Ok((count(row.seq)?, Subject::from_uuid(row.reference)))).collect()
}
