//! Batches of paper ballots.

use std::collections::BTreeMap;

use kernel::{ElectionId, Fault, MunicipalityCode, Subject};
use messaging::database_fault;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::entity::paper_entry;
use super::values;
use crate::domain::paper::{PaperEntry, PaperFigures};

/// Names a batch: municipality and label.
pub type BatchKey = (MunicipalityCode, String);

/// Stores an official's entry.
pub async fn insert(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    key: &BatchKey,
    entry: &PaperEntry,
) -> Result<(), Fault> {
    let figures = &entry.figures;
    let approvals = figures.approvals.values().flat_map(|count| count.to_be_bytes());
    let row = paper_entry::Model {
        election_id: election.as_uuid(),
        municipality: key.0.to_string(),
        batch: key.1.clone(),
        official: entry.official.as_uuid(),
        ballots: i64::from(figures.ballots),
        blank: i64::from(figures.blank),
        invalid: i64::from(figures.invalid),
        approvals: approvals.collect(),
    };
    let stored = paper_entry::Entity::insert(row.into_active_model()).exec_without_returning(conn).await;
    stored.map_err(database_fault)?;
    Ok(())
}

/// Takes back an official's entry.
pub async fn delete(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    key: &BatchKey,
    official: Subject,
) -> Result<(), Fault> {
    let id = (election.as_uuid(), key.0.to_string(), key.1.clone(), official.as_uuid());
    paper_entry::Entity::delete_by_id(id).exec(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Destroys the entries of an election. Answers how many.
pub async fn erase(conn: &impl ConnectionTrait, election: ElectionId) -> Result<u64, Fault> {
    let gone = paper_entry::Entity::delete_many()
        .filter(paper_entry::Column::ElectionId.eq(election.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(gone.rows_affected)
}

/// All batches of an election with their entries, by municipality and label; an election has at most 200.
pub async fn batches(
    conn: &impl ConnectionTrait,
    election: ElectionId,
) -> Result<BTreeMap<BatchKey, Vec<PaperEntry>>, Fault> {
    let rows = paper_entry::Entity::find()
        .filter(paper_entry::Column::ElectionId.eq(election.as_uuid()))
        .order_by_asc(paper_entry::Column::Municipality)
        .order_by_asc(paper_entry::Column::Batch)
        .order_by_asc(paper_entry::Column::Official)
        .all(conn)
        .await
        .map_err(database_fault)?;
    let mut batches: BTreeMap<BatchKey, Vec<PaperEntry>> = BTreeMap::new();
    for row in rows {
        let key = (values::municipality(&row.municipality)?, row.batch.clone());
        batches.entry(key).or_default().push(entry_of(&row)?);
    }
    Ok(batches)
}

fn entry_of(row: &paper_entry::Model) -> Result<PaperEntry, Fault> {
    let mut approvals = BTreeMap::new();
    for (number, count) in (1_u32..).zip(row.approvals.chunks(4)) {
        approvals.insert(number, u32::from_be_bytes(values::bytes(count)?));
    }
    let figures = PaperFigures {
        ballots: values::count(row.ballots)?,
        blank: values::count(row.blank)?,
        invalid: values::count(row.invalid)?,
        approvals,
    };
    Ok(PaperEntry { official: Subject::from_uuid(row.official), figures })
}
