//! Parked events: those a projection could not take, and the later ones of the same thing (REL-43).
//!
//! They wait for a person. When the reason is gone they are taken again in order, all or none; or the first one is
//! given up for a stated reason, and those behind it are tried. Everything goes through the writer, like the events
//! themselves.

use std::fmt;

use futures::FutureExt as _;
use kernel::Fault;
use prost::Message as _;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use crate::database_fault;
use crate::entity::parked_event;
use crate::envelope::Envelope;
use crate::event::Origin;
use crate::projection::Projection;
use crate::store::{Handled, Inbox as _, ProjectionKey, SqlInbox, SqlStore, StoreError};
use crate::tx::{Attempt, Tx};

/// State of an event that waits.
pub(crate) const PARKED: &str = "parked";
const PROJECTED: &str = "projected";
pub(crate) const DISMISSED: &str = "dismissed";
/// Kind of an event that failed.
pub(crate) const POISON: &str = "poison";
/// Kind of an event behind one that failed.
pub(crate) const BLOCKED: &str = "blocked";
/// Parked events of one thing that are taken again at once; the rest waits for the next time.
const MOST_REDRIVEN: u64 = 1000;
/// Most parked events in one answer.
const MOST_LISTED: u64 = 200;

/// Why an event is parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkedKind {
    /// It could not be projected.
    Poison,
    /// An earlier event of the same thing is parked.
    Blocked,
}

/// A parked event, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Name of the projection.
    pub projection: String,
    /// Service that published the event.
    pub source: String,
    /// Lane: county code.
    pub lane: String,
    /// Sequence number in the lane.
    pub seq: u64,
    /// Full name of the event type.
    pub event_type: String,
    /// Kind of the thing it happened to.
    pub aggregate_type: String,
    /// Id of that thing.
    pub aggregate_id: String,
    /// Why it is parked.
    pub kind: ParkedKind,
    /// What went wrong, without content.
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was parked, real time, microseconds.
    pub parked_at_us: i64,
}

/// Place of a parked event in the list.
pub type ParkedPlace = (String, String, String, u64);

impl SqlStore {
    /// Parked events by projection, source, lane and number, after a place; at most 200.
    ///
    /// # Errors
    /// Unavailable if the database is away.
    pub async fn parked_events(
        &self,
        after: Option<&ParkedPlace>,
        limit: u64,
    ) -> Result<Vec<ParkedEvent>, Fault> {
        use parked_event::Column;
        let mut query = parked_event::Entity::find().filter(Column::State.eq(PARKED));
        if let Some((projection, source, lane, seq)) = after {
            let later = Expr::tuple([
                Expr::col(Column::Projection),
                Expr::col(Column::Source),
                Expr::col(Column::Lane),
                Expr::col(Column::Seq),
            ]);
            let place = Expr::tuple([
                Expr::value(projection.clone()),
                Expr::value(source.clone()),
                Expr::value(lane.clone()),
                Expr::value(seq.cast_signed()),
            ]);
            query = query.filter(Condition::all().add(later.gt(place)));
        }
        let rows = query
            .order_by_asc(Column::Projection)
            .order_by_asc(Column::Source)
            .order_by_asc(Column::Lane)
            .order_by_asc(Column::Seq)
            .limit(Ord::min(limit, MOST_LISTED))
            .all(self.database().read())
            .await
            .map_err(database_fault)?;
        Ok(rows.into_iter().map(ParkedEvent::from).collect())
    }

    /// How many parked events wait in each lane, by projection, source and lane.
    ///
    /// # Errors
    /// Unavailable if the database is away.
    pub async fn parked_counts(&self) -> Result<Vec<(ProjectionKey, String, u64)>, Fault> {
        use parked_event::Column;
        let counts: Vec<(String, String, String, i64)> = parked_event::Entity::find()
            .select_only()
            .columns([Column::Projection, Column::Source, Column::Lane])
            .column_as(Column::Seq.count(), "parked")
            .filter(Column::State.eq(PARKED))
            .group_by(Column::Projection)
            .group_by(Column::Source)
            .group_by(Column::Lane)
            .into_tuple()
            .all(self.database().read())
            .await
            .map_err(database_fault)?;
        let service = self.database().service().to_owned();
        let count = |(projection, source, lane, count): (String, String, String, i64)| {
            (ProjectionKey { service: service.clone(), projection, source }, lane, count.cast_unsigned())
        };
        Ok(counts.into_iter().map(count).collect())
    }

    /// Takes the parked events of one thing again, in order, all or none. Returns how many were taken.
    ///
    /// # Errors
    /// NotFound if nothing is parked there; Conflict if one of them fails again (the text says which and why).
    pub async fn redrive(&self, projection: &str, lane: &str, aggregate_id: &str) -> Result<u32, Fault> {
        let parked = self.thing(projection, lane, aggregate_id)?;
        match self.writer().internal("redrive", parked.clone(), |tx, it| redrive(tx, it).boxed()).await? {
            Redriven::All(0) => Err(not_found()),
            Redriven::All(taken) => Ok(taken),
            Redriven::Failed { seq, error } => {
                let failure = (parked, seq, error.clone());
                self.writer()
                    .internal("redrive failed", failure, |tx, it| note_failure(tx, it).boxed())
                    .await?;
                Err(Fault::conflict(
                    "messaging.still_failing",
                    format!("Event {seq} fails again, so none was taken: {error}"),
                ))
            }
        }
    }

    /// Gives up the first parked event of its thing, and then tries those behind it. Returns how many were taken; if
    /// one of them fails, it is the first one now and none is taken.
    ///
    /// # Errors
    /// NotFound if it is not parked; Conflict if it is not the first of its thing; Invalid without a reason.
    pub async fn dismiss(&self, projection: &str, lane: &str, seq: u64, reason: &str) -> Result<u32, Fault> {
        if reason.trim().chars().count() < 10 {
            return Err(Fault::invalid("messaging.reason_missing", "Giving up an event needs a reason.")
                .field("reason", "at least ten characters", "say why the event may be given up"));
        }
        let parked = self.thing(projection, lane, "")?;
        let input = (parked, seq, reason.trim().to_owned());
        let aggregate_id = self.writer().internal("dismiss", input, |tx, it| dismiss(tx, it).boxed()).await?;
        match self.redrive(projection, lane, &aggregate_id).await {
            Ok(taken) => Ok(taken),
            // The dismissal stands; what is behind waits for its own repair.
            Err(_) => Ok(0),
        }
    }

    fn thing(&self, projection: &str, lane: &str, aggregate_id: &str) -> Result<Thing, Fault> {
        let key = self.key_of(projection).ok_or_else(not_found)?;
        let projection = self.projection_of(&key).ok_or_else(not_found)?;
        let (lane, aggregate_id) = (lane.to_owned(), aggregate_id.to_owned());
        Ok(Thing { key, lane, aggregate_id, projection, now: self.now() })
    }
}

/// The parked events of one thing.
#[derive(Clone)]
struct Thing {
    key: ProjectionKey,
    lane: String,
    aggregate_id: String,
    projection: Projection,
    now: i64,
}

impl Thing {
    fn condition(&self) -> Condition {
        use parked_event::Column;
        Condition::all()
            .add(Column::Projection.eq(&self.key.projection))
            .add(Column::Source.eq(&self.key.source))
            .add(Column::Lane.eq(&self.lane))
            .add(Column::State.eq(PARKED))
    }
}

impl fmt::Debug for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thing").field("key", &self.key).field("lane", &self.lane).finish_non_exhaustive()
    }
}

enum Redriven {
    All(u32),
    Failed { seq: u64, error: String },
}

async fn redrive(tx: &Tx, thing: &Thing) -> Result<Redriven, Fault> {
    use parked_event::Column;
    let rows = parked_event::Entity::find()
        .filter(thing.condition())
        .filter(Column::AggregateId.eq(&thing.aggregate_id))
        .order_by_asc(Column::Seq)
        .limit(MOST_REDRIVEN)
        .all(tx.conn())
        .await
        .map_err(database_fault)?;
    let thing = thing.clone();
    let attempt = tx.attempt(Origin::default(), move |tx| take_again(tx, thing, rows).boxed()).await;
    match attempt.map_err(database_fault)? {
        Attempt::Done(taken) => Ok(Redriven::All(taken)),
        Attempt::Refused((seq, error)) => Ok(Redriven::Failed { seq: seq.cast_unsigned(), error }),
        Attempt::Panicked(text) => Err(Fault::internal(text)),
    }
}

/// Takes all or fails with the number of the first that fails, and why.
async fn take_again(tx: &Tx, thing: Thing, rows: Vec<parked_event::Model>) -> Result<u32, (i64, String)> {
    let inbox = SqlInbox::new(tx, &thing.key, &thing.lane, &thing.projection, thing.now);
    // The handler is told which rebuild this is.
    inbox.cursor().await.map_err(|StoreError(error)| (0, error))?;
    let mut taken = 0;
    for row in rows {
        let seq = row.seq;
        let event = Envelope::decode(row.envelope.as_slice()).map_err(|error| (seq, error.to_string()))?;
        match inbox.handle(&event).await {
            Ok(Handled::Applied | Handled::Skipped) => taken += 1,
            Ok(Handled::Poison(error)) | Err(StoreError(error)) => return Err((seq, error)),
        }
        parked_event::Entity::update_many()
            .col_expr(parked_event::Column::State, Expr::value(PROJECTED))
            .filter(thing.condition())
            .filter(parked_event::Column::Seq.eq(seq))
            .exec(tx.conn())
            .await
            .map_err(|error| (seq, error.to_string()))?;
    }
    Ok(taken)
}

async fn note_failure(tx: &Tx, failure: &(Thing, u64, String)) -> Result<(), Fault> {
    use parked_event::Column;
    let (thing, seq, error) = failure;
    parked_event::Entity::update_many()
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .col_expr(Column::Error, Expr::value(error.clone()))
        .col_expr(Column::Kind, Expr::value(POISON))
        .filter(thing.condition())
        .filter(Column::Seq.eq(seq.cast_signed()))
        .exec(tx.conn())
        .await
        .map_err(database_fault)?;
    Ok(())
}

async fn dismiss(tx: &Tx, input: &(Thing, u64, String)) -> Result<String, Fault> {
    use parked_event::Column;
    let (thing, seq, reason) = input;
    let row = parked_event::Entity::find()
        .filter(thing.condition())
        .filter(Column::Seq.eq(seq.cast_signed()))
        .one(tx.conn())
        .await
        .map_err(database_fault)?
        .ok_or_else(not_found)?;
    let earlier = parked_event::Entity::find()
        .filter(thing.condition())
        .filter(Column::AggregateType.eq(&row.aggregate_type))
        .filter(Column::AggregateId.eq(&row.aggregate_id))
        .filter(Column::Seq.lt(row.seq))
        .count(tx.conn())
        .await
        .map_err(database_fault)?;
    if earlier > 0 {
        return Err(Fault::conflict(
            "messaging.not_first",
            "Earlier events of the same thing are parked; begin with the first.",
        ));
    }
    parked_event::Entity::update_many()
        .col_expr(Column::State, Expr::value(DISMISSED))
        .col_expr(Column::Reason, Expr::value(reason.clone()))
        .filter(thing.condition())
        .filter(Column::Seq.eq(row.seq))
        .exec(tx.conn())
        .await
        .map_err(database_fault)?;
    Ok(row.aggregate_id)
}

impl From<parked_event::Model> for ParkedEvent {
    fn from(row: parked_event::Model) -> Self {
        Self {
            kind: if row.kind == POISON { ParkedKind::Poison } else { ParkedKind::Blocked },
            projection: row.projection,
            source: row.source,
            lane: row.lane,
            seq: row.seq.cast_unsigned(),
            event_type: row.event_type,
            aggregate_type: row.aggregate_type,
            aggregate_id: row.aggregate_id,
            error: row.error,
            attempts: row.attempts.cast_unsigned(),
            parked_at_us: row.parked_at,
        }
    }
}

fn not_found() -> Fault {
    Fault::not_found("messaging.not_parked", "No such event is parked.")
}
