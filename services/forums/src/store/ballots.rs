//! Marks, boxes and counted choices: see [`crate::domain::sealed`] for what an attacker finds here.
//!
//! Nothing in these tables may follow the order of casting. A new column here needs that question asked again.

use kernel::{ElectionId, Fault, MunicipalityCode, Subject};
use messaging::database_fault;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::entity::{ballot_box, counted_choices, voter_mark};
use super::values;
use crate::domain::voter::{Channel, Mark};

/// Rows of one insert.
const CHUNK: usize = 500;

/// The stored box of a municipality.
#[derive(Debug, Clone)]
pub struct StoredBox {
    /// Sealed ballots, sorted by their bytes.
    pub sealed: Vec<u8>,
    /// Paper ballots handed out.
    pub paper_handed: u32,
}

/// Puts up the empty box of a municipality.
pub async fn insert_box(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    municipality: MunicipalityCode,
) -> Result<(), Fault> {
    let row = ballot_box::Model {
        election_id: election.as_uuid(),
        municipality: municipality.to_string(),
        sealed: Vec::new(),
        paper_handed: 0,
    };
    let stored = ballot_box::Entity::insert(row.into_active_model()).exec_without_returning(conn).await;
    stored.map_err(database_fault)?;
    Ok(())
}

/// The box of a municipality.
pub async fn load_box(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    municipality: MunicipalityCode,
) -> Result<StoredBox, Fault> {
    let key = (election.as_uuid(), municipality.to_string());
    box_of(ballot_box::Entity::find_by_id(key).one(conn).await.map_err(database_fault)?)
}

/// The box of a municipality, if there is one: boxes are put up when voting opens, and erased.
pub async fn find_box(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    municipality: MunicipalityCode,
) -> Result<Option<StoredBox>, Fault> {
    let key = (election.as_uuid(), municipality.to_string());
    let row = ballot_box::Entity::find_by_id(key).one(conn).await.map_err(database_fault)?;
    row.map(|row| box_of(Some(row))).transpose()
}

/// What was in the box of a municipality, once counted and until erased.
pub async fn choices(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    municipality: MunicipalityCode,
) -> Result<Option<Vec<u8>>, Fault> {
    let key = (election.as_uuid(), municipality.to_string());
    let row = counted_choices::Entity::find_by_id(key).one(conn).await.map_err(database_fault)?;
    Ok(row.map(|row| row.choices))
}

/// The box of a municipality, for writing it anew: others wait until this transaction ends.
pub async fn lock_box(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    municipality: MunicipalityCode,
) -> Result<StoredBox, Fault> {
    let key = (election.as_uuid(), municipality.to_string());
    let query = ballot_box::Entity::find_by_id(key).lock_exclusive();
    box_of(query.one(conn).await.map_err(database_fault)?)
}

/// Writes a box anew.
pub async fn save_box(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    municipality: MunicipalityCode,
    changed: StoredBox,
) -> Result<(), Fault> {
    let row = ballot_box::Model {
        election_id: election.as_uuid(),
        municipality: municipality.to_string(),
        sealed: changed.sealed,
        paper_handed: i64::from(changed.paper_handed),
    };
    row.into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    Ok(())
}

/// A voter's mark, if there is one.
pub async fn mark(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    voter: Subject,
) -> Result<Option<Mark>, Fault> {
    let key = (election.as_uuid(), voter.as_uuid());
    let row = voter_mark::Entity::find_by_id(key).one(conn).await.map_err(database_fault)?;
    row.map(|row| {
        let channel = values::known(&Channel::ALL, Channel::as_str, &row.channel)?;
        Ok(Mark { channel, key_hash: values::bytes(&row.key_hash)? })
    })
    .transpose()
}

/// A voter's marks in all elections.
pub async fn marks_of(conn: &impl ConnectionTrait, voter: Subject) -> Result<Vec<(ElectionId, Mark)>, Fault> {
    let rows = voter_mark::Entity::find()
        .filter(voter_mark::Column::VoterRef.eq(voter.as_uuid()))
        .all(conn)
        .await
        .map_err(database_fault)?;
    let mark = |row: voter_mark::Model| {
        let channel = values::known(&Channel::ALL, Channel::as_str, &row.channel)?;
        let mark = Mark { channel, key_hash: values::bytes(&row.key_hash)? };
        Ok((ElectionId::from_uuid(row.election_id), mark))
    };
    rows.into_iter().map(mark).collect()
}

/// All marks of an election: where, whose, and the mark.
pub async fn marks(
    conn: &impl ConnectionTrait,
    election: ElectionId,
) -> Result<Vec<(MunicipalityCode, Subject, Mark)>, Fault> {
    let rows = voter_mark::Entity::find()
        .filter(voter_mark::Column::ElectionId.eq(election.as_uuid()))
        .all(conn)
        .await
        .map_err(database_fault)?;
    let marked = |row: voter_mark::Model| {
        let channel = values::known(&Channel::ALL, Channel::as_str, &row.channel)?;
        let municipality = MunicipalityCode::new(&row.municipality).map_err(Fault::internal)?;
        let mark = Mark { channel, key_hash: values::bytes(&row.key_hash)? };
        Ok((municipality, Subject::from_uuid(row.voter_ref), mark))
    };
    rows.into_iter().map(marked).collect()
}

/// Marks a voter. The key of the table is the rule: one mark for a person in an election (F3).
pub async fn insert_mark(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    municipality: MunicipalityCode,
    voter: Subject,
    mark: &Mark,
) -> Result<(), Fault> {
    let row = voter_mark::Model {
        election_id: election.as_uuid(),
        voter_ref: voter.as_uuid(),
        municipality: municipality.to_string(),
        channel: mark.channel.as_str().to_owned(),
        key_hash: mark.key_hash.to_vec(),
    };
    let stored = voter_mark::Entity::insert(row.into_active_model()).exec_without_returning(conn).await;
    stored.map_err(database_fault)?;
    Ok(())
}

/// Voters of a municipality marked on this channel.
pub async fn count_marks(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    municipality: MunicipalityCode,
    channel: Channel,
) -> Result<u32, Fault> {
    let count = voter_mark::Entity::find()
        .filter(voter_mark::Column::ElectionId.eq(election.as_uuid()))
        .filter(voter_mark::Column::Municipality.eq(municipality.as_str()))
        .filter(voter_mark::Column::Channel.eq(channel.as_str()))
        .count(conn)
        .await
        .map_err(database_fault)?;
    u32::try_from(count).map_err(Fault::internal)
}

/// Writes all marks of an election anew in the order of their references, when voting has closed: afterwards row
/// versions and places on disk are those of this one act and tell nothing of the order of voting.
pub async fn rewrite_marks(conn: &impl ConnectionTrait, election: ElectionId) -> Result<(), Fault> {
    let of_election = voter_mark::Column::ElectionId.eq(election.as_uuid());
    let marks = voter_mark::Entity::find()
        .filter(of_election.clone())
        .order_by_asc(voter_mark::Column::VoterRef)
        .all(conn)
        .await
        .map_err(database_fault)?;
    voter_mark::Entity::delete_many().filter(of_election).exec(conn).await.map_err(database_fault)?;
    for chunk in marks.chunks(CHUNK) {
        let rows = chunk.iter().cloned().map(IntoActiveModel::into_active_model);
        let stored = voter_mark::Entity::insert_many(rows).exec_without_returning(conn).await;
        stored.map_err(database_fault)?;
    }
    Ok(())
}

/// Keeps what was in a box, sorted by content.
pub async fn insert_choices(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    municipality: MunicipalityCode,
    choices: Vec<u8>,
) -> Result<(), Fault> {
    let (election_id, municipality) = (election.as_uuid(), municipality.to_string());
    let row = counted_choices::Model { election_id, municipality, choices };
    let stored = counted_choices::Entity::insert(row.into_active_model()).exec_without_returning(conn).await;
    stored.map_err(database_fault)?;
    Ok(())
}

/// Destroys the boxes, choices and marks of an election: who voted goes with how. Answers how many of each.
pub async fn erase(conn: &impl ConnectionTrait, election: ElectionId) -> Result<[u64; 3], Fault> {
    let boxes = ballot_box::Entity::delete_many()
        .filter(ballot_box::Column::ElectionId.eq(election.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    let choices = counted_choices::Entity::delete_many()
        .filter(counted_choices::Column::ElectionId.eq(election.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    let marks = voter_mark::Entity::delete_many()
        .filter(voter_mark::Column::ElectionId.eq(election.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok([boxes, choices, marks].map(|gone| gone.rows_affected))
}

fn box_of(row: Option<ballot_box::Model>) -> Result<StoredBox, Fault> {
    let row = row.ok_or_else(|| Fault::internal("a contested municipality has no ballot box"))?;
    Ok(StoredBox { paper_handed: values::count(row.paper_handed)?, sealed: row.sealed })
}
