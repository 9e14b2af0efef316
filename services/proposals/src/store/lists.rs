//! Proposals, page by page: the public's, an author's own, what staff has to do.

use kernel::{Date, Fault, MunicipalityCode, ProposalId, Subject, TenantId, UnitId, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::entity::{proposal, proposal_author, proposal_unit, service_unit};
use super::proposals::whole;
use crate::domain::proposal::{Proposal, StageKind};

/// What a list is limited to; None does not limit.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Addressed to this unit.
    pub unit: Option<UnitId>,
    /// At this stage.
    pub stage: Option<StageKind>,
    /// Addressed to a unit in this municipality.
    pub municipality: Option<MunicipalityCode>,
    /// Late on this day.
    pub late_on: Option<Date>,
}

impl Filter {
    /// What a page token keeps of it: not the day, so that a list is read on over midnight.
    pub fn mark(&self) -> String {
        let Self { unit, stage, municipality, late_on } = self;
        format!("{unit:?}|{stage:?}|{municipality:?}|{}", late_on.is_some())
    }

    fn condition(&self) -> Condition {
        let mut all = Condition::all();
        if let Some(unit) = self.unit {
            all = all.add(proposal::Column::Id.in_subquery(addressed_to(unit)));
        }
        if let Some(stage) = self.stage {
            all = all.add(proposal::Column::Stage.eq(stage.as_str()));
        }
        if let Some(municipality) = self.municipality {
            all = all.add(proposal::Column::Id.in_subquery(addressed_in(municipality)));
        }
        if let Some(day) = self.late_on {
            all = all.add(proposal::Column::DueOn.lt(day.to_string()));
        }
        all
    }
}

/// Public proposals of a county, the newest first, from before this id on.
pub async fn public(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    filter: &Filter,
    before: Option<ProposalId>,
    limit: u64,
) -> Result<Vec<Proposal>, Fault> {
    let seen = Condition::all()
        .add(proposal::Column::Tenant.eq(tenant.as_str()))
        .add(proposal::Column::IsPublic.eq(true))
        .add(proposal::Column::IsHidden.eq(false));
    newest_first(conn, seen.add(filter.condition()), before, limit).await
}

/// What this person wrote, drafts included, the newest first, from before this id on.
pub async fn written_by(
    conn: &impl ConnectionTrait,
    person: Subject,
    before: Option<ProposalId>,
    limit: u64,
) -> Result<Vec<Proposal>, Fault> {
    let own = Query::select()
        .column(proposal_author::Column::ProposalId)
        .from(proposal_author::Entity)
        .and_where(Expr::col(proposal_author::Column::AuthorRef).eq(person.as_uuid()))
        .take();
    newest_first(conn, Condition::all().add(proposal::Column::Id.in_subquery(own)), before, limit).await
}

/// The parts of a split proposal, in the order they were made: at most ten.
pub async fn parts_of(conn: &impl ConnectionTrait, whole_one: ProposalId) -> Result<Vec<ProposalId>, Fault> {
    let ids: Vec<Uuid> = proposal::Entity::find()
        .filter(proposal::Column::SplitFrom.eq(whole_one.as_uuid()))
        .order_by_asc(proposal::Column::ReceiptNo)
        .select_only()
        .column(proposal::Column::Id)
        .into_tuple()
        .all(conn)
        .await
        .map_err(database_fault)?;
    Ok(ids.into_iter().map(ProposalId::from_uuid).collect())
}

/// Where a list by day goes on: after this day and id.
pub type After = (String, ProposalId);

/// What waits for screening in a county, what is due first first.
pub async fn to_screen(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    after: Option<After>,
    limit: u64,
) -> Result<Vec<Proposal>, Fault> {
    let filter = Filter { stage: Some(StageKind::Submitted), ..Filter::default() };
    by_day(conn, tenant, filter.condition(), after, limit).await
}

/// What is neither a draft nor ended in a county, what is due first first.
pub async fn on_the_way(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    filter: &Filter,
    to_recheck: bool,
    after: Option<After>,
    limit: u64,
) -> Result<Vec<Proposal>, Fault> {
    let mut wanted = filter.condition();
    if to_recheck {
        wanted = wanted.add(proposal::Column::ToRecheck.eq(true));
    }
    by_day(conn, tenant, wanted, after, limit).await
}

async fn newest_first(
    conn: &impl ConnectionTrait,
    mut wanted: Condition,
    before: Option<ProposalId>,
    limit: u64,
) -> Result<Vec<Proposal>, Fault> {
    if let Some(before) = before {
        wanted = wanted.add(proposal::Column::Id.lt(before.as_uuid()));
    }
    let rows = proposal::Entity::find()
        .filter(wanted)
        .order_by_desc(proposal::Column::Id)
        .limit(limit)
        .all(conn)
        .await
        .map_err(database_fault)?;
    whole(conn, rows).await
}

async fn by_day(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    wanted: Condition,
    after: Option<After>,
    limit: u64,
) -> Result<Vec<Proposal>, Fault> {
    // Drafts and what has ended promise nothing.
    let mut wanted =
        wanted.add(proposal::Column::Tenant.eq(tenant.as_str())).add(proposal::Column::DueOn.is_not_null());
    if let Some((day, id)) = after {
        let later_that_day =
            Condition::all().add(proposal::Column::DueOn.eq(&day)).add(proposal::Column::Id.gt(id.as_uuid()));
        wanted = wanted.add(Condition::any().add(proposal::Column::DueOn.gt(&day)).add(later_that_day));
    }
    let rows = proposal::Entity::find()
        .filter(wanted)
        .order_by_asc(proposal::Column::DueOn)
        .order_by_asc(proposal::Column::Id)
        .limit(limit)
        .all(conn)
        .await
        .map_err(database_fault)?;
    whole(conn, rows).await
}

fn addressed_to(unit: UnitId) -> SelectStatement {
    Query::select()
        .column(proposal_unit::Column::ProposalId)
        .from(proposal_unit::Entity)
        .and_where(Expr::col(proposal_unit::Column::UnitId).eq(unit.as_uuid()))
        .take()
}

fn addressed_in(municipality: MunicipalityCode) -> SelectStatement {
    let units = Query::select()
        .column(service_unit::Column::Id)
        .from(service_unit::Entity)
        .and_where(Expr::col(service_unit::Column::Municipality).eq(municipality.to_string()))
        .take();
    Query::select()
        .column(proposal_unit::Column::ProposalId)
        .from(proposal_unit::Entity)
        .and_where(Expr::col(proposal_unit::Column::UnitId).in_subquery(units))
        .take()
}
