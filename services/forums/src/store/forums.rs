//! Forums and their plans.

use kernel::{Fault, ForumId, TenantId, Uuid};
use messaging::database_fault;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::entity::{forum, forum_tenant, seat_quota};
use super::values;
use crate::domain::forum::{Charter, Forum, ForumLevel, ForumState, ForumType, SeatQuota};

/// Stores a new forum.
pub async fn insert(conn: &impl ConnectionTrait, stored: &Forum) -> Result<(), Fault> {
    let charter = &stored.charter;
    let row = row_of(stored).into_active_model();
    forum::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    let lead = std::iter::once((charter.tenant, true));
    let counties = lead.chain(charter.co_tenants.iter().map(|county| (*county, false)));
    let rows = counties.map(|(county, lead)| {
        let (forum_id, tenant) = (stored.id.as_uuid(), county.to_string());
        forum_tenant::Model { forum_id, tenant, lead, confirmed: false }.into_active_model()
    });
    forum_tenant::Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores state and number of filled seats.
pub async fn save(conn: &impl ConnectionTrait, changed: &Forum) -> Result<(), Fault> {
    row_of(changed).into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores that another county has confirmed a joint forum.
pub async fn save_confirmation(
    conn: &impl ConnectionTrait,
    id: ForumId,
    county: TenantId,
) -> Result<(), Fault> {
    let (forum_id, tenant) = (id.as_uuid(), county.to_string());
    let row = forum_tenant::Model { forum_id, tenant, lead: false, confirmed: true };
    row.into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores the approved plan.
pub async fn insert_plan(conn: &impl ConnectionTrait, forum: &Forum) -> Result<(), Fault> {
    let rows = forum.plan.iter().map(|quota| {
        let (municipality, seats) = (quota.municipality.to_string(), i64::from(quota.seats));
        seat_quota::Model { forum_id: forum.id.as_uuid(), municipality, seats }.into_active_model()
    });
    seat_quota::Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// A forum, for the public. NotFound `forums.no_such_forum`.
pub async fn load(conn: &impl ConnectionTrait, id: ForumId) -> Result<Forum, Fault> {
    let row = forum::Entity::find_by_id(id.as_uuid()).one(conn).await.map_err(database_fault)?;
    only(conn, row).await
}

/// A forum that this county leads. NotFound `forums.no_such_forum`.
pub async fn load_led_by(conn: &impl ConnectionTrait, tenant: TenantId, id: ForumId) -> Result<Forum, Fault> {
    let found = forum::Entity::find_by_id(id.as_uuid())
        .filter(forum::Column::Tenant.eq(tenant.as_str()))
        .one(conn)
        .await
        .map_err(database_fault)?;
    only(conn, found).await
}

/// Forums of a county, joint ones included, in the order of founding, from after this id on.
pub async fn list(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    after: Option<ForumId>,
    limit: u64,
) -> Result<Vec<Forum>, Fault> {
    let mut of_county = forum_tenant::Entity::find().filter(forum_tenant::Column::Tenant.eq(tenant.as_str()));
    if let Some(after) = after {
        of_county = of_county.filter(forum_tenant::Column::ForumId.gt(after.as_uuid()));
    }
    let ids = of_county.select_only().column(forum_tenant::Column::ForumId);
    let ids = ids.order_by_asc(forum_tenant::Column::ForumId).limit(limit);
    let ids: Vec<Uuid> = ids.into_tuple().all(conn).await.map_err(database_fault)?;
    let rows = forum::Entity::find()
        .filter(forum::Column::Id.is_in(ids))
        .order_by_asc(forum::Column::Id)
        .all(conn)
        .await
        .map_err(database_fault)?;
    whole(conn, rows).await
}

/// There is none that the caller may reach.
pub fn no_such_forum() -> Fault {
    Fault::not_found("forums.no_such_forum", "There is no such forum here. Check the id and the county.")
}

fn row_of(forum: &Forum) -> forum::Model {
    let charter = &forum.charter;
    forum::Model {
        id: forum.id.as_uuid(),
        tenant: charter.tenant.to_string(),
        agreement_id: charter.agreement_id.clone(),
        name: charter.name.clone(),
        purpose: charter.purpose.clone(),
        purpose_plain: charter.purpose_plain.clone(),
        kind: charter.kind.as_str().to_owned(),
        level: charter.level.as_str().to_owned(),
        service_group: charter.service_group.clone(),
        term_starts_on: charter.term_starts_on.to_string(),
        term_ends_on: charter.term_ends_on.to_string(),
        founding_decision: charter.founding_decision.clone(),
        state: forum.state.as_str().to_owned(),
        seats_filled: i64::from(forum.seats_filled),
    }
}

async fn only(conn: &impl ConnectionTrait, row: Option<forum::Model>) -> Result<Forum, Fault> {
    let row = row.ok_or_else(no_such_forum)?;
    whole(conn, vec![row]).await?.pop().ok_or_else(no_such_forum)
}

/// Forums with their counties and plans. Only joint forums have other counties, and only approved plans have rows; a
/// command that founds or plans a forum should not wait for queries that find nothing.
async fn whole(conn: &impl ConnectionTrait, rows: Vec<forum::Model>) -> Result<Vec<Forum>, Fault> {
    let ids = |wanted: fn(&forum::Model) -> bool| -> Vec<Uuid> {
        rows.iter().filter(|row| wanted(row)).map(|row| row.id).collect()
    };
    let (joint, planned) =
        (ids(|row| !row.agreement_id.is_empty()), ids(|row| row.state != ForumState::Founded.as_str()));
    let (mut counties, mut quotas) = (Vec::new(), Vec::new());
    if !joint.is_empty() {
        counties = forum_tenant::Entity::find()
            .filter(forum_tenant::Column::ForumId.is_in(joint))
            .filter(forum_tenant::Column::Lead.eq(false))
            .order_by_asc(forum_tenant::Column::Tenant)
            .all(conn)
            .await
            .map_err(database_fault)?;
    }
    if !planned.is_empty() {
        quotas = seat_quota::Entity::find()
            .filter(seat_quota::Column::ForumId.is_in(planned))
            .order_by_asc(seat_quota::Column::Municipality)
            .all(conn)
            .await
            .map_err(database_fault)?;
    }
    let forum = |row: forum::Model| {
        let id = row.id;
        let of_this = counties.iter().filter(|link| link.forum_id == id).collect();
        forum_of(row, of_this, quotas.iter().filter(|quota| quota.forum_id == id))
    };
    rows.into_iter().map(forum).collect()
}

fn forum_of<'a>(
    row: forum::Model,
    counties: Vec<&forum_tenant::Model>,
    quotas: impl Iterator<Item = &'a seat_quota::Model>,
) -> Result<Forum, Fault> {
    let quota = |row: &seat_quota::Model| -> Result<SeatQuota, Fault> {
        let municipality = values::municipality(&row.municipality)?;
        Ok(SeatQuota { municipality, seats: values::count(row.seats)? })
    };
    let confirmed = counties.iter().filter(|link| link.confirmed).map(|link| values::tenant(&link.tenant));
    let confirmed = confirmed.collect::<Result<_, _>>()?;
    let charter = Charter {
        tenant: values::tenant(&row.tenant)?,
        co_tenants: counties.iter().map(|link| values::tenant(&link.tenant)).collect::<Result<_, _>>()?,
        agreement_id: row.agreement_id,
        name: row.name,
        purpose: row.purpose,
        purpose_plain: row.purpose_plain,
        kind: values::known(&ForumType::ALL, ForumType::as_str, &row.kind)?,
        level: values::known(&ForumLevel::ALL, ForumLevel::as_str, &row.level)?,
        service_group: row.service_group,
        term_starts_on: values::day(&row.term_starts_on)?,
        term_ends_on: values::day(&row.term_ends_on)?,
        founding_decision: row.founding_decision,
    };
    Ok(Forum {
        id: ForumId::from_uuid(row.id),
        charter,
        confirmed,
        state: values::known(&ForumState::ALL, ForumState::as_str, &row.state)?,
        plan: quotas.map(quota).collect::<Result<_, _>>()?,
        seats_filled: values::count(row.seats_filled)?,
    })
}
