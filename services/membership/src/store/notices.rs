//! Notices to people.

use std::collections::BTreeSet;

use kernel::{Date, NoticeId, PageSize, TenantId, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::entity::notice;
use super::{Result, failed, stored};
use crate::domain::participant::PersonId;

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Id.
    pub(crate) id: NoticeId,
    /// Whom it tells.
    pub(crate) person: PersonId,
    /// The county whose entry of the person it is about; None for notices of other services.
    pub(crate) tenant: Option<TenantId>,
    /// The service that asked for it.
    pub(crate) service: String,
    /// Template.
    pub(crate) template: String,
    /// The same key tells once.
    pub(crate) dedupe_key: String,
    /// Whether it reaches the person though another notice does on the same day.
    pub(crate) urgent: bool,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// The day on which it reaches the person.
    pub(crate) deliver_on: Date,
    /// When it did; None while it is held.
    pub(crate) delivered_at: Option<Timestamp>,
}

/// Whether a person was told, or will be, by this key of the service.
pub(crate) async fn is_told(
    db: &impl ConnectionTrait,
    person: PersonId,
    service: &str,
    dedupe_key: &str,
) -> Result<bool> {
    let row = notice::Entity::find()
        .filter(notice::Column::Person.eq(person.as_uuid()))
        .filter(notice::Column::Service.eq(service))
        .filter(notice::Column::DedupeKey.eq(dedupe_key))
        .one(db)
        .await
        .map_err(failed)?;
    Ok(row.is_some())
}

/// Whether such a notice about the person's entry in this county waits for its day.
pub(crate) async fn is_waiting(
    db: &impl ConnectionTrait,
    person: PersonId,
    tenant: TenantId,
    template: &str,
) -> Result<bool> {
    let row = notice::Entity::find()
        .filter(notice::Column::Person.eq(person.as_uuid()))
        .filter(notice::Column::Tenant.eq(tenant.as_str()))
        .filter(notice::Column::Template.eq(template))
        .filter(notice::Column::DeliveredAt.is_null())
        .one(db)
        .await
        .map_err(failed)?;
    Ok(row.is_some())
}

/// The days from `today` on that have a notice of the person already.
pub(crate) async fn taken_days(
    db: &impl ConnectionTrait,
    person: PersonId,
    today: Date,
) -> Result<BTreeSet<Date>> {
    let days: Vec<Date> = notice::Entity::find()
        .select_only()
        .column(notice::Column::DeliverOn)
        .filter(notice::Column::Person.eq(person.as_uuid()))
        .filter(notice::Column::DeliverOn.gte(today))
        .into_tuple()
        .all(db)
        .await
        .map_err(failed)?;
    Ok(days.into_iter().collect())
}

/// Adds a notice.
pub(crate) async fn add(db: &impl ConnectionTrait, notice: &Notice) -> Result<()> {
    let row = notice::Model {
        id: notice.id.as_uuid(),
        person: notice.person.as_uuid(),
        tenant: notice.tenant.map(|tenant| tenant.to_string()),
        service: notice.service.clone(),
        template: notice.template.clone(),
        dedupe_key: notice.dedupe_key.clone(),
        urgent: notice.urgent,
        created_at: notice.created_at.as_micros(),
        deliver_on: notice.deliver_on,
        delivered_at: notice.delivered_at.map(Timestamp::as_micros),
    };
    notice::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map_err(failed)?;
    Ok(())
}

/// Notes that a held notice has reached its person, and gives it; None if it had before, or its person has left.
pub(crate) async fn deliver(
    db: &impl ConnectionTrait,
    id: NoticeId,
    at: Timestamp,
) -> Result<Option<Notice>> {
    let delivered = notice::Entity::update_many()
        .col_expr(notice::Column::DeliveredAt, Expr::value(at.as_micros()))
        .filter(notice::Column::Id.eq(id.as_uuid()))
        .filter(notice::Column::DeliveredAt.is_null())
        .exec(db)
        .await
        .map_err(failed)?;
    if delivered.rows_affected == 0 {
        return Ok(None);
    }
    let row = notice::Entity::find_by_id(id.as_uuid()).one(db).await.map_err(failed)?;
    row.map(to_notice).transpose()
}

/// A page of the notices that have reached a person, the latest day first, after the one with this day and id; one more
/// than the page holds. Of those about an entry in a register only the ones of these counties.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    person: PersonId,
    counties: &[TenantId],
    last: Option<(Date, NoticeId)>,
    size: PageSize,
) -> Result<Vec<Notice>> {
    let shown = Condition::any()
        .add(notice::Column::Tenant.is_null())
        .add(notice::Column::Tenant.is_in(counties.iter().map(TenantId::as_str)));
    let mut query = notice::Entity::find()
        .filter(notice::Column::Person.eq(person.as_uuid()))
        .filter(shown)
        .filter(notice::Column::DeliveredAt.is_not_null());
    if let Some((day, id)) = last {
        let of_that_day =
            Condition::all().add(notice::Column::DeliverOn.eq(day)).add(notice::Column::Id.lt(id.as_uuid()));
        query = query.filter(Condition::any().add(notice::Column::DeliverOn.lt(day)).add(of_that_day));
    }
    let rows = query
        .order_by_desc(notice::Column::DeliverOn)
        .order_by_desc(notice::Column::Id)
        .limit(size.limit())
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(to_notice).collect()
}

fn to_notice(row: notice::Model) -> Result<Notice> {
    Ok(Notice {
        id: NoticeId::from_uuid(row.id),
        person: PersonId::from(row.person),
        tenant: row.tenant.map(|tenant| stored(tenant.parse())).transpose()?,
        service: row.service,
        template: row.template,
        dedupe_key: row.dedupe_key,
        urgent: row.urgent,
        created_at: Timestamp::from_micros(row.created_at),
        deliver_on: row.deliver_on,
        delivered_at: row.delivered_at.map(Timestamp::from_micros),
    })
}

/// Deletes the notices that reached their people before this day, of a county or of none: how many, and whether others
/// are left.
pub(crate) async fn purge(
    db: &impl ConnectionTrait,
    tenant: Option<TenantId>,
    before: Date,
) -> Result<(u64, bool)> {
    let of_tenant = match tenant {
        Some(tenant) => notice::Column::Tenant.eq(tenant.as_str()),
        None => notice::Column::Tenant.is_null(),
    };
    let gone = notice::Entity::delete_many()
        .filter(of_tenant.clone())
        .filter(notice::Column::DeliveredAt.is_not_null())
        .filter(notice::Column::DeliverOn.lt(before))
        .exec(db)
        .await
        .map_err(failed)?;
    let left = notice::Entity::find().filter(of_tenant).one(db).await.map_err(failed)?;
    Ok((gone.rows_affected, left.is_some()))
}

/// Forgets the notices about a person's entry in this county, which they leave.
pub(crate) async fn forget_in(db: &impl ConnectionTrait, person: PersonId, tenant: TenantId) -> Result<()> {
    notice::Entity::delete_many()
        .filter(notice::Column::Person.eq(person.as_uuid()))
        .filter(notice::Column::Tenant.eq(tenant.as_str()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Forgets all notices of a person who leaves.
pub(crate) async fn forget(db: &impl ConnectionTrait, person: PersonId) -> Result<()> {
    notice::Entity::delete_many()
        .filter(notice::Column::Person.eq(person.as_uuid()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}
