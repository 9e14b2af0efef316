//! What may be personal data in a proposal, and what a human said of it.

use std::collections::BTreeMap;

use kernel::{Fault, ProposalId, Uuid};
use messaging::database_fault;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::entity::proposal_finding;
use super::values;
use crate::domain::finding::{Decision, Found, Place};
use crate::domain::screening::FindingKind;

/// Stores the findings of a proposal in place of earlier ones: at submission, and when its author corrected it.
pub async fn replace(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    found: &[Found],
) -> Result<(), Fault> {
    delete_of(conn, proposal).await?;
    if found.is_empty() {
        return Ok(());
    }
    let rows = found.iter().map(|one| {
        proposal_finding::Model {
            proposal_id: proposal.as_uuid(),
            finding_no: i64::from(one.finding_no),
            kind: one.kind.as_str().to_owned(),
            place: one.place.as_str().to_owned(),
            starts_at: i64::from(one.starts_at),
            length: i64::from(one.length),
            decision: one.decision.as_str().to_owned(),
        }
        .into_active_model()
    });
    proposal_finding::Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Deletes the findings of a proposal.
pub async fn delete_of(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<(), Fault> {
    proposal_finding::Entity::delete_many()
        .filter(proposal_finding::Column::ProposalId.eq(proposal.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// Deletes what was found in what a person said themselves, which goes with them.
pub async fn forget_own_words(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<(), Fault> {
    let own = [Place::OwnWords, Place::Strength].map(Place::as_str);
    proposal_finding::Entity::delete_many()
        .filter(proposal_finding::Column::ProposalId.eq(proposal.as_uuid()))
        .filter(proposal_finding::Column::Place.is_in(own))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// The findings of a proposal, at most a hundred.
pub async fn of(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<Vec<Found>, Fault> {
    let rows = proposal_finding::Entity::find()
        .filter(proposal_finding::Column::ProposalId.eq(proposal.as_uuid()))
        .order_by_asc(proposal_finding::Column::FindingNo)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter()
        .map(|row| {
            Ok(Found {
                finding_no: values::count(row.finding_no)?,
                kind: values::known(&FindingKind::ALL, FindingKind::as_str, &row.kind)?,
                place: values::known(&Place::ALL, Place::as_str, &row.place)?,
                starts_at: values::count(row.starts_at)?,
                length: values::count(row.length)?,
                decision: values::known(&Decision::ALL, Decision::as_str, &row.decision)?,
            })
        })
        .collect()
}

/// How many findings of each of these proposals wait for a human; those without any are left out.
pub async fn open(
    conn: &impl ConnectionTrait,
    page: impl Iterator<Item = ProposalId>,
) -> Result<BTreeMap<ProposalId, u32>, Fault> {
    let rows: Vec<(Uuid, i64)> = proposal_finding::Entity::find()
        .filter(proposal_finding::Column::ProposalId.is_in(page.map(|proposal| proposal.as_uuid())))
        .filter(proposal_finding::Column::Decision.eq(Decision::Open.as_str()))
        .select_only()
        .column(proposal_finding::Column::ProposalId)
        .column_as(proposal_finding::Column::FindingNo.count(), "open")
        .group_by(proposal_finding::Column::ProposalId)
        .into_tuple()
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(|(id, open)| Ok((ProposalId::from_uuid(id), values::count(open)?))).collect()
}
