//! Votes of meetings: sums, and the marks of seats that have voted. Nothing here joins a mark to what was voted.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{AgendaItemId, Fault, MeetingId};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};

use super::entity::{forum_vote, forum_vote_mark};
use super::values;
use crate::domain::meeting::attendance::SeatKey;
use crate::domain::meeting::vote::{Choice, Method, Tally, Vote};

/// Stores a new vote.
pub async fn insert(conn: &impl ConnectionTrait, stored: &Vote) -> Result<(), Fault> {
    let row = row_of(stored).into_active_model();
    forum_vote::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores a changed vote.
pub async fn save(conn: &impl ConnectionTrait, changed: &Vote) -> Result<(), Fault> {
    row_of(changed).into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    Ok(())
}

/// The vote on a topic, if there is one.
pub async fn find(conn: &impl ConnectionTrait, item: AgendaItemId) -> Result<Option<Vote>, Fault> {
    let row = forum_vote::Entity::find_by_id(item.as_uuid()).one(conn).await.map_err(database_fault)?;
    row.map(vote_of).transpose()
}

/// The votes of a meeting by topic.
pub async fn of_meeting(
    conn: &impl ConnectionTrait,
    meeting: MeetingId,
) -> Result<BTreeMap<AgendaItemId, Vote>, Fault> {
    let of_meeting = forum_vote::Column::MeetingId.eq(meeting.as_uuid());
    let rows = forum_vote::Entity::find().filter(of_meeting).all(conn).await.map_err(database_fault)?;
    rows.into_iter().map(|row| vote_of(row).map(|vote| (vote.item, vote))).collect()
}

/// The votes on these topics.
pub async fn of_items(
    conn: &impl ConnectionTrait,
    items: &[AgendaItemId],
) -> Result<BTreeMap<AgendaItemId, Vote>, Fault> {
    if items.is_empty() {
        return Ok(BTreeMap::new());
    }
    let these = forum_vote::Column::ItemId.is_in(items.iter().map(|item| item.as_uuid()));
    let rows = forum_vote::Entity::find().filter(these).all(conn).await.map_err(database_fault)?;
    rows.into_iter().map(|row| vote_of(row).map(|vote| (vote.item, vote))).collect()
}

/// Adds one vote to its sum.
pub async fn add(conn: &impl ConnectionTrait, item: AgendaItemId, choice: Choice) -> Result<(), Fault> {
    let column = match choice {
        Choice::For => forum_vote::Column::VotesFor,
        Choice::Against => forum_vote::Column::VotesAgainst,
        Choice::Blank => forum_vote::Column::VotesBlank,
    };
    forum_vote::Entity::update_many()
        .col_expr(column, Expr::col(column).add(1))
        .filter(forum_vote::Column::ItemId.eq(item.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// Forgets a vote that was abandoned, with its marks.
pub async fn delete(conn: &impl ConnectionTrait, item: AgendaItemId) -> Result<(), Fault> {
    let of_item = forum_vote_mark::Column::ItemId.eq(item.as_uuid());
    forum_vote_mark::Entity::delete_many().filter(of_item).exec(conn).await.map_err(database_fault)?;
    forum_vote::Entity::delete_by_id(item.as_uuid()).exec(conn).await.map_err(database_fault)?;
    Ok(())
}

/// The mark of a seat, if it has voted.
pub async fn mark(
    conn: &impl ConnectionTrait,
    item: AgendaItemId,
    seat: SeatKey,
) -> Result<Option<[u8; 32]>, Fault> {
    let key = (item.as_uuid(), seat.municipality.to_string(), i64::from(seat.seat_no));
    let row = forum_vote_mark::Entity::find_by_id(key).one(conn).await.map_err(database_fault)?;
    row.map(|row| values::bytes(&row.key_hash)).transpose()
}

/// Marks a seat; false if it has a mark.
pub async fn insert_mark(
    conn: &impl ConnectionTrait,
    item: AgendaItemId,
    seat: SeatKey,
    key_hash: &[u8; 32],
) -> Result<bool, Fault> {
    let row = forum_vote_mark::Model {
        item_id: item.as_uuid(),
        municipality: seat.municipality.to_string(),
        seat_no: i64::from(seat.seat_no),
        key_hash: key_hash.to_vec(),
    };
    let inserted = forum_vote_mark::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(conn)
        .await
        .map_err(database_fault)?;
    Ok(inserted > 0)
}

/// The seats that have voted on a topic.
pub async fn marked_seats(
    conn: &impl ConnectionTrait,
    item: AgendaItemId,
) -> Result<BTreeSet<SeatKey>, Fault> {
    let of_item = forum_vote_mark::Column::ItemId.eq(item.as_uuid());
    let rows = forum_vote_mark::Entity::find().filter(of_item).all(conn).await.map_err(database_fault)?;
    let seat = |row: forum_vote_mark::Model| -> Result<SeatKey, Fault> {
        let municipality = values::municipality(&row.municipality)?;
        Ok(SeatKey { municipality, seat_no: values::count(row.seat_no)? })
    };
    rows.into_iter().map(seat).collect()
}

/// The topics on which a seat has voted, of these.
pub async fn marked(
    conn: &impl ConnectionTrait,
    items: &[AgendaItemId],
    seat: SeatKey,
) -> Result<Vec<AgendaItemId>, Fault> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let rows = forum_vote_mark::Entity::find()
        .filter(forum_vote_mark::Column::ItemId.is_in(items.iter().map(|item| item.as_uuid())))
        .filter(forum_vote_mark::Column::Municipality.eq(seat.municipality.to_string()))
        .filter(forum_vote_mark::Column::SeatNo.eq(i64::from(seat.seat_no)))
        .all(conn)
        .await
        .map_err(database_fault)?;
    Ok(rows.into_iter().map(|row| AgendaItemId::from_uuid(row.item_id)).collect())
}

/// Writes the marks of a closed vote anew in the order of their seats: afterwards row versions and places on disk tell
/// nothing of the order of voting.
pub async fn rewrite_marks(conn: &impl ConnectionTrait, item: AgendaItemId) -> Result<(), Fault> {
    let of_item = forum_vote_mark::Column::ItemId.eq(item.as_uuid());
    let marks = forum_vote_mark::Entity::find()
        .filter(of_item.clone())
        .order_by_asc(forum_vote_mark::Column::Municipality)
        .order_by_asc(forum_vote_mark::Column::SeatNo)
        .all(conn)
        .await
        .map_err(database_fault)?;
    if marks.is_empty() {
        return Ok(());
    }
    forum_vote_mark::Entity::delete_many().filter(of_item).exec(conn).await.map_err(database_fault)?;
    let rows = marks.into_iter().map(IntoActiveModel::into_active_model);
    forum_vote_mark::Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Destroys the marks on these topics; sums stay. Answers how many.
pub async fn erase_marks(conn: &impl ConnectionTrait, items: &[AgendaItemId]) -> Result<u64, Fault> {
    if items.is_empty() {
        return Ok(0);
    }
    let these = forum_vote_mark::Column::ItemId.is_in(items.iter().map(|item| item.as_uuid()));
    let gone = forum_vote_mark::Entity::delete_many().filter(these).exec(conn).await;
    Ok(gone.map_err(database_fault)?.rows_affected)
}

fn row_of(vote: &Vote) -> forum_vote::Model {
    forum_vote::Model {
        item_id: vote.item.as_uuid(),
        meeting_id: vote.meeting.as_uuid(),
        method: vote.method.as_str().to_owned(),
        is_open: vote.is_open,
        present: i64::from(vote.present),
        votes_for: i64::from(vote.tally.votes_for),
        votes_against: i64::from(vote.tally.votes_against),
        votes_blank: i64::from(vote.tally.votes_blank),
    }
}

fn vote_of(row: forum_vote::Model) -> Result<Vote, Fault> {
    Ok(Vote {
        item: AgendaItemId::from_uuid(row.item_id),
        meeting: MeetingId::from_uuid(row.meeting_id),
        method: values::known(&Method::ALL, Method::as_str, &row.method)?,
        is_open: row.is_open,
        present: values::count(row.present)?,
        tally: Tally {
            votes_for: values::count(row.votes_for)?,
            votes_against: values::count(row.votes_against)?,
            votes_blank: values::count(row.votes_blank)?,
        },
    })
}
