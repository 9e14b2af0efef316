//! Sessions, by the hash of their secret. A session ends by being deleted.

use kernel::{Assurance, ParticipantId, Timestamp};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};

use super::entity::session;
use super::{Result, failed, stored};
use crate::domain::participant::PersonId;

/// A session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Session {
    /// Who signed in.
    pub(crate) person: PersonId,
    /// In the register of which county: the one whose card it was. The session covers this entry only.
    pub(crate) participant: ParticipantId,
    /// How surely.
    pub(crate) assurance: Assurance,
    /// Last moment at which it works, real time.
    pub(crate) expires_at: Timestamp,
}

/// The session with this secret, expired or not.
pub(crate) async fn load(db: &impl ConnectionTrait, secret_hash: &[u8]) -> Result<Option<Session>> {
    let row = session::Entity::find_by_id(secret_hash.to_vec()).one(db).await.map_err(failed)?;
    row.map(|row| {
        Ok(Session {
            person: PersonId::from(row.person),
            participant: ParticipantId::from_uuid(row.participant),
            assurance: stored(row.assurance.parse())?,
            expires_at: Timestamp::from_micros(row.expires_at),
        })
    })
    .transpose()
}

/// Begins a session.
pub(crate) async fn add(db: &impl ConnectionTrait, secret_hash: &[u8], session: &Session) -> Result<()> {
    let row = session::Model {
        secret_hash: secret_hash.to_vec(),
        person: session.person.as_uuid(),
        participant: session.participant.as_uuid(),
        assurance: session.assurance.to_string(),
        expires_at: session.expires_at.as_micros(),
    };
    session::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map_err(failed)?;
    Ok(())
}

/// Ends a session; ending one that is not there is fine.
pub(crate) async fn end(db: &impl ConnectionTrait, secret_hash: &[u8]) -> Result<()> {
    session::Entity::delete_by_id(secret_hash.to_vec()).exec(db).await.map_err(failed)?;
    Ok(())
}

/// Deletes the sessions that have expired; tells whether any others are left.
pub(crate) async fn purge(db: &impl ConnectionTrait, real_now: Timestamp) -> Result<bool> {
    session::Entity::delete_many()
        .filter(session::Column::ExpiresAt.lt(real_now.as_micros()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(session::Entity::find().one(db).await.map_err(failed)?.is_some())
}

/// Ends the sessions of an entry in a county's register.
pub(crate) async fn end_of(db: &impl ConnectionTrait, participant: ParticipantId) -> Result<()> {
    session::Entity::delete_many()
        .filter(session::Column::Participant.eq(participant.as_uuid()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Ends all sessions of a person.
pub(crate) async fn end_all(db: &impl ConnectionTrait, person: PersonId) -> Result<()> {
    session::Entity::delete_many()
        .filter(session::Column::Person.eq(person.as_uuid()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}
