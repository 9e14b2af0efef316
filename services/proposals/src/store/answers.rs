//! Answers and drafts of them, the parts of other units, and who does not answer (P5).

use std::collections::HashMap;

use kernel::{Date, Fault, ProposalId, Subject, UnitId, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::entity::{answer_part, disqualification, unit_answer};
use super::values;
use crate::domain::proposal::Outcome;
use crate::domain::response::Answer;

/// Number of the draft; answers that were given have numbers from 1.
const DRAFT: i64 = 0;
/// Most answers of a proposal that are shown.
const MOST: u64 = 100;

/// An answer as it is kept. Its texts belong to its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Id, the owner of its texts.
    pub id: Uuid,
    /// The proposal.
    pub proposal: ProposalId,
    /// Its number among the proposal's answers, from 1; 0 for the draft.
    pub number: u32,
    /// What it says besides its texts.
    pub answer: Answer,
    /// Day it was given; None for the draft.
    pub given_on: Option<Date>,
}

/// The draft of the next answer.
pub async fn draft(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<Option<Kept>, Fault> {
    let found = unit_answer::Entity::find()
        .filter(unit_answer::Column::ProposalId.eq(proposal.as_uuid()))
        .filter(unit_answer::Column::Number.eq(DRAFT))
        .one(conn)
        .await
        .map_err(database_fault)?;
    found.map(kept_of).transpose()
}

/// Answers that were given, the latest first.
pub async fn given(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<Vec<Kept>, Fault> {
    let found = unit_answer::Entity::find()
        .filter(unit_answer::Column::ProposalId.eq(proposal.as_uuid()))
        .filter(unit_answer::Column::Number.gt(DRAFT))
        .order_by_desc(unit_answer::Column::Number)
        .limit(MOST)
        .all(conn)
        .await
        .map_err(database_fault)?;
    found.into_iter().map(kept_of).collect()
}

/// The latest answer that was given to each of these proposals; one that was not answered is missing.
pub async fn latest_of(
    conn: &impl ConnectionTrait,
    proposals: &[ProposalId],
) -> Result<HashMap<ProposalId, Kept>, Fault> {
    let found = unit_answer::Entity::find()
        .filter(unit_answer::Column::ProposalId.is_in(proposals.iter().map(ProposalId::as_uuid)))
        .filter(unit_answer::Column::Number.gt(DRAFT))
        .order_by_asc(unit_answer::Column::Number)
        .all(conn)
        .await
        .map_err(database_fault)?;
    // Of several to one proposal the last one stays.
    found.into_iter().map(|row| kept_of(row).map(|kept| (kept.proposal, kept))).collect()
}

/// Stores a new answer or draft.
pub async fn insert(conn: &impl ConnectionTrait, stored: &Kept) -> Result<(), Fault> {
    let row = row_of(stored).into_active_model();
    unit_answer::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores a changed answer or draft.
pub async fn save(conn: &impl ConnectionTrait, changed: &Kept) -> Result<(), Fault> {
    row_of(changed).into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores another unit's part; it replaces an earlier one of that unit.
pub async fn save_part(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    unit: UnitId,
    text: &str,
) -> Result<(), Fault> {
    let row = answer_part::Model {
        proposal_id: proposal.as_uuid(),
        unit_id: unit.as_uuid(),
        text: text.to_owned(),
    };
    use answer_part::Column::{ProposalId, Text, UnitId};
    let replace = OnConflict::columns([ProposalId, UnitId]).update_column(Text).to_owned();
    let stored = answer_part::Entity::insert(row.into_active_model()).on_conflict(replace);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// The parts of the other units, by unit.
pub async fn parts(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
) -> Result<Vec<(UnitId, String)>, Fault> {
    let rows = answer_part::Entity::find()
        .filter(answer_part::Column::ProposalId.eq(proposal.as_uuid()))
        .order_by_asc(answer_part::Column::UnitId)
        .all(conn)
        .await
        .map_err(database_fault)?;
    Ok(rows.into_iter().map(|row| (UnitId::from_uuid(row.unit_id), row.text)).collect())
}

/// Keeps that somebody is disqualified; false, and nothing changes, if they were before.
pub async fn disqualify(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    person: Subject,
) -> Result<bool, Fault> {
    let row = disqualification::Model { proposal_id: proposal.as_uuid(), person: person.as_uuid() };
    use disqualification::Column::{Person, ProposalId};
    let once = OnConflict::columns([ProposalId, Person]).do_nothing().to_owned();
    let stored = disqualification::Entity::insert(row.into_active_model()).on_conflict(once);
    Ok(stored.exec_without_returning(conn).await.map_err(database_fault)? > 0)
}

/// How many people declared that they are disqualified.
pub async fn disqualified(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<u64, Fault> {
    let of_proposal =
        disqualification::Entity::find().filter(disqualification::Column::ProposalId.eq(proposal.as_uuid()));
    of_proposal.count(conn).await.map_err(database_fault)
}

/// Whether somebody declared that they are disqualified.
pub async fn is_disqualified(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    person: Subject,
) -> Result<bool, Fault> {
    let key = (proposal.as_uuid(), person.as_uuid());
    let found = disqualification::Entity::find_by_id(key).one(conn).await.map_err(database_fault)?;
    Ok(found.is_some())
}

/// Forgets a person who has left.
pub async fn forget(conn: &impl ConnectionTrait, person: Subject) -> Result<(), Fault> {
    disqualification::Entity::delete_many()
        .filter(disqualification::Column::Person.eq(person.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

fn row_of(of: &Kept) -> unit_answer::Model {
    let Answer {
        outcome,
        next_role,
        next_on,
        trial_ends_on,
        trial_evaluation,
        forwarded_to,
        forwarded_due_on,
    } = of.answer.clone();
    let day = |day: Option<Date>| day.map(|day| day.to_string());
    unit_answer::Model {
        id: of.id,
        proposal_id: of.proposal.as_uuid(),
        number: i64::from(of.number),
        outcome: outcome.map(|outcome| outcome.as_str().to_owned()),
        next_role,
        next_on: day(next_on),
        trial_ends_on: day(trial_ends_on),
        trial_evaluation,
        forwarded_to,
        forwarded_due_on: day(forwarded_due_on),
        given_on: day(of.given_on),
    }
}

fn kept_of(row: unit_answer::Model) -> Result<Kept, Fault> {
    let outcome = row.outcome.as_deref();
    let day = |day: &Option<String>| values::maybe_day(day.as_deref());
    Ok(Kept {
        id: row.id,
        proposal: ProposalId::from_uuid(row.proposal_id),
        number: values::count(row.number)?,
        answer: Answer {
            outcome: outcome.map(|name| values::known(&Outcome::ALL, Outcome::as_str, name)).transpose()?,
            next_on: day(&row.next_on)?,
            trial_ends_on: day(&row.trial_ends_on)?,
            forwarded_due_on: day(&row.forwarded_due_on)?,
            next_role: row.next_role,
            trial_evaluation: row.trial_evaluation,
            forwarded_to: row.forwarded_to,
        },
        given_on: day(&row.given_on)?,
    })
}
