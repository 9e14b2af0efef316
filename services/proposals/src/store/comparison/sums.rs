//! Kept sums: who won how often over whom, where, and why pairs were skipped.

use kernel::{Fault, MunicipalityCode, RoundId};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, QueryTrait as _,
};

use super::super::entity::{comparison_place, comparison_session, pair_offer, pair_sum, skip_sum};
use super::super::values;
use super::{count, idea_no, kept};
use crate::domain::comparison::IdeaNo;
use crate::domain::comparison::places::Place;
use crate::domain::comparison::session::{Answer, Change, Session, SkipReason};
use crate::domain::comparison::sums::PairSums;

/// The place that stands for all together, and for those who named none.
const NOWHERE: &str = "";

/// Adds what an answer of a visit, or taking one back, changes in the sums.
pub async fn add(conn: &impl ConnectionTrait, session: &Session, change: &Change) -> Result<(), Fault> {
    let (round, pair) = (session.round, change.offer.pair);
    let one = if change.added { 1 } else { -1 };
    let (winner, loser) = match change.answer {
        Answer::Left => (pair.left, pair.right),
        Answer::Right => (pair.right, pair.left),
        Answer::Skipped(reason) => return add_skip(conn, round, [pair.left, pair.right], reason, one).await,
    };
    let place = session.municipality.map(|code| code.as_str());
    add_win(conn, round, std::iter::once(NOWHERE).chain(place), (winner, loser), one).await?;
    add_place(conn, round, place.unwrap_or(NOWHERE), change.sessions, one).await
}

/// The sums of a round: of those who said they are from this municipality, or of all.
pub async fn of(
    conn: &impl ConnectionTrait,
    round: RoundId,
    place: Option<MunicipalityCode>,
) -> Result<PairSums, Fault> {
    let place = place.map_or(NOWHERE, |code| code.as_str());
    let rows = pair_sum::Entity::find()
        .filter(pair_sum::Column::RoundId.eq(round.as_uuid()))
        .filter(pair_sum::Column::Place.eq(place))
        .all(conn)
        .await
        .map_err(database_fault)?;
    let mut sums = PairSums::default();
    for row in rows {
        let (lower, higher) = (idea_no(row.lower)?, idea_no(row.higher)?);
        sums.add(lower, higher, count(row.wins_lower)?);
        sums.add(higher, lower, count(row.wins_higher)?);
    }
    Ok(sums)
}

/// The sums of the sessions that compared most.
pub async fn of_heaviest(
    conn: &impl ConnectionTrait,
    round: RoundId,
    sessions: u64,
) -> Result<PairSums, Fault> {
    use comparison_session::Column;
    let heaviest = comparison_session::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::RoundId.eq(round.as_uuid()))
        .filter(Column::Comparisons.gt(0))
        .order_by_desc(Column::Comparisons)
        .order_by_desc(Column::Id)
        .limit(sessions)
        .into_query();
    use pair_offer::Column as Offer;
    let rows = pair_offer::Entity::find()
        .select_only()
        .columns([Offer::LeftIdea, Offer::RightIdea, Offer::Answer])
        .column_as(Offer::Number.count(), "times")
        .filter(Offer::SessionId.in_subquery(heaviest))
        .filter(Offer::Answer.is_in([Answer::Left.as_str(), Answer::Right.as_str()]))
        .group_by(Offer::LeftIdea)
        .group_by(Offer::RightIdea)
        .group_by(Offer::Answer)
        .into_tuple::<(i64, i64, String, i64)>()
        .all(conn)
        .await
        .map_err(database_fault)?;
    let mut sums = PairSums::default();
    for (left, right, answer, times) in rows {
        let (left, right) = (idea_no(left)?, idea_no(right)?);
        let (winner, loser) = if answer == Answer::Left.as_str() { (left, right) } else { (right, left) };
        sums.add(winner, loser, count(times)?);
    }
    Ok(sums)
}

/// The municipalities where somebody compared, and how many sessions named none.
pub async fn places(conn: &impl ConnectionTrait, round: RoundId) -> Result<(Vec<Place>, u64), Fault> {
    let rows = comparison_place::Entity::find()
        .filter(comparison_place::Column::RoundId.eq(round.as_uuid()))
        .filter(comparison_place::Column::Sessions.gt(0))
        .all(conn)
        .await
        .map_err(database_fault)?;
    let (mut places, mut unnamed) = (Vec::new(), 0);
    for row in rows {
        let (sessions, comparisons) = (count(row.sessions)?, count(row.comparisons)?);
        if row.place == NOWHERE {
            unnamed = sessions;
            continue;
        }
        places.push(Place { municipality: values::municipality(&row.place)?, sessions, comparisons });
    }
    Ok((places, unnamed))
}

/// Forgets the municipalities that are not told: their sessions and comparisons stand with those that named none from then
/// on, and who won there is forgotten.
pub async fn forget_places(
    conn: &impl ConnectionTrait,
    round: RoundId,
    told: &[MunicipalityCode],
) -> Result<(), Fault> {
    let (places, _) = places(conn, round).await?;
    for place in places.into_iter().filter(|place| !told.contains(&place.municipality)) {
        let (sessions, comparisons) = (kept(place.sessions)?, kept(place.comparisons)?);
        add_place(conn, round, NOWHERE, sessions, comparisons).await?;
    }
    let told: Vec<&str> = std::iter::once(NOWHERE).chain(told.iter().map(MunicipalityCode::as_str)).collect();
    comparison_place::Entity::delete_many()
        .filter(comparison_place::Column::RoundId.eq(round.as_uuid()))
        .filter(comparison_place::Column::Place.is_not_in(told.iter().copied()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    pair_sum::Entity::delete_many()
        .filter(pair_sum::Column::RoundId.eq(round.as_uuid()))
        .filter(pair_sum::Column::Place.is_not_in(told))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// How often pairs with each idea were skipped, and why.
pub async fn skips(
    conn: &impl ConnectionTrait,
    round: RoundId,
) -> Result<Vec<(IdeaNo, SkipReason, u64)>, Fault> {
    let rows = skip_sum::Entity::find()
        .filter(skip_sum::Column::RoundId.eq(round.as_uuid()))
        .filter(skip_sum::Column::Times.gt(0))
        .order_by_asc(skip_sum::Column::Idea)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter()
        .map(|row| {
            let reason = values::known(&SkipReason::ALL, SkipReason::as_str, &row.reason)?;
            Ok((idea_no(row.idea)?, reason, count(row.times)?))
        })
        .collect()
}

async fn add_win(
    conn: &impl ConnectionTrait,
    round: RoundId,
    places: impl Iterator<Item = &str>,
    (winner, loser): (IdeaNo, IdeaNo),
    one: i64,
) -> Result<(), Fault> {
    use pair_sum::{Column, Entity};
    let lower_won = winner < loser;
    let (lower, higher) = if lower_won { (winner, loser) } else { (loser, winner) };
    let (column, wins) =
        if lower_won { (Column::WinsLower, (one, 0)) } else { (Column::WinsHigher, (0, one)) };
    let row = |place: &str| pair_sum::Model {
        round_id: round.as_uuid(),
        place: place.to_owned(),
        lower: i64::from(lower),
        higher: i64::from(higher),
        wins_lower: wins.0,
        wins_higher: wins.1,
    };
    let raise = OnConflict::columns([Column::RoundId, Column::Place, Column::Lower, Column::Higher])
        .value(column, Expr::col((Entity, column)).add(one))
        .to_owned();
    let rows = places.map(|place| row(place).into_active_model());
    let stored = Entity::insert_many(rows).on_conflict(raise);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

async fn add_place(
    conn: &impl ConnectionTrait,
    round: RoundId,
    place: &str,
    sessions: i64,
    comparisons: i64,
) -> Result<(), Fault> {
    use comparison_place::{Column, Entity};
    let (round_id, place) = (round.as_uuid(), place.to_owned());
    let row = comparison_place::Model { round_id, place, sessions, comparisons };
    let raise = OnConflict::columns([Column::RoundId, Column::Place])
        .value(Column::Sessions, Expr::col((Entity, Column::Sessions)).add(sessions))
        .value(Column::Comparisons, Expr::col((Entity, Column::Comparisons)).add(comparisons))
        .to_owned();
    let stored = Entity::insert(row.into_active_model()).on_conflict(raise);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

async fn add_skip(
    conn: &impl ConnectionTrait,
    round: RoundId,
    ideas: [IdeaNo; 2],
    reason: SkipReason,
    one: i64,
) -> Result<(), Fault> {
    use skip_sum::{Column, Entity};
    let rows = ideas.map(|idea| {
        let (round_id, reason) = (round.as_uuid(), reason.as_str().to_owned());
        skip_sum::Model { round_id, idea: i64::from(idea), reason, times: one }.into_active_model()
    });
    let raise = OnConflict::columns([Column::RoundId, Column::Idea, Column::Reason])
        .value(Column::Times, Expr::col((Entity, Column::Times)).add(one))
        .to_owned();
    let stored = Entity::insert_many(rows).on_conflict(raise);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}
