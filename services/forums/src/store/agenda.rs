//! Topics, and which events of proposals raised them.

use kernel::{AgendaItemId, Fault, ForumId, MeetingId, ProposalId, Subject, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::entity::{agenda_item, deferred_topic, proposal_sending};
use super::meeting_texts::{self, Kind};
use super::values;
use crate::domain::meeting::agenda::{AgendaItem, Decision, DecisionKind, ItemState, Source};

/// Stores a new topic.
pub async fn insert(conn: &impl ConnectionTrait, stored: &AgendaItem) -> Result<(), Fault> {
    let row = row_of(stored).into_active_model();
    agenda_item::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores a changed topic.
pub async fn save(conn: &impl ConnectionTrait, changed: &AgendaItem) -> Result<(), Fault> {
    row_of(changed).into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    Ok(())
}

/// A topic of a forum. NotFound `forums.no_such_topic`.
pub async fn load_in(
    conn: &impl ConnectionTrait,
    forum: ForumId,
    id: AgendaItemId,
) -> Result<AgendaItem, Fault> {
    let row = agenda_item::Entity::find_by_id(id.as_uuid())
        .filter(agenda_item::Column::ForumId.eq(forum.as_uuid()))
        .one(conn)
        .await
        .map_err(database_fault)?;
    let missing = || Fault::not_found("forums.no_such_topic", "There is no such topic in this forum.");
    item_of(row.ok_or_else(missing)?)
}

/// Topics on the agenda of a meeting, decided and dropped ones included, by their place.
pub async fn of_meeting(conn: &impl ConnectionTrait, meeting: MeetingId) -> Result<Vec<AgendaItem>, Fault> {
    let rows = agenda_item::Entity::find()
        .filter(agenda_item::Column::MeetingId.eq(meeting.as_uuid()))
        .order_by_asc(agenda_item::Column::Position)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(item_of).collect()
}

/// Stores a topic that a meeting leaves to another one, and that it was on that meeting's agenda.
pub async fn save_deferred(
    conn: &impl ConnectionTrait,
    before: &AgendaItem,
    deferred: &AgendaItem,
) -> Result<(), Fault> {
    save(conn, deferred).await?;
    let Some(meeting) = before.meeting else { return Ok(()) };
    let position = i64::from(before.position);
    let row = deferred_topic::Model { meeting_id: meeting.as_uuid(), item_id: before.id.as_uuid(), position };
    let stored = deferred_topic::Entity::insert(row.into_active_model()).exec_without_returning(conn).await;
    stored.map_err(database_fault)?;
    Ok(())
}

/// Topics that were on the agenda of a meeting: those that are on it, and those that it left to another one, as they
/// were then; by their place.
pub async fn ever_of_meeting(
    conn: &impl ConnectionTrait,
    meeting: MeetingId,
) -> Result<Vec<AgendaItem>, Fault> {
    let mut items = of_meeting(conn, meeting).await?;
    let left = deferred_topic::Entity::find()
        .filter(deferred_topic::Column::MeetingId.eq(meeting.as_uuid()))
        .all(conn)
        .await
        .map_err(database_fault)?;
    if left.is_empty() {
        return Ok(items);
    }
    let these = agenda_item::Column::Id.is_in(left.iter().map(|row| row.item_id));
    let rows = agenda_item::Entity::find().filter(these).all(conn).await.map_err(database_fault)?;
    for row in rows {
        let item = item_of(row)?;
        let place = left.iter().find(|left| left.item_id == item.id.as_uuid());
        let position = values::count(place.map_or(0, |place| place.position))?;
        items.push(item.as_deferred_by(meeting, position));
    }
    items.sort_by_key(|item| item.position);
    Ok(items)
}

/// Topics of a forum about which a decision may follow, in the order of raising, from after this id on.
pub async fn waiting(
    conn: &impl ConnectionTrait,
    forum: ForumId,
    after: Option<AgendaItemId>,
    limit: u64,
) -> Result<Vec<AgendaItem>, Fault> {
    let over = ItemState::ALL.into_iter().filter(|state| !state.is_pending()).map(ItemState::as_str);
    let waiting = agenda_item::Entity::find()
        .filter(agenda_item::Column::ForumId.eq(forum.as_uuid()))
        .filter(agenda_item::Column::State.is_not_in(over));
    page(conn, waiting, after, limit).await
}

/// Topics of a forum that a person raised, in that order, from after this id on.
pub async fn of_person(
    conn: &impl ConnectionTrait,
    forum: ForumId,
    person: Subject,
    after: Option<AgendaItemId>,
    limit: u64,
) -> Result<Vec<AgendaItem>, Fault> {
    let theirs = agenda_item::Entity::find()
        .filter(agenda_item::Column::ForumId.eq(forum.as_uuid()))
        .filter(agenda_item::Column::RaisedBy.eq(person.as_uuid()));
    page(conn, theirs, after, limit).await
}

/// How many topics of a person wait for a meeting of a forum: for their first, or for another one.
pub async fn count_waiting_of(
    conn: &impl ConnectionTrait,
    forum: ForumId,
    person: Subject,
) -> Result<u64, Fault> {
    agenda_item::Entity::find()
        .filter(agenda_item::Column::ForumId.eq(forum.as_uuid()))
        .filter(agenda_item::Column::RaisedBy.eq(person.as_uuid()))
        .filter(
            agenda_item::Column::State.is_in([ItemState::Raised, ItemState::Deferred].map(ItemState::as_str)),
        )
        .count(conn)
        .await
        .map_err(database_fault)
}

/// The topics of a proposal about which a decision may follow, in any forum.
pub async fn pending_of_proposal(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
) -> Result<Vec<AgendaItem>, Fault> {
    let over = ItemState::ALL.into_iter().filter(|state| !state.is_pending()).map(ItemState::as_str);
    let rows = agenda_item::Entity::find()
        .filter(agenda_item::Column::ProposalId.eq(proposal.as_uuid()))
        .filter(agenda_item::Column::State.is_not_in(over))
        .order_by_asc(agenda_item::Column::Id)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(item_of).collect()
}

/// Forgets a person who has left as the one who raised topics.
pub async fn forget_person(conn: &impl ConnectionTrait, person: Subject) -> Result<(), Fault> {
    agenda_item::Entity::update_many()
        .col_expr(agenda_item::Column::RaisedBy, Expr::value(Option::<Uuid>::None))
        .filter(agenda_item::Column::RaisedBy.eq(person.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// The topic that an event of proposals raised or renewed, if it was taken before.
pub async fn sent_by(conn: &impl ConnectionTrait, event: Uuid) -> Result<Option<AgendaItemId>, Fault> {
    let row = proposal_sending::Entity::find_by_id(event).one(conn).await.map_err(database_fault)?;
    Ok(row.map(|row| AgendaItemId::from_uuid(row.item_id)))
}

/// Keeps that an event of this county's proposals raised or renewed a topic. `generation` is the rebuild that says so.
pub async fn save_sending(
    conn: &impl ConnectionTrait,
    event: Uuid,
    tenant: &str,
    item: AgendaItemId,
    generation: u64,
) -> Result<(), Fault> {
    let row = proposal_sending::Model {
        event_id: event,
        tenant: tenant.to_owned(),
        item_id: item.as_uuid(),
        generation: generation.cast_signed(),
    };
    let again = OnConflict::column(proposal_sending::Column::EventId)
        .update_column(proposal_sending::Column::Generation)
        .to_owned();
    let stored = proposal_sending::Entity::insert(row.into_active_model()).on_conflict(again);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Deletes what no event of this county's proposals accounts for after a rebuild: sendings, and topics that nobody but
/// they had touched.
pub async fn sweep(conn: &impl ConnectionTrait, tenant: &str, generation: u64) -> Result<(), Fault> {
    let stale = || {
        let of_tenant = proposal_sending::Column::Tenant.eq(tenant);
        of_tenant.and(proposal_sending::Column::Generation.lt(generation.cast_signed()))
    };
    let rows = proposal_sending::Entity::find().filter(stale()).all(conn).await.map_err(database_fault)?;
    proposal_sending::Entity::delete_many().filter(stale()).exec(conn).await.map_err(database_fault)?;
    for row in rows {
        let others = proposal_sending::Column::ItemId.eq(row.item_id);
        let others = proposal_sending::Entity::find().filter(others).count(conn).await;
        if others.map_err(database_fault)? > 0 {
            continue;
        }
        let gone = agenda_item::Entity::delete_many()
            .filter(agenda_item::Column::Id.eq(row.item_id))
            .filter(agenda_item::Column::State.eq(ItemState::Raised.as_str()))
            .exec(conn)
            .await
            .map_err(database_fault)?;
        if gone.rows_affected > 0 {
            meeting_texts::delete(conn, row.item_id, Kind::Topic).await?;
        }
    }
    Ok(())
}

async fn page(
    conn: &impl ConnectionTrait,
    mut of: sea_orm::Select<agenda_item::Entity>,
    after: Option<AgendaItemId>,
    limit: u64,
) -> Result<Vec<AgendaItem>, Fault> {
    if let Some(after) = after {
        of = of.filter(agenda_item::Column::Id.gt(after.as_uuid()));
    }
    let rows = of.order_by_asc(agenda_item::Column::Id).limit(limit).all(conn).await;
    rows.map_err(database_fault)?.into_iter().map(item_of).collect()
}

fn row_of(item: &AgendaItem) -> agenda_item::Model {
    agenda_item::Model {
        id: item.id.as_uuid(),
        forum_id: item.forum.as_uuid(),
        source: item.source.as_str().to_owned(),
        source_name: item.source_name.clone(),
        proposal_id: item.proposal.map(|proposal| proposal.as_uuid()),
        raised_by: item.raised_by.map(|person| person.as_uuid()),
        raised_on: item.raised_on.to_string(),
        state: item.state.as_str().to_owned(),
        meeting_id: item.meeting.map(|meeting| meeting.as_uuid()),
        position: i64::from(item.position),
        decision: item.decision.map(|decision| decision.kind.as_str().to_owned()),
        decided_on: item.decision.map(|decision| decision.decided_on.to_string()),
        proposal_ended: item.proposal_ended,
    }
}

fn item_of(row: agenda_item::Model) -> Result<AgendaItem, Fault> {
    let decision = match (row.decision.as_deref(), row.decided_on.as_deref()) {
        (Some(kind), Some(day)) => Some(Decision {
            kind: values::known(&DecisionKind::ALL, DecisionKind::as_str, kind)?,
            decided_on: values::day(day)?,
        }),
        _ => None,
    };
    Ok(AgendaItem {
        id: AgendaItemId::from_uuid(row.id),
        forum: ForumId::from_uuid(row.forum_id),
        source: values::known(&Source::ALL, Source::as_str, &row.source)?,
        source_name: row.source_name,
        proposal: row.proposal_id.map(ProposalId::from_uuid),
        raised_by: row.raised_by.map(Subject::from_uuid),
        raised_on: values::day(&row.raised_on)?,
        state: values::known(&ItemState::ALL, ItemState::as_str, &row.state)?,
        meeting: row.meeting_id.map(MeetingId::from_uuid),
        position: values::count(row.position)?,
        decision,
        proposal_ended: row.proposal_ended,
    })
}
