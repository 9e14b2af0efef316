//! The store in a service's database. Reads go through the pool, writes through the writer.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt as _;
use kernel::Fault;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _};

use super::inbox::SqlInbox;
use super::{Inbox as _, ProjectionKey, Store, StoreError};
use crate::database::Database;
use crate::entity::{event_head, event_log, projection_cursor};
use crate::envelope::Envelope;
use crate::gate::{Cursor, fixed};
use crate::log::{self, LaneHead};
use crate::projection::Projection;
use crate::projector::{Taken, take};
use crate::tx::Tx;
use crate::writer::Writer;

/// A service's database and writer, with the handlers of its projections.
#[derive(Clone)]
pub struct SqlStore {
    database: Database,
    writer: Writer,
    projections: Arc<BTreeMap<ProjectionKey, Projection>>,
}

impl SqlStore {
    /// The store of a service with these projections.
    pub fn new(database: Database, writer: Writer, projections: &[Projection]) -> Self {
        let projections = projections
            .iter()
            .map(|projection| (projection.key(database.service()), projection.clone()))
            .collect();
        Self { database, writer, projections: Arc::new(projections) }
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) fn projection_of(&self, key: &ProjectionKey) -> Option<Projection> {
        self.projections.get(key).cloned()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &ProjectionKey> {
        self.projections.keys()
    }

    /// The projection of this name; its source is found by it.
    pub(crate) fn key_of(&self, projection: &str) -> Option<ProjectionKey> {
        self.projections.keys().find(|key| key.projection == projection).cloned()
    }
}

impl std::fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlStore").field("service", &self.database.service()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn heads(&self) -> Result<Vec<LaneHead>, StoreError> {
        Ok(log::heads(&self.database).await?)
    }

    async fn read(&self, lane: &str, from_seq: u64, limit: u32) -> Result<Vec<Envelope>, StoreError> {
        Ok(log::events(&self.database, lane, from_seq, u64::from(limit)).await?)
    }

    async fn first_since(&self, lane: &str, since_us: i64) -> Result<Option<u64>, StoreError> {
        let first: Option<Option<i64>> = event_log::Entity::find()
            .select_only()
            .column_as(event_log::Column::Seq.min(), "first")
            .filter(event_log::Column::Lane.eq(lane))
            .filter(event_log::Column::OccurredAt.gte(since_us))
            .into_tuple()
            .one(self.database.read())
            .await?;
        Ok(first.flatten().map(i64::cast_unsigned))
    }

    async fn mark_published(&self, marks: Vec<(String, u64)>) -> Result<(), StoreError> {
        Ok(self.writer.internal("relay marks", marks, |tx, marks| write_marks(tx, marks).boxed()).await?)
    }

    async fn cursors(&self, projection: &ProjectionKey) -> Result<Vec<(String, Cursor)>, StoreError> {
        let rows = projection_cursor::Entity::find()
            .filter(projection_cursor::Column::Projection.eq(&projection.projection))
            .filter(projection_cursor::Column::Source.eq(&projection.source))
            .all(self.database.read())
            .await?;
        Ok(rows.into_iter().map(|row| (row.lane.clone(), cursor(&row))).collect())
    }

    async fn take(
        &self,
        projection: &ProjectionKey,
        lane: &str,
        events: Vec<Envelope>,
    ) -> Result<Taken, StoreError> {
        let key = projection.clone();
        let projection = self.projection_of(&key);
        let projection =
            projection.ok_or_else(|| StoreError(format!("no handler for {}", key.projection)))?;
        let input = Batch { key, lane: lane.to_owned(), events, projection, store: self.clone() };
        Ok(self.writer.internal("projection", input, |tx, batch| take_batch(tx, batch).boxed()).await?)
    }

    async fn stop(&self, projection: &ProjectionKey, lane: &str, reason: &str) -> Result<(), StoreError> {
        let input = (projection.clone(), lane.to_owned(), reason.to_owned(), self.clone());
        Ok(self.writer.internal("projection stop", input, |tx, input| write_stop(tx, input).boxed()).await?)
    }
}

struct Batch {
    key: ProjectionKey,
    lane: String,
    events: Vec<Envelope>,
    projection: Projection,
    store: SqlStore,
}

async fn take_batch(tx: &Tx, batch: &Batch) -> Result<Taken, Fault> {
    let inbox = SqlInbox::new(tx, &batch.key, &batch.lane, &batch.projection, batch.store.now());
    take(&inbox, &batch.events).await.map_err(StoreError::into_fault)
}

async fn write_stop(tx: &Tx, input: &(ProjectionKey, String, String, SqlStore)) -> Result<(), Fault> {
    let (key, lane, reason, store) = input;
    let Some(projection) = store.projection_of(key) else { return Ok(()) };
    let inbox = SqlInbox::new(tx, key, lane, &projection, store.now());
    let stop = async {
        let cursor = inbox.cursor().await?;
        inbox.save(&Cursor { stopped: Some(reason.clone()), ..cursor }).await
    };
    stop.await.map_err(StoreError::into_fault)
}

async fn write_marks(tx: &Tx, marks: &Vec<(String, u64)>) -> Result<(), Fault> {
    for (lane, seq) in marks {
        event_head::Entity::update_many()
            .col_expr(event_head::Column::PublishedSeq, Expr::value(seq.cast_signed()))
            .filter(event_head::Column::Lane.eq(lane))
            .filter(event_head::Column::PublishedSeq.lt(seq.cast_signed()))
            .exec(tx.conn())
            .await
            .map_err(crate::database_fault)?;
    }
    Ok(())
}

impl SqlStore {
    /// Real time, microseconds.
    pub(crate) fn now(&self) -> i64 {
        self.writer.clocks().real.now().as_micros()
    }
}

pub(super) fn cursor(row: &projection_cursor::Model) -> Cursor {
    Cursor {
        epoch: row.epoch.cast_unsigned(),
        seq: row.last_seq.cast_unsigned(),
        hash: fixed(&row.last_hash),
        stopped: row.stopped.clone(),
        generation: row.generation.cast_unsigned(),
        rebuild_to: row.rebuild_to.map(i64::cast_unsigned),
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        Self(error.to_string())
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        let text = fault.internal_text().map(str::to_owned);
        Self(text.unwrap_or_else(|| fault.to_string()))
    }
}

impl StoreError {
    /// For the writer, which rolls the act back and hands the fault to the one who asked.
    pub(crate) fn into_fault(self) -> Fault {
        Fault::internal(self.0)
    }
}
