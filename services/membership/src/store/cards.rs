//! Code cards and nomination codes. Only hashes of codes are here.

use kernel::{ParticipantId, TenantId, Timestamp, UnitId};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::entity::{code_card, nomination_code};
use super::{Result, failed, joined, split, stored, word};
use crate::domain::card::{Card, State};
use crate::domain::participant::PersonId;

/// Most cards of a person that are listed.
const MOST_LISTED: u64 = 50;

/// A card and the slow hash of its code.
pub(crate) async fn load(db: &impl ConnectionTrait, number: &str) -> Result<Option<(Card, String)>> {
    let row = code_card::Entity::find_by_id(number).one(db).await.map_err(failed)?;
    row.map(|row| {
        let code_hash = row.code_hash.clone();
        Ok((to_card(row)?, code_hash))
    })
    .transpose()
}

/// The cards of these people, the newest first, at most [`MOST_LISTED`].
pub(crate) async fn of(
    db: &impl ConnectionTrait,
    participants: impl IntoIterator<Item = ParticipantId>,
) -> Result<Vec<Card>> {
    let rows = code_card::Entity::find()
        .filter(code_card::Column::Participant.is_in(participants.into_iter().map(|id| id.as_uuid())))
        .order_by_desc(code_card::Column::IssuedAt)
        .order_by_asc(code_card::Column::Number)
        .limit(MOST_LISTED)
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(to_card).collect()
}

fn to_card(row: code_card::Model) -> Result<Card> {
    Ok(Card {
        number: row.number,
        participant: ParticipantId::from_uuid(row.participant),
        issued_by: ParticipantId::from_uuid(row.issued_by),
        issued_for: row.issued_for.map(UnitId::from_uuid),
        issued_at: Timestamp::from_micros(row.issued_at),
        expires_at: Timestamp::from_micros(row.expires_at),
        tries: stored(u32::try_from(row.tries))?,
        state: word(&State::ALL, State::as_str, &row.state)?,
    })
}

/// Adds a card; false if the number is taken.
pub(crate) async fn add(db: &impl ConnectionTrait, card: &Card, code_hash: &str) -> Result<bool> {
    let row = code_card::Model {
        number: card.number.clone(),
        participant: card.participant.as_uuid(),
        code_hash: code_hash.to_owned(),
        issued_by: card.issued_by.as_uuid(),
        issued_for: card.issued_for.map(|unit| unit.as_uuid()),
        issued_at: card.issued_at.as_micros(),
        expires_at: card.expires_at.as_micros(),
        tries: i64::from(card.tries),
        state: card.state.as_str().to_owned(),
    };
    let added = code_card::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(added == 1)
}

/// Stores what has come of a card.
pub(crate) async fn save(db: &impl ConnectionTrait, card: &Card) -> Result<()> {
    code_card::Entity::update_many()
        .col_expr(code_card::Column::Tries, Expr::value(i64::from(card.tries)))
        .col_expr(code_card::Column::State, Expr::value(card.state.as_str()))
        .filter(code_card::Column::Number.eq(card.number.as_str()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Makes the open cards of these people stop working.
pub(crate) async fn replace_open(
    db: &impl ConnectionTrait,
    participants: impl IntoIterator<Item = ParticipantId>,
) -> Result<()> {
    code_card::Entity::update_many()
        .col_expr(code_card::Column::State, Expr::value(State::Replaced.as_str()))
        .filter(code_card::Column::Participant.is_in(participants.into_iter().map(|id| id.as_uuid())))
        .filter(code_card::Column::State.eq(State::Open.as_str()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Deletes the cards, in whatever state, whose last moment was before this one; tells whether any others are left.
pub(crate) async fn purge(db: &impl ConnectionTrait, before: Timestamp) -> Result<bool> {
    code_card::Entity::delete_many()
        .filter(code_card::Column::ExpiresAt.lt(before.as_micros()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(code_card::Entity::find().one(db).await.map_err(failed)?.is_some())
}

/// A nomination code, without the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NominationCode {
    /// Who may be nominated with it.
    pub(crate) person: PersonId,
    /// Counties of the session that made it: it tells of the person's entries there and no others.
    pub(crate) tenants: Vec<TenantId>,
    /// Last moment at which it works, by the business clock.
    pub(crate) expires_at: Timestamp,
}

/// Stores a nomination code in the place of an older one of the person.
pub(crate) async fn put_nomination_code(
    db: &impl ConnectionTrait,
    code_hash: &[u8],
    code: &NominationCode,
) -> Result<()> {
    drop_nomination_codes(db, code.person).await?;
    let row = nomination_code::Model {
        code_hash: code_hash.to_vec(),
        person: code.person.as_uuid(),
        tenants: joined(&code.tenants),
        expires_at: code.expires_at.as_micros(),
    };
    nomination_code::Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Takes a nomination code out. None if there is no such code.
pub(crate) async fn take_nomination_code(
    db: &impl ConnectionTrait,
    code_hash: &[u8],
) -> Result<Option<NominationCode>> {
    let row = nomination_code::Entity::find_by_id(code_hash.to_vec()).one(db).await.map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    nomination_code::Entity::delete_by_id(code_hash.to_vec()).exec(db).await.map_err(failed)?;
    Ok(Some(NominationCode {
        person: PersonId::from(row.person),
        tenants: split(&row.tenants)?,
        expires_at: Timestamp::from_micros(row.expires_at),
    }))
}

/// Deletes the nomination codes that have expired; tells whether any others are left.
pub(crate) async fn purge_nomination_codes(db: &impl ConnectionTrait, now: Timestamp) -> Result<bool> {
    nomination_code::Entity::delete_many()
        .filter(nomination_code::Column::ExpiresAt.lt(now.as_micros()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(nomination_code::Entity::find().one(db).await.map_err(failed)?.is_some())
}

/// Forgets the nomination codes of a person.
pub(crate) async fn drop_nomination_codes(db: &impl ConnectionTrait, person: PersonId) -> Result<()> {
    nomination_code::Entity::delete_many()
        .filter(nomination_code::Column::Person.eq(person.as_uuid()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}
