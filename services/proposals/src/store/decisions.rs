//! Which decisions of forums were handled.

use kernel::{Date, Fault, MeetingId, ProposalId};
use messaging::database_fault;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};

use super::entity::forum_decision;

/// Keeps that a meeting's decision about a proposal is handled; false if it was before (X1).
pub async fn keep(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    meeting: MeetingId,
    decided_on: Date,
) -> Result<bool, Fault> {
    let row = forum_decision::Model {
        proposal_id: proposal.as_uuid(),
        meeting_id: meeting.as_uuid(),
        decided_on: decided_on.to_string(),
    };
    let columns = [forum_decision::Column::ProposalId, forum_decision::Column::MeetingId];
    let once = OnConflict::columns(columns).do_nothing().to_owned();
    let stored = forum_decision::Entity::insert(row.into_active_model()).on_conflict(once);
    Ok(stored.exec_without_returning(conn).await.map_err(database_fault)? > 0)
}
