//! Who follows a proposal, to be told what comes of it: rows, unique by person, and never loaded whole.

use kernel::{Date, Fault, ProposalId, Subject};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::counts;
use super::entity::follow::{self, Column, Entity};

/// Stores that a person follows a proposal, and counts it. False if they did before.
pub async fn follow(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    person: Subject,
    day: Date,
) -> Result<bool, Fault> {
    let row =
        follow::Model { proposal_id: proposal.as_uuid(), person: person.as_uuid(), since: day.to_string() };
    let stored = Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(conn)
        .await
        .map_err(database_fault)?;
    if stored == 0 {
        return Ok(false);
    }
    counts::add_followers(conn, proposal, 1).await?;
    Ok(true)
}

/// Ends a person's following, and counts it. False if they did not follow.
pub async fn unfollow(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    person: Subject,
) -> Result<bool, Fault> {
    let key = (proposal.as_uuid(), person.as_uuid());
    let gone = Entity::delete_by_id(key).exec(conn).await.map_err(database_fault)?;
    if gone.rows_affected == 0 {
        return Ok(false);
    }
    counts::add_followers(conn, proposal, -1).await?;
    Ok(true)
}

/// Whether a person follows a proposal.
pub async fn is_followed(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    person: Subject,
) -> Result<bool, Fault> {
    let key = (proposal.as_uuid(), person.as_uuid());
    Ok(Entity::find_by_id(key).one(conn).await.map_err(database_fault)?.is_some())
}

/// Followers of a proposal by their references, in the order of these: at most `limit` after `after`. For notices.
pub async fn page(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    after: Option<Subject>,
    limit: u64,
) -> Result<Vec<Subject>, Fault> {
    let mut query = Entity::find().filter(Column::ProposalId.eq(proposal.as_uuid()));
    if let Some(after) = after {
        query = query.filter(Column::Person.gt(after.as_uuid()));
    }
    let rows = query.order_by_asc(Column::Person).limit(limit).all(conn).await.map_err(database_fault)?;
    Ok(rows.into_iter().map(|row| Subject::from_uuid(row.person)).collect())
}

/// Lets the followers of a proposal follow another one too: of a proposal that is split, each part. Answers how many
/// were new there.
pub async fn copy(conn: &impl ConnectionTrait, from: ProposalId, into: ProposalId) -> Result<u64, Fault> {
    let rows = Query::select()
        .expr(Expr::value(into.as_uuid()))
        .columns([Column::Person, Column::Since])
        .from(Entity)
        .and_where(Column::ProposalId.eq(from.as_uuid()))
        .to_owned();
    let copied = Query::insert()
        .into_table(Entity)
        .columns([Column::ProposalId, Column::Person, Column::Since])
        .select_from(rows)
        .map_err(Fault::internal)?
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .to_owned();
    let new = conn.execute(&copied).await.map_err(database_fault)?.rows_affected();
    counts::add_followers(conn, into, new.cast_signed()).await?;
    Ok(new)
}

/// Moves the followers of a proposal to the one it goes on in. Answers how many were new there.
pub async fn carry_over(
    conn: &impl ConnectionTrait,
    from: ProposalId,
    into: ProposalId,
) -> Result<u64, Fault> {
    let new = copy(conn, from, into).await?;
    let gone = Entity::delete_many().filter(Column::ProposalId.eq(from.as_uuid())).exec(conn).await;
    let gone = gone.map_err(database_fault)?.rows_affected;
    counts::add_followers(conn, from, -gone.cast_signed()).await?;
    Ok(new)
}

/// Ends everything that a person who has left followed.
pub async fn forget(conn: &impl ConnectionTrait, person: Subject) -> Result<(), Fault> {
    let followed = Entity::find().filter(Column::Person.eq(person.as_uuid())).all(conn).await;
    for row in followed.map_err(database_fault)? {
        unfollow(conn, ProposalId::from_uuid(row.proposal_id), person).await?;
    }
    Ok(())
}
