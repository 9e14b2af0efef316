//! Proposals and their units.

use std::collections::{BTreeSet, HashMap};

use kernel::{ActingMode, Fault, ForumId, ProposalId, RoundId, Subject, TenantId, UnitId, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Value,
};

use super::entity::{proposal, proposal_unit, used_voucher};
use super::values;
use crate::domain::proposal::{
    Acting, Category, Channel, Confirmation, Ending, Goal, NextStep, OwnerRole, Perspective, Promise,
    Proposal, Stage, StageKind,
};

/// Most merges looked through; a merged proposal is not merged into again, so longer ways do not exist in practice.
const MAX_MERGES: usize = 50;

/// Stores a new proposal with its units.
pub async fn insert(conn: &impl ConnectionTrait, stored: &Proposal) -> Result<(), Fault> {
    let row = row_of(stored).into_active_model();
    proposal::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    insert_units(conn, stored).await
}

/// Stores a changed proposal without its units, which few steps change.
pub async fn save(conn: &impl ConnectionTrait, changed: &Proposal) -> Result<(), Fault> {
    row_of(changed).into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores the units of a proposal in place of those before.
pub async fn save_units(conn: &impl ConnectionTrait, changed: &Proposal) -> Result<(), Fault> {
    delete_units(conn, changed.id).await?;
    insert_units(conn, changed).await
}

/// Deletes a draft with its units.
pub async fn delete(conn: &impl ConnectionTrait, id: ProposalId) -> Result<(), Fault> {
    delete_units(conn, id).await?;
    proposal::Entity::delete_by_id(id.as_uuid()).exec(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Takes a person who has left out of what they helped with or wrote down for others.
pub async fn forget_helper(conn: &impl ConnectionTrait, person: Subject) -> Result<(), Fault> {
    for column in [proposal::Column::RecorderRef, proposal::Column::HelperRef] {
        proposal::Entity::update_many()
            .col_expr(column, Expr::value(Value::Uuid(None)))
            .filter(column.eq(person.as_uuid()))
            .exec(conn)
            .await
            .map_err(database_fault)?;
    }
    Ok(())
}

/// Keeps that a voucher was used; false if it was before.
pub async fn use_voucher(conn: &impl ConnectionTrait, voucher: Uuid) -> Result<bool, Fault> {
    let row = used_voucher::Model { id: voucher }.into_active_model();
    let once = OnConflict::column(used_voucher::Column::Id).do_nothing().to_owned();
    let stored = used_voucher::Entity::insert(row).on_conflict(once).exec_without_returning(conn).await;
    Ok(stored.map_err(database_fault)? > 0)
}

/// A proposal, whatever its county and whoever may see it: for what follows from something that knows it. NotFound
/// `proposals.no_such_proposal`.
pub async fn load(conn: &impl ConnectionTrait, id: ProposalId) -> Result<Proposal, Fault> {
    let row = proposal::Entity::find_by_id(id.as_uuid()).one(conn).await.map_err(database_fault)?;
    only(conn, row).await
}

/// A proposal of this county. NotFound `proposals.no_such_proposal`.
pub async fn load_in(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    id: ProposalId,
) -> Result<Proposal, Fault> {
    let row = proposal::Entity::find_by_id(id.as_uuid())
        .filter(proposal::Column::Tenant.eq(tenant.as_str()))
        .one(conn)
        .await
        .map_err(database_fault)?;
    only(conn, row).await
}

/// A proposal that everybody may read. NotFound `proposals.no_such_proposal`.
pub async fn load_public(conn: &impl ConnectionTrait, id: ProposalId) -> Result<Proposal, Fault> {
    let found = load(conn, id).await?;
    if found.is_visible() { Ok(found) } else { Err(no_such_proposal()) }
}

/// The proposal with this return code (P8). NotFound `proposals.no_such_return_code`.
pub async fn load_by_return_code(conn: &impl ConnectionTrait, hash: &[u8]) -> Result<Proposal, Fault> {
    let row = proposal::Entity::find()
        .filter(proposal::Column::ReturnCodeHash.eq(hash))
        .one(conn)
        .await
        .map_err(database_fault)?;
    if row.is_none() {
        return Err(Fault::not_found(
            "proposals.no_such_return_code",
            "No proposal has this return code. Type it as it was shown at submission.",
        ));
    }
    only(conn, row).await
}

/// The promise of where a proposal goes on: its own, or that of the one it was merged into, however often.
pub async fn promise_of_way(conn: &impl ConnectionTrait, of: &Proposal) -> Result<Option<Promise>, Fault> {
    let mut next = of.stage;
    let mut promise = of.promise;
    for _ in 0..MAX_MERGES {
        let Stage::Ended { how: Ending::Merged { into } } = next else { break };
        let other = load(conn, into).await?;
        (next, promise) = (other.stage, other.promise);
    }
    Ok(promise)
}

/// Who wrote a proposal down or helped with it, and with those that go on in it, however often.
pub async fn hands(conn: &impl ConnectionTrait, id: ProposalId) -> Result<BTreeSet<Subject>, Fault> {
    let of = load(conn, id).await?.acting;
    let mut people: BTreeSet<Subject> = of.recorder.into_iter().chain(of.helper).collect();
    let mut into = vec![id.as_uuid()];
    for _ in 0..MAX_MERGES {
        let merged = proposal::Entity::find()
            .filter(proposal::Column::Stage.eq(StageKind::Merged.as_str()))
            .filter(proposal::Column::StageRef.is_in(into))
            .select_only()
            .columns([proposal::Column::Id, proposal::Column::RecorderRef, proposal::Column::HelperRef])
            .into_tuple::<(Uuid, Option<Uuid>, Option<Uuid>)>()
            .all(conn)
            .await
            .map_err(database_fault)?;
        if merged.is_empty() {
            break;
        }
        let hands = merged.iter().flat_map(|(_, recorder, helper)| recorder.iter().chain(helper));
        people.extend(hands.map(|person| Subject::from_uuid(*person)));
        into = merged.iter().map(|(id, ..)| *id).collect();
    }
    Ok(people)
}

/// What is answered for a proposal that is not there, or that the caller may not know of.
pub fn no_such_proposal() -> Fault {
    Fault::not_found(
        "proposals.no_such_proposal",
        "There is no such proposal here. Check the id and the county.",
    )
}

async fn insert_units(conn: &impl ConnectionTrait, of: &Proposal) -> Result<(), Fault> {
    if of.units.is_empty() {
        return Ok(());
    }
    let rows = of.units.iter().map(|unit| {
        proposal_unit::Model { proposal_id: of.id.as_uuid(), unit_id: unit.as_uuid() }.into_active_model()
    });
    proposal_unit::Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

async fn delete_units(conn: &impl ConnectionTrait, id: ProposalId) -> Result<(), Fault> {
    proposal_unit::Entity::delete_many()
        .filter(proposal_unit::Column::ProposalId.eq(id.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

async fn only(conn: &impl ConnectionTrait, row: Option<proposal::Model>) -> Result<Proposal, Fault> {
    let row = row.ok_or_else(no_such_proposal)?;
    whole(conn, vec![row]).await?.pop().ok_or_else(no_such_proposal)
}

/// Proposals with their units.
pub(super) async fn whole(
    conn: &impl ConnectionTrait,
    rows: Vec<proposal::Model>,
) -> Result<Vec<Proposal>, Fault> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let units = proposal_unit::Entity::find()
        .filter(proposal_unit::Column::ProposalId.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(proposal_unit::Column::UnitId)
        .all(conn)
        .await
        .map_err(database_fault)?;
    let mut of_each: HashMap<Uuid, Vec<UnitId>> = HashMap::new();
    for unit in units {
        of_each.entry(unit.proposal_id).or_default().push(UnitId::from_uuid(unit.unit_id));
    }
    rows.into_iter()
        .map(|row| {
            let units = of_each.remove(&row.id).unwrap_or_default();
            proposal_of(row, units)
        })
        .collect()
}

fn row_of(of: &Proposal) -> proposal::Model {
    let goals: Vec<&str> = of.goals.iter().map(|goal| goal.as_str()).collect();
    let promise = of.promise;
    proposal::Model {
        id: of.id.as_uuid(),
        tenant: of.tenant.to_string(),
        receipt_no: Some(of.receipt_no.clone()).filter(|number| !number.is_empty()),
        stage: of.stage.kind().as_str().to_owned(),
        stage_detail: of.stage.detail().to_owned(),
        stage_ref: of.stage.reference(),
        owner_role: promise.map(|promise| promise.owner.as_str().to_owned()),
        next_step: promise.map(|promise| promise.step.as_str().to_owned()),
        due_on: promise.map(|promise| promise.due.to_string()),
        category: of.category.as_str().to_owned(),
        perspective: of.perspective.map(|perspective| perspective.as_str().to_owned()),
        goals: goals.join(","),
        lead_unit: of.lead_unit.map(|unit| unit.as_uuid()),
        forum: of.forum.map(|forum| forum.as_uuid()),
        round: of.round.map(|round| round.as_uuid()),
        channel: of.channel.as_str().to_owned(),
        acting_mode: of.acting.mode.as_str().to_owned(),
        recorder_ref: of.acting.recorder.map(|person| person.as_uuid()),
        helper_ref: of.acting.helper.map(|person| person.as_uuid()),
        conflict_accepted: of.acting.conflict_accepted,
        own_words: of.own_words.clone(),
        strength: of.strength.clone(),
        confirmation: of.confirmation.as_str().to_owned(),
        return_code_hash: of.return_code_hash.clone(),
        submitted_on: of.submitted_on.map(|day| day.to_string()),
        screened_on: of.screened_on.map(|day| day.to_string()),
        endorsed_on: of.endorsed_on.map(|day| day.to_string()),
        feedback_on: of.feedback_on.map(|day| day.to_string()),
        reroutings: i64::from(of.reroutings),
        split_from: of.split_from.map(|id| id.as_uuid()),
        is_public: of.is_public,
        is_hidden: of.is_hidden,
        to_recheck: of.to_recheck,
        touched_on: of.touched_on.to_string(),
    }
}

fn proposal_of(row: proposal::Model, units: Vec<UnitId>) -> Result<Proposal, Fault> {
    let stage = stage_of(&row.stage, &row.stage_detail, row.stage_ref)?;
    let promise = promise_of(row.owner_role.as_deref(), row.next_step.as_deref(), row.due_on.as_deref())?;
    let perspective = row.perspective.as_deref();
    let perspective = perspective.map(|name| values::known(&Perspective::ALL, Perspective::as_str, name));
    let goals = row.goals.split(',').filter(|code| !code.is_empty());
    let goals = goals.map(|code| values::known(&Goal::ALL, Goal::as_str, code));
    Ok(Proposal {
        id: ProposalId::from_uuid(row.id),
        tenant: values::tenant(&row.tenant)?,
        receipt_no: row.receipt_no.unwrap_or_default(),
        stage,
        promise,
        category: values::known(&Category::ALL, Category::as_str, &row.category)?,
        perspective: perspective.transpose()?,
        goals: goals.collect::<Result<_, _>>()?,
        units,
        lead_unit: row.lead_unit.map(UnitId::from_uuid),
        forum: row.forum.map(ForumId::from_uuid),
        round: row.round.map(RoundId::from_uuid),
        channel: values::known(&Channel::ALL, Channel::as_str, &row.channel)?,
        acting: Acting {
            mode: values::known(&ActingMode::ALL, ActingMode::as_str, &row.acting_mode)?,
            recorder: row.recorder_ref.map(Subject::from_uuid),
            helper: row.helper_ref.map(Subject::from_uuid),
            conflict_accepted: row.conflict_accepted,
        },
        own_words: row.own_words,
        strength: row.strength,
        confirmation: values::known(&Confirmation::ALL, Confirmation::as_str, &row.confirmation)?,
        return_code_hash: row.return_code_hash,
        submitted_on: values::maybe_day(row.submitted_on.as_deref())?,
        screened_on: values::maybe_day(row.screened_on.as_deref())?,
        endorsed_on: values::maybe_day(row.endorsed_on.as_deref())?,
        feedback_on: values::maybe_day(row.feedback_on.as_deref())?,
        reroutings: values::count(row.reroutings)?,
        split_from: row.split_from.map(ProposalId::from_uuid),
        is_public: row.is_public,
        is_hidden: row.is_hidden,
        to_recheck: row.to_recheck,
        touched_on: values::day(&row.touched_on)?,
    })
}

/// A stage from its columns.
pub(super) fn stage_of(kind: &str, detail: &str, reference: Option<Uuid>) -> Result<Stage, Fault> {
    let kind = values::known(&StageKind::ALL, StageKind::as_str, kind)?;
    Stage::from_parts(kind, detail, reference)
        .ok_or_else(|| Fault::internal("a stored stage lacks its detail"))
}

/// A promise from its columns; they are there together or not at all.
pub(super) fn promise_of(
    owner: Option<&str>,
    step: Option<&str>,
    due: Option<&str>,
) -> Result<Option<Promise>, Fault> {
    let (Some(owner), Some(step), Some(due)) = (owner, step, due) else { return Ok(None) };
    Ok(Some(Promise {
        owner: values::known(&OwnerRole::ALL, OwnerRole::as_str, owner)?,
        step: values::known(&NextStep::ALL, NextStep::as_str, step)?,
        due: values::day(due)?,
    }))
}
