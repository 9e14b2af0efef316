//! Who is present at a meeting, by seat, and who was when something was decided.

use kernel::{AgendaItemId, Fault, MeetingId, Subject, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::entity::{attendance, decision_present};
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

/// Keeps who was present when something was decided, which is once.
pub async fn keep_at_decision(
    conn: &impl ConnectionTrait,
    item: AgendaItemId,
    present: &[Present],
) -> Result<(), Fault> {
    if present.is_empty() {
        return Ok(());
    }
    let rows = present.iter().map(|one| {
        let row = decision_present::Model {
            item_id: item.as_uuid(),
            municipality: one.seat.municipality.to_string(),
            seat_no: i64::from(one.seat.seat_no),
            person: one.person.map(|person| person.as_uuid()),
        };
        row.into_active_model()
    });
    decision_present::Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// For which seat a person was present when something was decided.
pub async fn at_decision(
    conn: &impl ConnectionTrait,
    item: AgendaItemId,
    person: Subject,
) -> Result<Option<SeatKey>, Fault> {
    let row = decision_present::Entity::find()
        .filter(decision_present::Column::ItemId.eq(item.as_uuid()))
        .filter(decision_present::Column::Person.eq(person.as_uuid()))
        .one(conn)
        .await
        .map_err(database_fault)?;
    let seat = |row: decision_present::Model| -> Result<SeatKey, Fault> {
        let municipality = values::municipality(&row.municipality)?;
        Ok(SeatKey { municipality, seat_no: values::count(row.seat_no)? })
    };
    row.map(seat).transpose()
}

/// Forgets who was present when these topics were decided; seats stay. Answers how many.
pub async fn forget_decisions(conn: &impl ConnectionTrait, items: &[AgendaItemId]) -> Result<u64, Fault> {
    if items.is_empty() {
        return Ok(0);
    }
    let forgotten = decision_present::Entity::update_many()
        .col_expr(decision_present::Column::Person, Expr::value(Option::<Uuid>::None))
        .filter(decision_present::Column::ItemId.is_in(items.iter().map(|item| item.as_uuid())))
        .filter(decision_present::Column::Person.is_not_null())
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(forgotten.rows_affected)
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
    decision_present::Entity::update_many()
        .col_expr(decision_present::Column::Person, Expr::value(Option::<Uuid>::None))
        .filter(decision_present::Column::Person.eq(person.as_uuid()))
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
