//! Seats and deputies.

use kernel::{ElectionId, Fault, ForumId, MunicipalityCode, Subject};
use messaging::database_fault;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};

use super::entity::{deputy, seat};
use super::values;
use crate::domain::forum::Forum;
use crate::domain::seat::{Deputy, Holder, Seat, SeatOrigin, SeatState};

/// Makes the vacant seats of an approved plan.
pub async fn insert_vacant(conn: &impl ConnectionTrait, forum: &Forum) -> Result<(), Fault> {
    let seats = forum.plan.iter().flat_map(|quota| {
        (1..=quota.seats).map(|seat_no| row_of(forum.id, &Seat::new(quota.municipality, seat_no)))
    });
    let rows = seats.map(IntoActiveModel::into_active_model);
    seat::Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Seats of a forum, by municipality and number.
pub async fn of_forum(conn: &impl ConnectionTrait, forum: ForumId) -> Result<Vec<Seat>, Fault> {
    let rows = seat::Entity::find()
        .filter(seat::Column::ForumId.eq(forum.as_uuid()))
        .order_by_asc(seat::Column::Municipality)
        .order_by_asc(seat::Column::SeatNo)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(seat_of).collect()
}

/// A seat of a forum. NotFound `forums.no_such_seat`.
pub async fn load(
    conn: &impl ConnectionTrait,
    forum: ForumId,
    municipality: MunicipalityCode,
    seat_no: u32,
) -> Result<Seat, Fault> {
    let key = (forum.as_uuid(), municipality.to_string(), i64::from(seat_no));
    let row = seat::Entity::find_by_id(key).one(conn).await.map_err(database_fault)?;
    row.map(seat_of).unwrap_or_else(|| {
        let message = format!("The forum has no seat {seat_no} in {municipality}.");
        Err(Fault::not_found("forums.no_such_seat", message).field(
            "seat_no",
            "the seat is in the forum's plan",
            "look at ListSeats",
        ))
    })
}

/// Stores a changed seat. AlreadyExists `forums.already_seated` if its holder holds another one (F2).
pub async fn save(conn: &impl ConnectionTrait, forum: ForumId, changed: &Seat) -> Result<(), Fault> {
    if let Some(holder) = &changed.holder {
        let other = held_by(conn, forum, holder.reference).await?;
        let same = |seat: &Seat| (seat.municipality, seat.seat_no) == (changed.municipality, changed.seat_no);
        if other.is_some_and(|seat| !same(&seat)) {
            return Err(Fault::already_exists(
                "forums.already_seated",
                "This person holds a seat of the forum; a person holds one seat at most (F2).",
            ));
        }
    }
    row_of(forum, changed).into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    Ok(())
}

/// The seat a person holds in a forum, if any.
pub async fn held_by(
    conn: &impl ConnectionTrait,
    forum: ForumId,
    person: Subject,
) -> Result<Option<Seat>, Fault> {
    let found = seat::Entity::find()
        .filter(seat::Column::ForumId.eq(forum.as_uuid()))
        .filter(seat::Column::HolderRef.eq(person.as_uuid()))
        .one(conn)
        .await
        .map_err(database_fault)?;
    found.map(seat_of).transpose()
}

/// The seats a person holds in all forums; for a person who has left.
pub async fn all_held_by(
    conn: &impl ConnectionTrait,
    person: Subject,
) -> Result<Vec<(ForumId, Seat)>, Fault> {
    let rows = seat::Entity::find()
        .filter(seat::Column::HolderRef.eq(person.as_uuid()))
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(|row| Ok((ForumId::from_uuid(row.forum_id), seat_of(row)?))).collect()
}

/// Deputies of a forum, by municipality and order.
pub async fn deputies(conn: &impl ConnectionTrait, forum: ForumId) -> Result<Vec<Deputy>, Fault> {
    let rows = deputy::Entity::find()
        .filter(deputy::Column::ForumId.eq(forum.as_uuid()))
        .order_by_asc(deputy::Column::Municipality)
        .order_by_asc(deputy::Column::Position)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(deputy_of).collect()
}

/// Adds deputies after those that the municipality has. A person who is a deputy of the forum already, or holds a
/// seat in it, is left out.
pub async fn add_deputies(
    conn: &impl ConnectionTrait,
    forum: ForumId,
    municipality: MunicipalityCode,
    holders: &[Holder],
) -> Result<(), Fault> {
    let existing = deputies(conn, forum).await?;
    let here = existing.iter().filter(|deputy| deputy.municipality == municipality);
    let mut position = here.map(|deputy| deputy.position).max().unwrap_or(0);
    for holder in holders {
        let again = existing.iter().any(|deputy| deputy.holder.reference == holder.reference);
        if again || held_by(conn, forum, holder.reference).await?.is_some() {
            continue;
        }
        position += 1;
        let row = deputy::Model {
            forum_id: forum.as_uuid(),
            municipality: municipality.to_string(),
            position: i64::from(position),
            holder_ref: holder.reference.as_uuid(),
            name_public: holder.name_public,
            election_id: holder.election.as_uuid(),
        };
        let added = deputy::Entity::insert(row.into_active_model()).exec_without_returning(conn).await;
        added.map_err(database_fault)?;
    }
    Ok(())
}

/// Takes a person off the deputies of a forum.
pub async fn remove_deputy(
    conn: &impl ConnectionTrait,
    forum: ForumId,
    person: Subject,
) -> Result<(), Fault> {
    deputy::Entity::delete_many()
        .filter(deputy::Column::ForumId.eq(forum.as_uuid()))
        .filter(deputy::Column::HolderRef.eq(person.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// Takes a person who has left off the deputies of all forums.
pub async fn remove_deputy_everywhere(conn: &impl ConnectionTrait, person: Subject) -> Result<(), Fault> {
    deputy::Entity::delete_many()
        .filter(deputy::Column::HolderRef.eq(person.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

fn row_of(forum: ForumId, seat: &Seat) -> seat::Model {
    let holder = seat.holder.as_ref();
    seat::Model {
        forum_id: forum.as_uuid(),
        municipality: seat.municipality.to_string(),
        seat_no: i64::from(seat.seat_no),
        state: seat.state.as_str().to_owned(),
        origin: seat.origin.map(|origin| origin.as_str().to_owned()),
        holder_ref: holder.map(|holder| holder.reference.as_uuid()),
        name_public: holder.is_some_and(|holder| holder.name_public),
        election_id: holder.map(|holder| holder.election.as_uuid()),
        supplementary_due_on: seat.supplementary_due_on.map(|day| day.to_string()),
    }
}

fn seat_of(row: seat::Model) -> Result<Seat, Fault> {
    let holder = row.holder_ref.zip(row.election_id).map(|(reference, election)| Holder {
        reference: Subject::from_uuid(reference),
        name_public: row.name_public,
        election: ElectionId::from_uuid(election),
    });
    let origin = row.origin.as_deref().map(|text| values::known(&SeatOrigin::ALL, SeatOrigin::as_str, text));
    Ok(Seat {
        municipality: values::municipality(&row.municipality)?,
        seat_no: values::count(row.seat_no)?,
        state: values::known(&SeatState::ALL, SeatState::as_str, &row.state)?,
        origin: origin.transpose()?,
        holder,
        supplementary_due_on: values::maybe_day(row.supplementary_due_on.as_deref())?,
    })
}

fn deputy_of(row: deputy::Model) -> Result<Deputy, Fault> {
    let holder = Holder {
        reference: Subject::from_uuid(row.holder_ref),
        name_public: row.name_public,
        election: ElectionId::from_uuid(row.election_id),
    };
    let municipality = values::municipality(&row.municipality)?;
    Ok(Deputy { municipality, position: values::count(row.position)?, holder })
}
