//! Loop cards, one a proposal.

use kernel::{Fault, FeedbackId, ProposalId};
use messaging::database_fault;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable, QueryFilter};

use super::entity::feedback_item::{Column, Entity, Model};
use super::values;
use crate::domain::feedback::FeedbackItem;
use crate::domain::text::{Owner, Texts};

/// The card of a proposal, published or not.
pub async fn of(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<Option<FeedbackItem>, Fault> {
    let found = Entity::find().filter(Column::ProposalId.eq(proposal.as_uuid())).one(conn).await;
    found.map_err(database_fault)?.map(item_of).transpose()
}

/// What a card says.
pub async fn texts(conn: &impl ConnectionTrait, item: &FeedbackItem) -> Result<Texts, Fault> {
    super::texts::load(conn, Owner::feedback(item.tenant, item.id)).await
}

/// Stores a card, new or changed.
pub async fn save(conn: &impl ConnectionTrait, item: &FeedbackItem) -> Result<(), Fault> {
    let row = Model {
        id: item.id.as_uuid(),
        proposal_id: item.proposal.as_uuid(),
        tenant: item.tenant.to_string(),
        next_role: item.next_role.clone(),
        next_on: item.next_on.map(|day| day.to_string()),
        published_on: item.published_on.map(|day| day.to_string()),
        delivered_on: item.delivered_on.map(|day| day.to_string()),
    };
    let others = Column::iter().filter(|column| !matches!(column, Column::Id));
    let replace = OnConflict::column(Column::Id).update_columns(others).to_owned();
    let stored = Entity::insert(row.into_active_model()).on_conflict(replace);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

fn item_of(row: Model) -> Result<FeedbackItem, Fault> {
    Ok(FeedbackItem {
        id: FeedbackId::from_uuid(row.id),
        proposal: ProposalId::from_uuid(row.proposal_id),
        tenant: values::tenant(&row.tenant)?,
        next_role: row.next_role,
        next_on: values::maybe_day(row.next_on.as_deref())?,
        published_on: values::maybe_day(row.published_on.as_deref())?,
        delivered_on: values::maybe_day(row.delivered_on.as_deref())?,
    })
}
