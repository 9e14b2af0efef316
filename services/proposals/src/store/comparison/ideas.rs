//! Ideas of rounds.

use std::collections::BTreeMap;

use kernel::{Fault, IdeaId, ProposalId, RoundId};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::super::entity::comparison_idea::{self, Column, Entity};
use super::super::values;
use super::{count, idea_no, kept};
use crate::domain::comparison::IdeaNo;
use crate::domain::comparison::idea::{Idea, IdeaState, PlainReason};
use crate::domain::comparison::pairing::Pair;
use crate::domain::comparison::session::Change;

/// Names of the states in the database.
const WAITING: &str = "waiting";
const APPROVED: &str = "approved";
const REJECTED: &str = "rejected";
const REMOVED: &str = "removed";

/// Stores new ideas of a round, with wins and comparisons where it was held elsewhere.
pub async fn insert(
    conn: &impl ConnectionTrait,
    round: RoundId,
    ideas: &[Idea],
    results: &[(u64, u64)],
) -> Result<(), Fault> {
    let mut rows = Vec::with_capacity(ideas.len());
    for (index, idea) in ideas.iter().enumerate() {
        let (wins, comparisons) = results.get(index).copied().unwrap_or_default();
        let row = comparison_idea::Model {
            wins: kept(wins)?,
            comparisons: kept(comparisons)?,
            ..row_of(round, idea)?
        };
        rows.push(row.into_active_model());
    }
    Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Deletes the ideas of a round that nobody has seen.
pub async fn delete_of(conn: &impl ConnectionTrait, round: RoundId) -> Result<(), Fault> {
    Entity::delete_many()
        .filter(Column::RoundId.eq(round.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// Stores a changed idea.
pub async fn save(conn: &impl ConnectionTrait, round: RoundId, changed: &Idea) -> Result<(), Fault> {
    row_of(round, changed)?.into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    Ok(())
}

/// The ideas that are compared in a round, in the order of their numbers; not those approved after it had closed.
pub async fn of(conn: &impl ConnectionTrait, round: RoundId) -> Result<Vec<Idea>, Fault> {
    let rows = Entity::find()
        .filter(Column::RoundId.eq(round.as_uuid()))
        .filter(Column::State.eq(APPROVED))
        .filter(Column::Number.is_not_null())
        .order_by_asc(Column::Number)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(idea_of).collect()
}

/// The two ideas of a pair, as far as they are in the round still.
pub async fn of_pair(conn: &impl ConnectionTrait, round: RoundId, pair: Pair) -> Result<Vec<Idea>, Fault> {
    let rows = Entity::find()
        .filter(Column::RoundId.eq(round.as_uuid()))
        .filter(Column::State.eq(APPROVED))
        .filter(Column::Number.is_in([pair.left, pair.right].map(i64::from)))
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(idea_of).collect()
}

/// The proposals for which ideas of a round stand or stood.
pub async fn proposals(conn: &impl ConnectionTrait, round: RoundId) -> Result<Vec<ProposalId>, Fault> {
    let rows = Entity::find()
        .filter(Column::RoundId.eq(round.as_uuid()))
        .filter(Column::ProposalId.is_not_null())
        .order_by_asc(Column::Number)
        .all(conn)
        .await
        .map_err(database_fault)?;
    Ok(rows.into_iter().filter_map(|row| row.proposal_id).map(ProposalId::from_uuid).collect())
}

/// The ideas in rounds that stand for a proposal, each with its round.
pub async fn standing_for(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
) -> Result<Vec<(RoundId, Idea)>, Fault> {
    let rows = Entity::find()
        .filter(Column::ProposalId.eq(proposal.as_uuid()))
        .filter(Column::State.eq(APPROVED))
        .order_by_asc(Column::Id)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(|row| Ok((RoundId::from_uuid(row.round_id), idea_of(row)?))).collect()
}

/// Wins and comparisons of each idea of a round that was held elsewhere.
pub async fn results(
    conn: &impl ConnectionTrait,
    round: RoundId,
) -> Result<BTreeMap<IdeaNo, (u64, u64)>, Fault> {
    let rows = Entity::find()
        .filter(Column::RoundId.eq(round.as_uuid()))
        .filter(Column::State.eq(APPROVED))
        .all(conn)
        .await
        .map_err(database_fault)?;
    let result = |row: comparison_idea::Model| {
        Ok((idea_no(row.number.unwrap_or_default())?, (count(row.wins)?, count(row.comparisons)?)))
    };
    rows.into_iter().map(result).collect()
}

/// An idea of a round. NotFound `proposals.no_such_idea`.
pub async fn load(conn: &impl ConnectionTrait, round: RoundId, id: IdeaId) -> Result<Idea, Fault> {
    let found = Entity::find_by_id(id.as_uuid()).filter(Column::RoundId.eq(round.as_uuid())).one(conn).await;
    idea_of(found.map_err(database_fault)?.ok_or_else(no_such_idea)?)
}

/// An own idea, for whoever has its id. NotFound `proposals.no_such_idea`.
pub async fn load_own(conn: &impl ConnectionTrait, id: IdeaId) -> Result<Idea, Fault> {
    let found = Entity::find_by_id(id.as_uuid()).filter(Column::Own.eq(true)).one(conn).await;
    idea_of(found.map_err(database_fault)?.ok_or_else(no_such_idea)?)
}

/// An idea and its round, for what follows from something that knows it. NotFound `proposals.no_such_idea`.
pub async fn load_with_round(conn: &impl ConnectionTrait, id: IdeaId) -> Result<(RoundId, Idea), Fault> {
    let found = Entity::find_by_id(id.as_uuid()).one(conn).await.map_err(database_fault)?;
    let row = found.ok_or_else(no_such_idea)?;
    Ok((RoundId::from_uuid(row.round_id), idea_of(row)?))
}

/// Own ideas of a round that wait for a human, the oldest first, after this one.
pub async fn waiting(
    conn: &impl ConnectionTrait,
    round: RoundId,
    after: Option<IdeaId>,
    limit: u64,
) -> Result<Vec<Idea>, Fault> {
    let mut query = Entity::find()
        .filter(Column::RoundId.eq(round.as_uuid()))
        .filter(Column::State.eq(WAITING))
        .order_by_asc(Column::Id)
        .limit(limit);
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.as_uuid()));
    }
    let rows = query.all(conn).await.map_err(database_fault)?;
    rows.into_iter().map(idea_of).collect()
}

/// How many own ideas of a round wait for a human; few, by the rule that asks for it.
pub async fn count_waiting(conn: &impl ConnectionTrait, round: RoundId) -> Result<u64, Fault> {
    Entity::find()
        .filter(Column::RoundId.eq(round.as_uuid()))
        .filter(Column::State.eq(WAITING))
        .count(conn)
        .await
        .map_err(database_fault)
}

/// Counts that both ideas of a pair were shown and answered or skipped, or that the answer was taken back.
pub async fn add_shown(conn: &impl ConnectionTrait, round: RoundId, change: &Change) -> Result<(), Fault> {
    let one = if change.added { 1 } else { -1 };
    let pair = change.offer.pair;
    Entity::update_many()
        .col_expr(Column::Shown, Expr::col(Column::Shown).add(one))
        .filter(Column::RoundId.eq(round.as_uuid()))
        .filter(Column::Number.is_in([pair.left, pair.right].map(i64::from)))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

fn no_such_idea() -> Fault {
    Fault::not_found("proposals.no_such_idea", "There is no such idea in this round. Check both ids.")
}

fn row_of(round: RoundId, of: &Idea) -> Result<comparison_idea::Model, Fault> {
    let reason = match &of.state {
        IdeaState::Rejected(reason) | IdeaState::Removed(reason) => reason.as_str(),
        IdeaState::Waiting | IdeaState::Approved => "",
    };
    Ok(comparison_idea::Model {
        id: of.id.as_uuid(),
        round_id: round.as_uuid(),
        number: of.number.map(i64::from),
        text: of.text.clone(),
        picture: of.picture.map(|picture| picture.code().to_owned()).unwrap_or_default(),
        proposal_id: of.proposal.map(|proposal| proposal.as_uuid()),
        own: of.own,
        state: of.state.as_str().to_owned(),
        reason: reason.to_owned(),
        shown: kept(of.shown)?,
        wins: 0,
        comparisons: 0,
        review_due_on: of.review_due_on.map(|day| day.to_string()),
    })
}

fn idea_of(row: comparison_idea::Model) -> Result<Idea, Fault> {
    let state = match row.state.as_str() {
        WAITING => IdeaState::Waiting,
        APPROVED => IdeaState::Approved,
        REJECTED => IdeaState::Rejected(PlainReason::stored(row.reason)),
        REMOVED => IdeaState::Removed(PlainReason::stored(row.reason)),
        _ => return Err(Fault::internal("a stored name is not one of its kind")),
    };
    let picture = Some(row.picture.as_str()).filter(|code| !code.is_empty());
    Ok(Idea {
        id: IdeaId::from_uuid(row.id),
        number: row.number.map(idea_no).transpose()?,
        text: row.text,
        picture: picture.map(|code| code.parse().map_err(values::broken)).transpose()?,
        proposal: row.proposal_id.map(ProposalId::from_uuid),
        own: row.own,
        state,
        shown: count(row.shown)?,
        review_due_on: row.review_due_on.as_deref().map(values::day).transpose()?,
    })
}
