//! Visits and the pairs they were shown.

use kernel::{Fault, RoundId, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QuerySelect as _,
};

use super::super::entity::comparison_session::{self, Column};
use super::super::entity::pair_offer;
use super::super::values;
use crate::domain::comparison::pairing::{Pair, Shown};
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

/// The pairs of a visit in one text, `number:left:right:answer` each.
const OFFERS: &str = "(SELECT string_agg(CAST(number AS TEXT) || ':' || CAST(left_idea AS TEXT) || ':' || \
                      CAST(right_idea AS TEXT) || ':' || COALESCE(answer, ''), ',') \
                      FROM pair_offer WHERE session_id = comparison_session.id)";
/// How often each idea in the round was shown, in one text, `number:times` each.
const EXPOSURE: &str = "(SELECT string_agg(CAST(idea.number AS TEXT) || ':' || CAST(idea.shown AS TEXT), ',') \
                        FROM comparison_idea idea WHERE idea.round_id = comparison_session.round_id \
                        AND idea.state = 'approved' AND idea.number IS NOT NULL)";

/// A visit and what its next answer needs.
pub struct Visited {
    /// The visit.
    pub session: Session,
    /// The pairs that it was shown, in their order; at most as many as a visit is shown.
    pub offers: Vec<Offer>,
    /// The ideas in the round, in the order of their numbers, and how often each was shown to whomever.
    pub exposure: Vec<Shown>,
}

/// A visit. NotFound `proposals.no_such_session`.
///
/// It is one row: every further one costs more than all that is in it, for it goes from thread to thread or over the
/// network, and everybody who compares in a county waits for it.
pub async fn load(conn: &impl ConnectionTrait, hash: SessionHash) -> Result<Visited, Fault> {
    let found = comparison_session::Entity::find_by_id(hash.as_uuid())
        .select_only()
        .columns([
            Column::RoundId,
            Column::Municipality,
            Column::Comparisons,
            Column::Latest,
            Column::OwnIdeas,
        ])
        .expr_as(Expr::cust(OFFERS), "offers")
        .expr_as(Expr::cust(EXPOSURE), "exposure")
        .into_tuple::<(Uuid, String, i64, String, i64, Option<String>, Option<String>)>();
    let row = found.one(conn).await.map_err(database_fault)?.ok_or_else(|| {
        Fault::not_found(
            "proposals.no_such_session",
            "There is no such visit. Start a new one with StartSession.",
        )
    })?;
    let (round, municipality, comparisons, latest, own_ideas, offers, exposure) = row;
    let municipality = Some(municipality.as_str()).filter(|code| !code.is_empty());
    let session = Session {
        hash,
        round: RoundId::from_uuid(round),
        municipality: municipality.map(values::municipality).transpose()?,
        comparisons: values::count(comparisons)?,
        latest: values::known(&Latest::ALL, Latest::as_str, &latest)?,
        own_ideas: values::count(own_ideas)?,
    };
    let (offers, exposure) = (offers.unwrap_or_default(), exposure.unwrap_or_default());
    let mut offers = listed(&offers).map(offer_of).collect::<Result<Vec<_>, _>>()?;
    offers.sort_by_key(|offer| offer.number);
    let mut exposure = listed(&exposure).map(shown_of).collect::<Result<Vec<_>, _>>()?;
    exposure.sort_by_key(|shown| shown.idea);
    Ok(Visited { session, offers, exposure })
}

/// The parts of a text that SQL put together.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(|part| !part.is_empty())
}

fn offer_of(text: &str) -> Result<Offer, Fault> {
    let mut parts = text.splitn(4, ':');
    let mut part = || parts.next().unwrap_or_default();
    let number = part().parse().map_err(Fault::internal)?;
    let mut idea = || part().parse().map_err(Fault::internal);
    let pair = Pair { left: idea()?, right: idea()? };
    let answer = Some(part()).filter(|name| !name.is_empty());
    Ok(Offer {
        number,
        pair,
        answer: answer.map(|name| values::known(&Answer::ALL, Answer::as_str, name)).transpose()?,
    })
}

fn shown_of(text: &str) -> Result<Shown, Fault> {
    let (idea, times) = text.split_once(':').unwrap_or_default();
    Ok(Shown { idea: idea.parse().map_err(Fault::internal)?, times: times.parse().map_err(Fault::internal)? })
}

/// Stores pairs that a visit is shown, and what it answers to them, whether they are stored already or not.
pub async fn save_offers(
    conn: &impl ConnectionTrait,
    hash: SessionHash,
    offers: &[Offer],
) -> Result<(), Fault> {
    use pair_offer::Column::{Answer, Number, SessionId};
    if offers.is_empty() {
        return Ok(());
    }
    let rows = offers.iter().map(|offer| offer_row(hash, offer).into_active_model());
    let answered = OnConflict::columns([SessionId, Number]).update_column(Answer).to_owned();
    let stored = pair_offer::Entity::insert_many(rows).on_conflict(answered);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
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
