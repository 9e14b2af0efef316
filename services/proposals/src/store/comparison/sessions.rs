//! Visits and the pairs they were shown.

use kernel::{Fault, RoundId, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::super::entity::comparison_session::{self, Column};
use super::super::entity::pair_offer;
use super::super::values;
use super::idea_no;
use crate::domain::comparison::pairing::Pair;
use crate::domain::comparison::session::{Answer, Latest, Offer, Session, SessionHash};

/// Stores a new visit.
pub async fn insert(conn: &impl ConnectionTrait, stored: &Session) -> Result<(), Fault> {
    let row = row_of(stored).into_active_model();
    comparison_session::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores a changed visit.
pub async fn save(conn: &impl ConnectionTrait, changed: &Session) -> Result<(), Fault> {
    row_of(changed).into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    Ok(())
}

/// A visit. NotFound `proposals.no_such_session`.
pub async fn load(conn: &impl ConnectionTrait, hash: SessionHash) -> Result<Session, Fault> {
    let found = comparison_session::Entity::find_by_id(hash.as_uuid()).one(conn).await;
    let row = found.map_err(database_fault)?.ok_or_else(|| {
        Fault::not_found(
            "proposals.no_such_session",
            "There is no such visit. Start a new one with StartSession.",
        )
    })?;
    let municipality = Some(row.municipality.as_str()).filter(|code| !code.is_empty());
    Ok(Session {
        hash,
        round: RoundId::from_uuid(row.round_id),
        municipality: municipality.map(values::municipality).transpose()?,
        comparisons: values::count(row.comparisons)?,
        latest: values::known(&Latest::ALL, Latest::as_str, &row.latest)?,
        own_ideas: values::count(row.own_ideas)?,
    })
}

/// The pairs that a visit was shown, in their order; at most as many as a visit is shown.
pub async fn offers(conn: &impl ConnectionTrait, hash: SessionHash) -> Result<Vec<Offer>, Fault> {
    let rows = pair_offer::Entity::find()
        .filter(pair_offer::Column::SessionId.eq(hash.as_uuid()))
        .order_by_asc(pair_offer::Column::Number)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter()
        .map(|row| {
            let answer = row.answer.as_deref();
            Ok(Offer {
                number: values::count(row.number)?,
                pair: Pair { left: idea_no(row.left_idea)?, right: idea_no(row.right_idea)? },
                answer: answer.map(|name| values::known(&Answer::ALL, Answer::as_str, name)).transpose()?,
            })
        })
        .collect()
}

/// Stores a pair that a visit is shown now.
pub async fn insert_offer(
    conn: &impl ConnectionTrait,
    hash: SessionHash,
    offer: &Offer,
) -> Result<(), Fault> {
    let row = offer_row(hash, offer).into_active_model();
    pair_offer::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores the answer to a pair, or that it has none any more.
pub async fn save_answer(conn: &impl ConnectionTrait, hash: SessionHash, offer: &Offer) -> Result<(), Fault> {
    let row = offer_row(hash, offer).into_active_model().reset_all();
    row.update(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Forgets, for some visits of a round, how their latest answers were given; false once there are none left.
pub async fn forget_latest(conn: &impl ConnectionTrait, round: RoundId, limit: u64) -> Result<bool, Fault> {
    let with_latest = Column::Latest.ne(Latest::None.as_str());
    let ids = some(conn, round, Condition::all().add(with_latest), limit).await?;
    comparison_session::Entity::update_many()
        .col_expr(Column::Latest, Expr::value(Latest::None.as_str()))
        .filter(Column::Id.is_in(ids.iter().copied()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(!ids.is_empty())
}

/// Deletes some visits of a round with the pairs they were shown; false once there are none left.
pub async fn delete_some(conn: &impl ConnectionTrait, round: RoundId, limit: u64) -> Result<bool, Fault> {
    let ids = some(conn, round, Condition::all(), limit).await?;
    pair_offer::Entity::delete_many()
        .filter(pair_offer::Column::SessionId.is_in(ids.iter().copied()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    comparison_session::Entity::delete_many()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(!ids.is_empty())
}

/// Some visits of a round.
async fn some(
    conn: &impl ConnectionTrait,
    round: RoundId,
    which: Condition,
    limit: u64,
) -> Result<Vec<Uuid>, Fault> {
    let ids = comparison_session::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::RoundId.eq(round.as_uuid()))
        .filter(which)
        .limit(limit)
        .into_tuple::<Uuid>();
    ids.all(conn).await.map_err(database_fault)
}

fn row_of(of: &Session) -> comparison_session::Model {
    comparison_session::Model {
        id: of.hash.as_uuid(),
        round_id: of.round.as_uuid(),
        municipality: of.municipality.map(|code| code.to_string()).unwrap_or_default(),
        comparisons: i64::from(of.comparisons),
        latest: of.latest.as_str().to_owned(),
        own_ideas: i64::from(of.own_ideas),
    }
}

fn offer_row(hash: SessionHash, of: &Offer) -> pair_offer::Model {
    pair_offer::Model {
        session_id: hash.as_uuid(),
        number: i64::from(of.number),
        left_idea: i64::from(of.pair.left),
        right_idea: i64::from(of.pair.right),
        answer: of.answer.map(|answer| answer.as_str().to_owned()),
    }
}
