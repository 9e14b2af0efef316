//! Candidacies and pictures.

use kernel::{CandidateId, ElectionId, Fault, ForumId, MunicipalityCode, Subject};
use messaging::database_fault;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};

use super::entity::{candidate, candidate_picture, election};
use super::values;
use crate::domain::candidate::{Candidate, CandidateState, Picture, PictureType};

/// Stores a new candidacy.
pub async fn insert(conn: &impl ConnectionTrait, stored: &Candidate) -> Result<(), Fault> {
    let row = row_of(stored).into_active_model();
    candidate::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores a changed candidacy; a picture that it does not have any more is erased.
pub async fn save(conn: &impl ConnectionTrait, changed: &Candidate) -> Result<(), Fault> {
    row_of(changed).into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    if changed.picture.is_none() {
        let erased = candidate_picture::Entity::delete_by_id(changed.id.as_uuid()).exec(conn).await;
        erased.map_err(database_fault)?;
    }
    Ok(())
}

/// Stores a candidacy's picture instead of the one before.
pub async fn save_picture(
    conn: &impl ConnectionTrait,
    candidate: CandidateId,
    picture: &[u8],
) -> Result<(), Fault> {
    let id = candidate.as_uuid();
    candidate_picture::Entity::delete_by_id(id).exec(conn).await.map_err(database_fault)?;
    let row = candidate_picture::Model { candidate_id: id, picture: picture.to_vec() };
    let stored =
        candidate_picture::Entity::insert(row.into_active_model()).exec_without_returning(conn).await;
    stored.map_err(database_fault)?;
    Ok(())
}

/// The bytes of a candidacy's picture, if it has one.
pub async fn picture(conn: &impl ConnectionTrait, candidate: CandidateId) -> Result<Option<Vec<u8>>, Fault> {
    let row = candidate_picture::Entity::find_by_id(candidate.as_uuid()).one(conn).await;
    Ok(row.map_err(database_fault)?.map(|row| row.picture))
}

/// A person's own candidacy in an election. NotFound `forums.no_such_candidacy`, for other people's as well.
pub async fn own(
    conn: &impl ConnectionTrait,
    person: Subject,
    election: ElectionId,
    id: CandidateId,
) -> Result<Candidate, Fault> {
    let found = of_person(conn, election, person).await?;
    found.filter(|candidate| candidate.id == id).ok_or_else(|| {
        Fault::not_found(
            "forums.no_such_candidacy",
            "You have no such candidacy in this election. Check the id.",
        )
    })
}

/// The candidacy of a person in an election, if any.
pub async fn of_person(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    person: Subject,
) -> Result<Option<Candidate>, Fault> {
    let found = candidate::Entity::find()
        .filter(candidate::Column::ElectionId.eq(election.as_uuid()))
        .filter(candidate::Column::Person.eq(person.as_uuid()))
        .one(conn)
        .await
        .map_err(database_fault)?;
    found.map(candidate_of).transpose()
}

/// All candidacies of a person, the newest first; in one forum, or everywhere for a person who has left.
pub async fn all_of_person(
    conn: &impl ConnectionTrait,
    person: Subject,
    forum: Option<ForumId>,
) -> Result<Vec<Candidate>, Fault> {
    let mut query = candidate::Entity::find().filter(candidate::Column::Person.eq(person.as_uuid()));
    if let Some(forum) = forum {
        let elections = election::Entity::find()
            .filter(election::Column::ForumId.eq(forum.as_uuid()))
            .select_only()
            .column(election::Column::Id);
        query = query.filter(candidate::Column::ElectionId.in_subquery(elections.into_query()));
    }
    let rows =
        query.order_by_desc(candidate::Column::Id).limit(200).all(conn).await.map_err(database_fault)?;
    rows.into_iter().map(candidate_of).collect()
}

/// How many candidacies a municipality has in an election, withdrawn ones included.
pub async fn count(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    municipality: MunicipalityCode,
) -> Result<u64, Fault> {
    candidate::Entity::find()
        .filter(candidate::Column::ElectionId.eq(election.as_uuid()))
        .filter(candidate::Column::Municipality.eq(municipality.as_str()))
        .count(conn)
        .await
        .map_err(database_fault)
}

/// Accepted candidates of a municipality who have not left; by number once they have one.
pub async fn accepted(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    municipality: MunicipalityCode,
) -> Result<Vec<Candidate>, Fault> {
    let rows = candidate::Entity::find()
        .filter(candidate::Column::ElectionId.eq(election.as_uuid()))
        .filter(candidate::Column::Municipality.eq(municipality.as_str()))
        .filter(candidate::Column::State.eq(CandidateState::Accepted.as_str()))
        .filter(candidate::Column::Person.is_not_null())
        .order_by_asc(candidate::Column::Number)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(candidate_of).collect()
}

/// Where a page of candidates goes on: after this municipality, number (0 for none) and id.
#[derive(Debug, Clone)]
pub struct After {
    /// Municipality.
    pub municipality: String,
    /// Number, 0 for none.
    pub number: i64,
    /// Id.
    pub id: CandidateId,
}

/// Candidates of an election by municipality and number, those without number first.
pub async fn list(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    after: Option<After>,
    limit: u64,
) -> Result<Vec<Candidate>, Fault> {
    use sea_orm::sea_query::{Expr, ExprTrait as _, Func};
    let number = || Expr::from(Func::coalesce([Expr::col(candidate::Column::Number), Expr::val(0_i64)]));
    let mut query = candidate::Entity::find().filter(candidate::Column::ElectionId.eq(election.as_uuid()));
    if let Some(After { municipality, number: last, id }) = after {
        let same = candidate::Column::Municipality.eq(municipality.as_str());
        query = query.filter(
            Condition::any()
                .add(candidate::Column::Municipality.gt(municipality.as_str()))
                .add(Condition::all().add(same.clone()).add(number().gt(last)))
                .add(
                    Condition::all()
                        .add(same)
                        .add(number().eq(last))
                        .add(candidate::Column::Id.gt(id.as_uuid())),
                ),
        );
    }
    let rows = query
        .order_by_asc(candidate::Column::Municipality)
        .order_by(number(), sea_orm::Order::Asc)
        .order_by_asc(candidate::Column::Id)
        .limit(limit)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(candidate_of).collect()
}

/// All candidacies of an election; for numbering, confirming and erasing, which need every one.
pub async fn all(conn: &impl ConnectionTrait, election: ElectionId) -> Result<Vec<Candidate>, Fault> {
    let rows = candidate::Entity::find()
        .filter(candidate::Column::ElectionId.eq(election.as_uuid()))
        .order_by_asc(candidate::Column::Id)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(candidate_of).collect()
}

/// A candidacy by its id alone; for jobs.
pub async fn find(conn: &impl ConnectionTrait, id: CandidateId) -> Result<Option<Candidate>, Fault> {
    let row = candidate::Entity::find_by_id(id.as_uuid()).one(conn).await.map_err(database_fault)?;
    row.map(candidate_of).transpose()
}

fn row_of(candidate: &Candidate) -> candidate::Model {
    candidate::Model {
        id: candidate.id.as_uuid(),
        election_id: candidate.election.as_uuid(),
        municipality: candidate.municipality.to_string(),
        person: candidate.person.map(|person| person.as_uuid()),
        number: candidate.number.map(i64::from),
        state: candidate.state.as_str().to_owned(),
        ballot_name: candidate.ballot_name.clone(),
        picture_type: candidate.picture.map(|picture| picture.kind.as_str().to_owned()),
        picture_size: candidate.picture.map(|picture| i64::from(picture.size)),
        picture_sha256: candidate.picture.map(|picture| picture.sha256.to_vec()),
        picture_text: candidate.picture_text.clone(),
        publish_name: candidate.publish_name,
    }
}

fn candidate_of(row: candidate::Model) -> Result<Candidate, Fault> {
    let picture = picture_of(&row)?;
    Ok(Candidate {
        id: CandidateId::from_uuid(row.id),
        election: ElectionId::from_uuid(row.election_id),
        municipality: values::municipality(&row.municipality)?,
        person: row.person.map(Subject::from_uuid),
        number: values::maybe_count(row.number)?,
        state: values::known(&CandidateState::ALL, CandidateState::as_str, &row.state)?,
        ballot_name: row.ballot_name,
        picture,
        picture_text: row.picture_text,
        publish_name: row.publish_name,
    })
}

fn picture_of(row: &candidate::Model) -> Result<Option<Picture>, Fault> {
    let (Some(kind), Some(size), Some(sha256)) = (&row.picture_type, row.picture_size, &row.picture_sha256)
    else {
        return Ok(None);
    };
    let kind = values::known(&PictureType::ALL, PictureType::as_str, kind)?;
    Ok(Some(Picture { kind, size: values::count(size)?, sha256: values::bytes(sha256)? }))
}
