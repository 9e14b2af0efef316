//! Dissents.

use std::collections::BTreeMap;

use kernel::{AgendaItemId, Fault, MeetingId, Subject, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};

use super::entity::dissent;
use super::values;
use crate::domain::meeting::attendance::SeatKey;
use crate::domain::meeting::minutes::{Dissent, Withholding};

/// Stores a person's dissent from a decision instead of the one before.
pub async fn put(conn: &impl ConnectionTrait, stored: &Dissent) -> Result<(), Fault> {
    dissent::Entity::delete_many()
        .filter(dissent::Column::ItemId.eq(stored.item.as_uuid()))
        .filter(dissent::Column::Author.eq(stored.author.map(|author| author.as_uuid())))
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
        withheld: stored.withheld.is_some(),
        withheld_reason: stored.withheld.map(|reason| reason.as_str().to_owned()),
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

/// Dissents of a person at these meetings.
pub async fn of_person(
    conn: &impl ConnectionTrait,
    meetings: &[MeetingId],
    person: Subject,
) -> Result<Vec<Dissent>, Fault> {
    if meetings.is_empty() {
        return Ok(Vec::new());
    }
    let rows = dissent::Entity::find()
        .filter(dissent::Column::MeetingId.is_in(meetings.iter().map(|meeting| meeting.as_uuid())))
        .filter(dissent::Column::Author.eq(person.as_uuid()))
        .order_by_asc(dissent::Column::ItemId)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(dissent_of).collect()
}

/// Who wrote a dissent that is not published; none if it is, or they are forgotten.
pub async fn withheld_author(conn: &impl ConnectionTrait, id: Uuid) -> Result<Option<Subject>, Fault> {
    let is_withheld = Condition::any()
        .add(dissent::Column::Withheld.eq(true))
        .add(dissent::Column::WithheldReason.is_not_null());
    let row = dissent::Entity::find_by_id(id).filter(is_withheld).one(conn).await.map_err(database_fault)?;
    Ok(row.and_then(|row| row.author).map(Subject::from_uuid))
}

/// Says which dissents of a meeting are not published and why, and that all others are.
pub async fn withhold(
    conn: &impl ConnectionTrait,
    meeting: MeetingId,
    withheld: &BTreeMap<Uuid, Withholding>,
) -> Result<(), Fault> {
    let set = |reason: Option<Withholding>| {
        let reason = reason.map(|reason| reason.as_str().to_owned());
        dissent::Entity::update_many()
            .col_expr(dissent::Column::Withheld, Expr::value(reason.is_some()))
            .col_expr(dissent::Column::WithheldReason, Expr::value(reason))
            .filter(dissent::Column::MeetingId.eq(meeting.as_uuid()))
    };
    set(None).exec(conn).await.map_err(database_fault)?;
    for reason in Withholding::ALL {
        let ids: Vec<Uuid> = withheld.iter().filter(|(_, why)| **why == reason).map(|(id, _)| *id).collect();
        if !ids.is_empty() {
            set(Some(reason))
                .filter(dissent::Column::Id.is_in(ids))
                .exec(conn)
                .await
                .map_err(database_fault)?;
        }
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
    let reason = row.withheld_reason.as_deref();
    let reason =
        reason.map(|word| values::known(&Withholding::ALL, Withholding::as_str, word)).transpose()?;
    // A copy from before the reasons withholds without one.
    let withheld = reason.or(row.withheld.then_some(Withholding::PersonalData));
    Ok(Dissent {
        id: row.id,
        meeting: MeetingId::from_uuid(row.meeting_id),
        item: AgendaItemId::from_uuid(row.item_id),
        seat: SeatKey { municipality, seat_no: values::count(row.seat_no)? },
        author: row.author.map(Subject::from_uuid),
        text: row.body,
        show_seat: row.show_seat,
        withheld,
    })
}
