//! How people want to be told, sealed, and what leaves the service by e-mail or letter.

use kernel::{Date, NoticeId, PageSize, ParticipantId, TenantId};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::entity::{contact, delivery};
use super::{Result, failed, stored, word};
use crate::domain::contact::Channel;
use crate::domain::notice::Delivery;

/// What a person has set, sealed.
pub(crate) async fn sealed(db: &impl ConnectionTrait, participant: ParticipantId) -> Result<Option<Vec<u8>>> {
    let row = contact::Entity::find_by_id(participant.as_uuid()).one(db).await.map_err(failed)?;
    Ok(row.map(|row| row.sealed))
}

/// Whether a person has set it themselves.
pub(crate) async fn is_own(db: &impl ConnectionTrait, participant: ParticipantId) -> Result<bool> {
    let row = contact::Entity::find_by_id(participant.as_uuid()).one(db).await.map_err(failed)?;
    Ok(row.is_some_and(|row| row.own))
}

/// Sets it, in place of what was set before. `own`: its person did.
pub(crate) async fn put(
    db: &impl ConnectionTrait,
    participant: ParticipantId,
    sealed: &[u8],
    own: bool,
) -> Result<()> {
    let row = contact::Model { participant: participant.as_uuid(), sealed: sealed.to_vec(), own };
    let newest = OnConflict::column(contact::Column::Participant)
        .update_columns([contact::Column::Sealed, contact::Column::Own])
        .to_owned();
    contact::Entity::insert(row.into_active_model())
        .on_conflict(newest)
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// A notice of a person on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// The notice; the id of a letter too.
    pub(crate) notice: NoticeId,
    /// Whose contact settings count: the entry in the county's register.
    pub(crate) participant: ParticipantId,
    /// The county of that entry.
    pub(crate) tenant: TenantId,
    /// The way.
    pub(crate) channel: Channel,
    /// Where it stands.
    pub(crate) state: Delivery,
    /// Day on which it was made.
    pub(crate) made_on: Date,
}

/// Adds one; a notice leaves once.
pub(crate) async fn add(db: &impl ConnectionTrait, outgoing: &Outgoing) -> Result<()> {
    let row = delivery::Model {
        notice: outgoing.notice.as_uuid(),
        participant: outgoing.participant.as_uuid(),
        tenant: outgoing.tenant.to_string(),
        channel: outgoing.channel.as_str().to_owned(),
        state: outgoing.state.as_str().to_owned(),
        made_on: outgoing.made_on,
    };
    delivery::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// The one of a notice.
pub(crate) async fn outgoing(db: &impl ConnectionTrait, notice: NoticeId) -> Result<Option<Outgoing>> {
    let row = delivery::Entity::find_by_id(notice.as_uuid()).one(db).await.map_err(failed)?;
    row.map(to_outgoing).transpose()
}

/// How the e-mail of a notice ended; what has ended stays.
pub(crate) async fn finish(db: &impl ConnectionTrait, notice: NoticeId, state: Delivery) -> Result<()> {
    delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(state.as_str()))
        .filter(delivery::Column::Notice.eq(notice.as_uuid()))
        .filter(delivery::Column::State.eq(Delivery::Waiting.as_str()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// A page of the letters of a county that wait for the printer, after `after`; one more than the page holds.
pub(crate) async fn letters(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    after: Option<NoticeId>,
    size: PageSize,
) -> Result<Vec<Outgoing>> {
    let mut query = delivery::Entity::find()
        .filter(delivery::Column::Tenant.eq(tenant.as_str()))
        .filter(delivery::Column::Channel.eq(Channel::Letter.as_str()))
        .filter(delivery::Column::State.eq(Delivery::Waiting.as_str()));
    if let Some(after) = after {
        query = query.filter(delivery::Column::Notice.gt(after.as_uuid()));
    }
    let rows =
        query.order_by_asc(delivery::Column::Notice).limit(size.limit()).all(db).await.map_err(failed)?;
    rows.into_iter().map(to_outgoing).collect()
}

/// Notes that these letters of a county were printed: how many waited until now.
pub(crate) async fn printed(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    letters: &[NoticeId],
) -> Result<u64> {
    let done = delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(Delivery::Done.as_str()))
        .filter(delivery::Column::Notice.is_in(letters.iter().map(NoticeId::as_uuid)))
        .filter(delivery::Column::Tenant.eq(tenant.as_str()))
        .filter(delivery::Column::Channel.eq(Channel::Letter.as_str()))
        .filter(delivery::Column::State.eq(Delivery::Waiting.as_str()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(done.rows_affected)
}

/// How many of a county stand so. Seldom asked, by few, over a part of an index: counted, not kept.
pub(crate) async fn count(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    channel: Channel,
    state: Delivery,
) -> Result<u64> {
    delivery::Entity::find()
        .filter(delivery::Column::Tenant.eq(tenant.as_str()))
        .filter(delivery::Column::Channel.eq(channel.as_str()))
        .filter(delivery::Column::State.eq(state.as_str()))
        .count(db)
        .await
        .map_err(failed)
}

/// Forgets the letters of an entry that wait: its person wants none any more.
pub(crate) async fn recall(db: &impl ConnectionTrait, entry: ParticipantId) -> Result<()> {
    delivery::Entity::delete_many()
        .filter(delivery::Column::Participant.eq(entry.as_uuid()))
        .filter(delivery::Column::Channel.eq(Channel::Letter.as_str()))
        .filter(delivery::Column::State.eq(Delivery::Waiting.as_str()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Forgets how to reach an entry, and what was on its way there: its person leaves.
pub(crate) async fn forget(db: &impl ConnectionTrait, entry: ParticipantId) -> Result<()> {
    delivery::Entity::delete_many()
        .filter(delivery::Column::Participant.eq(entry.as_uuid()))
        .exec(db)
        .await
        .map_err(failed)?;
    contact::Entity::delete_by_id(entry.as_uuid()).exec(db).await.map_err(failed)?;
    Ok(())
}

/// Deletes what a county sent, or did not, before this day; whether others are left.
pub(crate) async fn purge(db: &impl ConnectionTrait, tenant: TenantId, before: Date) -> Result<bool> {
    delivery::Entity::delete_many()
        .filter(delivery::Column::Tenant.eq(tenant.as_str()))
        .filter(delivery::Column::MadeOn.lt(before))
        .exec(db)
        .await
        .map_err(failed)?;
    let left = delivery::Entity::find().filter(delivery::Column::Tenant.eq(tenant.as_str())).one(db).await;
    Ok(left.map_err(failed)?.is_some())
}

fn to_outgoing(row: delivery::Model) -> Result<Outgoing> {
    Ok(Outgoing {
        notice: row.notice.into(),
        participant: row.participant.into(),
        tenant: stored(row.tenant.parse())?,
        channel: word(&Channel::ALL, Channel::as_str, &row.channel)?,
        state: word(&Delivery::ALL, Delivery::as_str, &row.state)?,
        made_on: row.made_on,
    })
}
