//! A projection's transaction in the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use futures::FutureExt as _;
use prost::Message as _;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, Iterable as _, QueryFilter as _, QuerySelect as _,
};
use tracing::Instrument as _;

use super::sql;
use super::{Handled, Inbox, ProjectionKey, StoreError};
use crate::entity::{parked_event, projection_cursor};
use crate::envelope::Envelope;
use crate::event::Origin;
use crate::gate::Cursor;
use crate::parking::{BLOCKED, DISMISSED, PARKED, POISON};
use crate::projection::{HandlerError, Projection, Received, Swept};
use crate::telemetry;
use crate::tx::{Attempt, Tx};

/// One lane of one projection inside of an act of the writer. The writer's transaction keeps all other writers out, so
/// the cursor needs no lock of its own.
pub(crate) struct SqlInbox<'a> {
    tx: &'a Tx,
    key: &'a ProjectionKey,
    lane: &'a str,
    projection: &'a Projection,
    /// Real time, microseconds.
    now: i64,
    /// Set when the cursor is read.
    generation: AtomicU64,
    is_rebuilding: AtomicBool,
}

impl<'a> SqlInbox<'a> {
    pub(crate) fn new(
        tx: &'a Tx,
        key: &'a ProjectionKey,
        lane: &'a str,
        projection: &'a Projection,
        now: i64,
    ) -> Self {
        Self {
            tx,
            key,
            lane,
            projection,
            now,
            generation: AtomicU64::new(0),
            is_rebuilding: AtomicBool::new(false),
        }
    }

    /// Whether a person has given up this very event before the lane was rebuilt.
    async fn is_dismissed(&self, event: &Envelope) -> Result<bool, StoreError> {
        if !self.is_rebuilding.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let place = (
            self.key.projection.clone(),
            self.key.source.clone(),
            self.lane.to_owned(),
            event.seq.cast_signed(),
        );
        let row = parked_event::Entity::find_by_id(place).one(self.tx.conn()).await?;
        Ok(row.is_some_and(|row| row.state == DISMISSED && row.envelope == event.encode_to_vec()))
    }
}

#[async_trait]
impl Inbox for SqlInbox<'_> {
    async fn cursor(&self) -> Result<Cursor, StoreError> {
        let id = (self.key.projection.clone(), self.key.source.clone(), self.lane.to_owned());
        let row = projection_cursor::Entity::find_by_id(id).one(self.tx.conn()).await?;
        let cursor = row.map(|row| sql::cursor(&row)).unwrap_or_default();
        self.generation.store(cursor.generation, Ordering::Relaxed);
        self.is_rebuilding.store(cursor.rebuild_to.is_some(), Ordering::Relaxed);
        Ok(cursor)
    }

    async fn parked(&self, events: &[Envelope]) -> Result<Vec<(String, String)>, StoreError> {
        let ids = events.iter().map(|event| event.aggregate_id.as_str());
        let things = parked_event::Entity::find()
            .select_only()
            .columns([parked_event::Column::AggregateType, parked_event::Column::AggregateId])
            .distinct()
            .filter(parked_event::Column::Projection.eq(&self.key.projection))
            .filter(parked_event::Column::Source.eq(&self.key.source))
            .filter(parked_event::Column::Lane.eq(self.lane))
            .filter(parked_event::Column::State.eq(PARKED))
            .filter(parked_event::Column::AggregateId.is_in(ids))
            .into_tuple()
            .all(self.tx.conn())
            .await?;
        Ok(things)
    }

    async fn handle(&self, event: &Envelope) -> Result<Handled, StoreError> {
        if self.is_dismissed(event).await? {
            return Ok(Handled::Skipped);
        }
        let origin = Origin {
            causation_id: event.event_id.clone(),
            correlation_id: event.correlation_id.clone(),
            traceparent: Some(event.traceparent.clone()).filter(|text| !text.is_empty()),
        };
        let generation = self.generation.load(Ordering::Relaxed);
        let received = Received { generation, ..Received::new(event.clone()) };
        let handler = Arc::clone(&self.projection.handler);
        let span = span(self.key, event);
        let attempt = self
            .tx
            .attempt(origin, move |tx| async move { handler(tx, &received).instrument(span).await }.boxed());
        match attempt.await? {
            Attempt::Done(()) => Ok(Handled::Applied),
            Attempt::Refused(HandlerError::Permanent(error)) => Ok(Handled::Poison(error)),
            Attempt::Refused(HandlerError::Transient(error)) => Err(StoreError(error)),
            Attempt::Panicked(text) => Ok(Handled::Poison(format!("the handler panicked: {text}"))),
        }
    }

    async fn park(&self, event: &Envelope, poison: Option<&str>) -> Result<(), StoreError> {
        tracing::error!(
            projection = self.key.projection,
            source = self.key.source,
            lane = self.lane,
            seq = event.seq,
            event_type = event.event_type,
            error = poison.unwrap_or("an earlier event of the same thing is parked"),
            "an event is parked until a person acts"
        );
        let row = parked_event::ActiveModel {
            projection: Set(self.key.projection.clone()),
            source: Set(self.key.source.clone()),
            lane: Set(self.lane.to_owned()),
            seq: Set(event.seq.cast_signed()),
            event_type: Set(event.event_type.clone()),
            aggregate_type: Set(event.aggregate_type.clone()),
            aggregate_id: Set(event.aggregate_id.clone()),
            envelope: Set(event.encode_to_vec()),
            kind: Set(if poison.is_some() { POISON } else { BLOCKED }.to_owned()),
            error: Set(poison.unwrap_or_default().to_owned()),
            attempts: Set(i32::from(poison.is_some())),
            state: Set(PARKED.to_owned()),
            reason: Set(None),
            parked_at: Set(self.now),
        };
        // The cursor lets an event through once only. After a rebuild, another event with this number may have been
        // given up.
        use parked_event::Column;
        let place = [Column::Projection, Column::Source, Column::Lane, Column::Seq];
        let is_place = |column: &Column| {
            matches!(column, Column::Projection | Column::Source | Column::Lane | Column::Seq)
        };
        let rest = Column::iter().filter(|column| !is_place(column));
        let replace = OnConflict::columns(place).update_columns(rest).to_owned();
        let insert = parked_event::Entity::insert(row).on_conflict(replace);
        insert.exec_without_returning(self.tx.conn()).await?;
        Ok(())
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        let Some(sweep) = self.projection.sweep.clone() else { return Ok(()) };
        let (lane, generation) = (self.lane.to_owned(), self.generation.load(Ordering::Relaxed));
        let attempt = self.tx.attempt(Origin::default(), move |tx| {
            async move { sweep(tx, Swept { lane: &lane, generation }).await }.boxed()
        });
        match attempt.await? {
            Attempt::Done(()) => Ok(()),
            Attempt::Refused(error) => Err(StoreError(error.to_string())),
            Attempt::Panicked(text) => Err(StoreError(text)),
        }
    }

    async fn save(&self, cursor: &Cursor) -> Result<(), StoreError> {
        use projection_cursor::Column;
        let row = projection_cursor::ActiveModel {
            projection: Set(self.key.projection.clone()),
            source: Set(self.key.source.clone()),
            lane: Set(self.lane.to_owned()),
            epoch: Set(cursor.epoch.cast_signed()),
            last_seq: Set(cursor.seq.cast_signed()),
            last_hash: Set(cursor.hash.to_vec()),
            stopped: Set(cursor.stopped.clone()),
            updated_at: Set(self.now),
            generation: Set(cursor.generation.cast_signed()),
            rebuild_to: Set(cursor.rebuild_to.map(u64::cast_signed)),
        };
        // How often a lane was rebuilt only a reset changes.
        let moved = [
            Column::Epoch,
            Column::LastSeq,
            Column::LastHash,
            Column::Stopped,
            Column::UpdatedAt,
            Column::RebuildTo,
        ];
        let upsert = OnConflict::columns([Column::Projection, Column::Source, Column::Lane])
            .update_columns(moved)
            .to_owned();
        let insert = projection_cursor::Entity::insert(row).on_conflict(upsert);
        insert.exec_without_returning(self.tx.conn()).await?;
        Ok(())
    }
}

/// A span linked to the request that caused the event, or none if that was not traced.
fn span(key: &ProjectionKey, event: &Envelope) -> tracing::Span {
    if event.traceparent.is_empty() {
        return tracing::Span::none();
    }
    let span = tracing::info_span!(
        "process",
        otel.kind = "consumer",
        messaging.system = "nats",
        messaging.operation.name = "process",
        messaging.consumer.group.name = key.projection,
        messaging.message.id = event.event_id,
    );
    telemetry::link(&span, &event.traceparent);
    span
}
