//! The public moderation log: what was done, when and why; never by whom, and never the text.

use kernel::{Date, Fault, ProposalId, TenantId, Uuid};
use messaging::database_fault;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::entity::moderation_log;
use super::values;
use crate::domain::moderation::{Moderated, Moderation, ModerationAct};
use crate::domain::timeline::Why;

/// Adds an entry. Its id is made before, so that a command that runs twice adds one.
pub async fn append(conn: &impl ConnectionTrait, entry: &Moderation) -> Result<(), Fault> {
    let row = moderation_log::Model {
        id: entry.id,
        tenant: entry.tenant.to_string(),
        what: entry.what.as_str().to_owned(),
        proposal_id: entry.proposal.as_uuid(),
        act: entry.act.as_str().to_owned(),
        reason: entry.why.plain.clone(),
        other_reasons: values::forms_text(&entry.why.others)?,
        happened_on: entry.on.to_string(),
    };
    let row = row.into_active_model();
    moderation_log::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// A county's entries, the newest first, from before this id on.
pub async fn list(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    before: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Moderation>, Fault> {
    let mut of_county =
        moderation_log::Entity::find().filter(moderation_log::Column::Tenant.eq(tenant.as_str()));
    if let Some(before) = before {
        of_county = of_county.filter(moderation_log::Column::Id.lt(before));
    }
    let ordered = of_county.order_by_desc(moderation_log::Column::Id).limit(limit);
    let rows = ordered.all(conn).await.map_err(database_fault)?;
    rows.into_iter().map(entry_of).collect()
}

/// Why a proposal is out of sight: the latest reason; None if it never was.
pub async fn why_hidden(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<Option<Why>, Fault> {
    let row = moderation_log::Entity::find()
        .filter(moderation_log::Column::ProposalId.eq(proposal.as_uuid()))
        .filter(moderation_log::Column::What.eq(Moderated::Proposal.as_str()))
        .filter(moderation_log::Column::Act.eq(ModerationAct::Hidden.as_str()))
        .order_by_desc(moderation_log::Column::Id)
        .one(conn)
        .await
        .map_err(database_fault)?;
    row.map(|row| why_of(row.reason, &row.other_reasons)).transpose()
}

fn why_of(plain: String, others: &str) -> Result<Why, Fault> {
    Ok(Why { plain, others: values::forms_of(others)? })
}

fn entry_of(row: moderation_log::Model) -> Result<Moderation, Fault> {
    let day: Date = values::day(&row.happened_on)?;
    Ok(Moderation {
        id: row.id,
        tenant: values::tenant(&row.tenant)?,
        what: values::known(&Moderated::ALL, Moderated::as_str, &row.what)?,
        proposal: ProposalId::from_uuid(row.proposal_id),
        act: values::known(&ModerationAct::ALL, ModerationAct::as_str, &row.act)?,
        why: why_of(row.reason, &row.other_reasons)?,
        on: day,
    })
}
