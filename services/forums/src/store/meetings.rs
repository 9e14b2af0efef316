//! Meetings.

use std::collections::BTreeSet;

use kernel::{Fault, ForumId, MeetingId, Subject, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::entity::{meeting, meeting_present, minutes_writer};
use super::values;
use crate::domain::meeting::attendance::{SeatKey, Turnout};
use crate::domain::meeting::minutes::Minutes;
use crate::domain::meeting::{Meeting, MeetingState, Mode, Plan};

/// Stores a new meeting.
pub async fn insert(conn: &impl ConnectionTrait, stored: &Meeting) -> Result<(), Fault> {
    let row = row_of(stored).into_active_model();
    meeting::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores a changed meeting.
pub async fn save(conn: &impl ConnectionTrait, changed: &Meeting) -> Result<(), Fault> {
    row_of(changed).into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    save_writers(conn, changed).await
}

/// Adds whoever wrote the minutes, and forgets everybody who did when they are public.
async fn save_writers(conn: &impl ConnectionTrait, changed: &Meeting) -> Result<(), Fault> {
    if changed.state == MeetingState::Published {
        let of_meeting = minutes_writer::Column::MeetingId.eq(changed.id.as_uuid());
        minutes_writer::Entity::delete_many().filter(of_meeting).exec(conn).await.map_err(database_fault)?;
    }
    for person in &changed.minutes.writers {
        let row = minutes_writer::Model { meeting_id: changed.id.as_uuid(), person: person.as_uuid() };
        minutes_writer::Entity::insert(row.into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(conn)
            .await
            .map_err(database_fault)?;
    }
    Ok(())
}

/// Stores how many seats were present at the close of a meeting, which is once.
pub async fn insert_present(
    conn: &impl ConnectionTrait,
    meeting: MeetingId,
    turnout: &Turnout,
) -> Result<(), Fault> {
    if turnout.present.is_empty() {
        return Ok(());
    }
    let rows = turnout.present.iter().map(|(municipality, seats)| {
        let (municipality, seats) = (municipality.to_string(), i64::from(*seats));
        meeting_present::Model { meeting_id: meeting.as_uuid(), municipality, seats }.into_active_model()
    });
    meeting_present::Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// A meeting, for the public. NotFound `forums.no_such_meeting`.
pub async fn load(conn: &impl ConnectionTrait, id: MeetingId) -> Result<Meeting, Fault> {
    let row = meeting::Entity::find_by_id(id.as_uuid()).one(conn).await.map_err(database_fault)?;
    only(conn, row).await
}

/// A meeting of a forum. NotFound `forums.no_such_meeting`.
pub async fn load_in(conn: &impl ConnectionTrait, forum: ForumId, id: MeetingId) -> Result<Meeting, Fault> {
    let row = meeting::Entity::find_by_id(id.as_uuid())
        .filter(meeting::Column::ForumId.eq(forum.as_uuid()))
        .one(conn)
        .await
        .map_err(database_fault)?;
    only(conn, row).await
}

/// Meetings of a forum, the newest plan first, from before this id on.
pub async fn list(
    conn: &impl ConnectionTrait,
    forum: ForumId,
    before: Option<MeetingId>,
    limit: u64,
) -> Result<Vec<Meeting>, Fault> {
    let mut of_forum = meeting::Entity::find().filter(meeting::Column::ForumId.eq(forum.as_uuid()));
    if let Some(before) = before {
        of_forum = of_forum.filter(meeting::Column::Id.lt(before.as_uuid()));
    }
    let rows = of_forum.order_by_desc(meeting::Column::Id).limit(limit).all(conn).await;
    whole(conn, rows.map_err(database_fault)?).await
}

/// Which of these meetings have published their minutes.
pub async fn published(
    conn: &impl ConnectionTrait,
    meetings: &[MeetingId],
) -> Result<BTreeSet<MeetingId>, Fault> {
    if meetings.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows = meeting::Entity::find()
        .filter(meeting::Column::Id.is_in(meetings.iter().map(|meeting| meeting.as_uuid())))
        .filter(meeting::Column::State.eq(MeetingState::Published.as_str()))
        .all(conn)
        .await
        .map_err(database_fault)?;
    Ok(rows.into_iter().map(|row| MeetingId::from_uuid(row.id)).collect())
}

/// Forgets a person who has left as the writer of minutes.
pub async fn forget_person(conn: &impl ConnectionTrait, person: Subject) -> Result<(), Fault> {
    let of_person = minutes_writer::Column::Person.eq(person.as_uuid());
    minutes_writer::Entity::delete_many().filter(of_person).exec(conn).await.map_err(database_fault)?;
    meeting::Entity::update_many()
        .col_expr(meeting::Column::DraftedBy, Expr::value(Option::<Uuid>::None))
        .filter(meeting::Column::DraftedBy.eq(person.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

fn no_such_meeting() -> Fault {
    Fault::not_found("forums.no_such_meeting", "There is no such meeting here. Look at ListMeetings.")
}

async fn only(conn: &impl ConnectionTrait, row: Option<meeting::Model>) -> Result<Meeting, Fault> {
    let row = row.ok_or_else(no_such_meeting)?;
    whole(conn, vec![row]).await?.pop().ok_or_else(no_such_meeting)
}

/// Meetings with their turnout and who wrote their minutes. Only those that were held have either.
async fn whole(conn: &impl ConnectionTrait, rows: Vec<meeting::Model>) -> Result<Vec<Meeting>, Fault> {
    let held = rows.iter().filter(|row| row.seats_filled.is_some()).map(|row| row.id);
    let held: Vec<kernel::Uuid> = held.collect();
    let (mut present, mut writers) = (Vec::new(), Vec::new());
    if !held.is_empty() {
        let wrote = minutes_writer::Column::MeetingId.is_in(held.iter().copied());
        writers = minutes_writer::Entity::find().filter(wrote).all(conn).await.map_err(database_fault)?;
        present = meeting_present::Entity::find()
            .filter(meeting_present::Column::MeetingId.is_in(held))
            .order_by_asc(meeting_present::Column::Municipality)
            .all(conn)
            .await
            .map_err(database_fault)?;
    }
    let meeting = |row: meeting::Model| {
        let id = row.id;
        let writers = writers.iter().filter(|one| one.meeting_id == id);
        let mut writers: Vec<Subject> = writers.map(|one| Subject::from_uuid(one.person)).collect();
        // A copy from before notes only the last one.
        let last = row.drafted_by.map(Subject::from_uuid).filter(|last| !writers.contains(last));
        writers.extend(last);
        meeting_of(row, present.iter().filter(|one| one.meeting_id == id), writers)
    };
    rows.into_iter().map(meeting).collect()
}

fn row_of(meeting: &Meeting) -> meeting::Model {
    let Meeting { plan, minutes, turnout, chair, .. } = meeting;
    meeting::Model {
        id: meeting.id.as_uuid(),
        forum_id: meeting.forum.as_uuid(),
        state: meeting.state.as_str().to_owned(),
        held_on: plan.held_on.to_string(),
        starts_at: plan.starts_at.clone(),
        mode: plan.mode.as_str().to_owned(),
        place: plan.place.clone(),
        remote_link: plan.remote_link.clone(),
        moves: i64::from(meeting.moves),
        notice_sent_on: meeting.notice_sent_on.map(|day| day.to_string()),
        manager_present: meeting.manager_present,
        support_persons: i64::from(meeting.support_persons),
        chair_municipality: chair.map(|chair| chair.municipality.to_string()),
        chair_seat_no: chair.map(|chair| i64::from(chair.seat_no)),
        seats_filled: turnout.as_ref().map(|turnout| i64::from(turnout.seats_filled)),
        seats_total: turnout.as_ref().map_or(0, |turnout| i64::from(turnout.seats_total)),
        quorate: turnout.as_ref().is_some_and(|turnout| turnout.quorate),
        drafted_by: minutes.writers.last().map(Subject::as_uuid),
        drafted_on: minutes.drafted_on.map(|day| day.to_string()),
        checked_on: minutes.checked_on.map(|day| day.to_string()),
        screened_on: minutes.screened_on.map(|day| day.to_string()),
        published_on: minutes.published_on.map(|day| day.to_string()),
    }
}

fn meeting_of<'a>(
    row: meeting::Model,
    present: impl Iterator<Item = &'a meeting_present::Model>,
    writers: Vec<Subject>,
) -> Result<Meeting, Fault> {
    let seats = |one: &meeting_present::Model| -> Result<_, Fault> {
        Ok((values::municipality(&one.municipality)?, values::count(one.seats)?))
    };
    let turnout = match row.seats_filled {
        None => None,
        Some(filled) => Some(Turnout {
            present: present.map(seats).collect::<Result<_, _>>()?,
            seats_filled: values::count(filled)?,
            seats_total: values::count(row.seats_total)?,
            quorate: row.quorate,
        }),
    };
    let chair = match (row.chair_municipality.as_deref(), row.chair_seat_no) {
        (Some(municipality), Some(seat_no)) => Some(SeatKey {
            municipality: values::municipality(municipality)?,
            seat_no: values::count(seat_no)?,
        }),
        _ => None,
    };
    let plan = Plan {
        held_on: values::day(&row.held_on)?,
        starts_at: row.starts_at,
        mode: values::known(&Mode::ALL, Mode::as_str, &row.mode)?,
        place: row.place,
        remote_link: row.remote_link,
    };
    let minutes = Minutes {
        writers,
        drafted_on: values::maybe_day(row.drafted_on.as_deref())?,
        checked_on: values::maybe_day(row.checked_on.as_deref())?,
        screened_on: values::maybe_day(row.screened_on.as_deref())?,
        published_on: values::maybe_day(row.published_on.as_deref())?,
    };
    Ok(Meeting {
        id: MeetingId::from_uuid(row.id),
        forum: ForumId::from_uuid(row.forum_id),
        state: values::known(&MeetingState::ALL, MeetingState::as_str, &row.state)?,
        plan,
        moves: values::count(row.moves)?,
        notice_sent_on: values::maybe_day(row.notice_sent_on.as_deref())?,
        manager_present: row.manager_present,
        support_persons: values::count(row.support_persons)?,
        chair,
        turnout,
        minutes,
    })
}
