//! Kept counters of a proposal: changed together with the rows that they count, so that no page counts rows.

use kernel::{Fault, ProposalId};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, IdenStatic as _, IntoActiveModel as _,
    QueryFilter as _,
};

use super::entity::proposal_counts::{self, Column, Entity};

/// How many people stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// People who support the proposal.
    pub supports: u64,
    /// People who follow it.
    pub followers: u64,
    /// Comments that everyone can read.
    pub comments: u64,
}

/// The counters of a proposal; zeros where nothing happened yet.
pub async fn of(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<Counts, Fault> {
    let mut found = of_all(conn, &[proposal]).await?;
    Ok(found.pop().map(|(_, counts)| counts).unwrap_or_default())
}

/// The counters of these proposals; one where nothing happened yet is missing from the answer.
pub async fn of_all(
    conn: &impl ConnectionTrait,
    proposals: &[ProposalId],
) -> Result<Vec<(ProposalId, Counts)>, Fault> {
    let asked = proposals.iter().map(ProposalId::as_uuid);
    let rows = Entity::find().filter(Column::ProposalId.is_in(asked)).all(conn).await;
    let rows = rows.map_err(database_fault)?;
    rows.into_iter().map(|row| Ok((ProposalId::from_uuid(row.proposal_id), counts_of(&row)?))).collect()
}

/// Changes the number of supporters.
pub(super) async fn add_supports(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    change: i64,
) -> Result<(), Fault> {
    add(conn, proposal, Column::Supports, change).await
}

/// Changes the number of followers.
pub(super) async fn add_followers(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    change: i64,
) -> Result<(), Fault> {
    add(conn, proposal, Column::Followers, change).await
}

/// Changes the number of comments that everyone can read.
pub(super) async fn add_comments(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    change: i64,
) -> Result<(), Fault> {
    add(conn, proposal, Column::Comments, change).await
}

/// Takes the next number of a comment on the proposal, from 1.
pub async fn next_comment(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<u64, Fault> {
    add(conn, proposal, Column::CommentsWritten, 1).await?;
    let row = Entity::find_by_id(proposal.as_uuid()).one(conn).await.map_err(database_fault)?;
    let row = row.ok_or_else(|| Fault::internal("a counter that was just raised is missing"))?;
    u64::try_from(row.comments_written).map_err(Fault::internal)
}

async fn add(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    column: Column,
    change: i64,
) -> Result<(), Fault> {
    let first = |of: Column| if of.as_str() == column.as_str() { change } else { 0 };
    let row = proposal_counts::Model {
        proposal_id: proposal.as_uuid(),
        supports: first(Column::Supports),
        followers: first(Column::Followers),
        comments: first(Column::Comments),
        comments_written: first(Column::CommentsWritten),
    };
    let raised = Expr::col((Entity, column)).add(change);
    let raise = OnConflict::column(Column::ProposalId).value(column, raised).to_owned();
    let stored = Entity::insert(row.into_active_model()).on_conflict(raise);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

fn counts_of(row: &proposal_counts::Model) -> Result<Counts, Fault> {
    let count = |stored: i64| u64::try_from(stored).map_err(Fault::internal);
    Ok(Counts {
        supports: count(row.supports)?,
        followers: count(row.followers)?,
        comments: count(row.comments)?,
    })
}
