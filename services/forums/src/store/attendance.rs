//! Who is present at a meeting, by seat.

use kernel::{Fault, MeetingId, Subject, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::entity::attendance;
use super::values;
use crate::domain::meeting::attendance::{Present, SeatKey};

/// Stores who is present instead of what was said before.
pub async fn replace(
    conn: &impl ConnectionTrait,
    meeting: MeetingId,
    present: &[Present],
) -> Result<(), Fault> {
    let of_meeting = attendance::Column::MeetingId.eq(meeting.as_uuid());
    attendance::Entity::delete_many().filter(of_meeting).exec(conn).await.map_err(database_fault)?;
    if present.is_empty() {
        return Ok(());
    }
    let rows = present.iter().map(|one| {
        let row = attendance::Model {
            meeting_id: meeting.as_uuid(),
            municipality: one.seat.municipality.to_string(),
            seat_no: i64::from(one.seat.seat_no),
            person: one.person.map(|person| person.as_uuid()),
            deputy: one.deputy,
            remote: one.remote,
        };
        row.into_active_model()
    });
    attendance::Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Who is present, by seat.
pub async fn of_meeting(conn: &impl ConnectionTrait, meeting: MeetingId) -> Result<Vec<Present>, Fault> {
    let rows = attendance::Entity::find()
        .filter(attendance::Column::MeetingId.eq(meeting.as_uuid()))
        .order_by_asc(attendance::Column::Municipality)
        .order_by_asc(attendance::Column::SeatNo)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(present_of).collect()
}

/// For which seats a person is present at these meetings.
pub async fn of_person(
    conn: &impl ConnectionTrait,
    meetings: &[MeetingId],
    person: Subject,
) -> Result<Vec<(MeetingId, Present)>, Fault> {
    if meetings.is_empty() {
        return Ok(Vec::new());
    }
    let rows = attendance::Entity::find()
        .filter(attendance::Column::MeetingId.is_in(meetings.iter().map(|meeting| meeting.as_uuid())))
        .filter(attendance::Column::Person.eq(person.as_uuid()))
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(|row| Ok((MeetingId::from_uuid(row.meeting_id), present_of(row)?))).collect()
}

/// Forgets the persons of a meeting; its seats stay. Answers how many.
pub async fn forget_meeting(conn: &impl ConnectionTrait, meeting: MeetingId) -> Result<u64, Fault> {
    let of_meeting = attendance::Column::MeetingId.eq(meeting.as_uuid());
    let forgotten = attendance::Entity::update_many()
        .col_expr(attendance::Column::Person, Expr::value(Option::<Uuid>::None))
        .filter(of_meeting)
        .filter(attendance::Column::Person.is_not_null())
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(forgotten.rows_affected)
}

/// Forgets a person who has left; the seats stay.
pub async fn forget_person(conn: &impl ConnectionTrait, person: Subject) -> Result<(), Fault> {
    attendance::Entity::update_many()
        .col_expr(attendance::Column::Person, Expr::value(Option::<Uuid>::None))
        .filter(attendance::Column::Person.eq(person.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

fn present_of(row: attendance::Model) -> Result<Present, Fault> {
    let municipality = values::municipality(&row.municipality)?;
    Ok(Present {
        seat: SeatKey { municipality, seat_no: values::count(row.seat_no)? },
        person: row.person.map(Subject::from_uuid),
        deputy: row.deputy,
        remote: row.remote,
    })
}
