//! Dissents.

use kernel::{AgendaItemId, Fault, MeetingId, Subject, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::entity::dissent;
use super::values;
use crate::domain::meeting::attendance::SeatKey;
use crate::domain::meeting::minutes::Dissent;

/// Stores the dissent of a seat instead of the one before.
pub async fn put(conn: &impl ConnectionTrait, stored: &Dissent) -> Result<(), Fault> {
    dissent::Entity::delete_many()
        .filter(dissent::Column::ItemId.eq(stored.item.as_uuid()))
        .filter(dissent::Column::Municipality.eq(stored.seat.municipality.to_string()))
        .filter(dissent::Column::SeatNo.eq(i64::from(stored.seat.seat_no)))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    let row = dissent::Model {
        id: stored.id,
        meeting_id: stored.meeting.as_uuid(),
        item_id: stored.item.as_uuid(),
        municipality: stored.seat.municipality.to_string(),
        seat_no: i64::from(stored.seat.seat_no),
        author: stored.author.map(|author| author.as_uuid()),
        body: stored.text.clone(),
        show_seat: stored.show_seat,
        withheld: stored.withheld,
    };
    let stored = dissent::Entity::insert(row.into_active_model()).exec_without_returning(conn).await;
    stored.map_err(database_fault)?;
    Ok(())
}

/// Dissents of a meeting, in the order of their ids, which are random: not that of writing.
pub async fn of_meeting(conn: &impl ConnectionTrait, meeting: MeetingId) -> Result<Vec<Dissent>, Fault> {
    let rows = dissent::Entity::find()
        .filter(dissent::Column::MeetingId.eq(meeting.as_uuid()))
        .order_by_asc(dissent::Column::ItemId)
        .order_by_asc(dissent::Column::Id)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(dissent_of).collect()
}

/// Says which dissents of a meeting are not published, and that all others are.
pub async fn withhold(conn: &impl ConnectionTrait, meeting: MeetingId, ids: &[Uuid]) -> Result<(), Fault> {
    let set = |withheld: bool| {
        dissent::Entity::update_many()
            .col_expr(dissent::Column::Withheld, Expr::value(withheld))
            .filter(dissent::Column::MeetingId.eq(meeting.as_uuid()))
    };
    set(false).exec(conn).await.map_err(database_fault)?;
    if !ids.is_empty() {
        let these = dissent::Column::Id.is_in(ids.iter().copied());
        set(true).filter(these).exec(conn).await.map_err(database_fault)?;
    }
    Ok(())
}

/// Forgets the authors of a meeting's dissents. Answers how many.
pub async fn forget_meeting(conn: &impl ConnectionTrait, meeting: MeetingId) -> Result<u64, Fault> {
    let forgotten = dissent::Entity::update_many()
        .col_expr(dissent::Column::Author, Expr::value(Option::<Uuid>::None))
        .filter(dissent::Column::MeetingId.eq(meeting.as_uuid()))
        .filter(dissent::Column::Author.is_not_null())
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(forgotten.rows_affected)
}

/// Forgets a person who has left as an author.
pub async fn forget_person(conn: &impl ConnectionTrait, person: Subject) -> Result<(), Fault> {
    dissent::Entity::update_many()
        .col_expr(dissent::Column::Author, Expr::value(Option::<Uuid>::None))
        .filter(dissent::Column::Author.eq(person.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

fn dissent_of(row: dissent::Model) -> Result<Dissent, Fault> {
    let municipality = values::municipality(&row.municipality)?;
    Ok(Dissent {
        id: row.id,
        meeting: MeetingId::from_uuid(row.meeting_id),
        item: AgendaItemId::from_uuid(row.item_id),
        seat: SeatKey { municipality, seat_no: values::count(row.seat_no)? },
        author: row.author.map(Subject::from_uuid),
        text: row.body,
        show_seat: row.show_seat,
        withheld: row.withheld,
    })
}
