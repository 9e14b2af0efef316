//! Rebuilding a projection: reading a lane of its source again from the first event (REL-44).
//!
//! A lane that stands still because its source was restored from a backup has taken events that no longer exist. So the
//! cursor goes back to the beginning and the lane is read again from the source's log, by the same code as ever. What
//! is there stays readable meanwhile: rows are written over, each with the number of the rebuild (`generation`), and
//! when the lane has come to where the source's head was, those that were not written again are swept out. A handler
//! therefore must bear an event it has seen before, and a projection whose rows can go says how they do
//! ([`Projection::sweeping`](crate::Projection::sweeping)).

use std::collections::BTreeMap;

use futures::FutureExt as _;
use kernel::Fault;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
};

use super::{Inbox as _, ProjectionKey, SqlInbox, SqlStore};
use crate::database::database_fault;
use crate::entity::{parked_event, projection_cursor};
use crate::gate::Cursor;
use crate::log::LaneHead;
use crate::parking::DISMISSED;
use crate::tx::Tx;

/// A lane that is read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilding {
    /// Lane: county code.
    pub lane: String,
    /// Sequence number up to which it is read before what was not written again is swept out.
    pub target: u64,
}

/// Which lanes to rebuild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes<'a> {
    /// Every one.
    All,
    /// Those that stand still.
    Stopped,
    /// This one.
    One(&'a str),
}

struct Reset {
    store: SqlStore,
    key: ProjectionKey,
    heads: Vec<LaneHead>,
}

impl SqlStore {
    /// Puts lanes of a projection back to their first event; the projector does the rest. `heads` are those of the
    /// source now.
    ///
    /// # Errors
    /// NotFound `messaging.projection_unknown` or `messaging.lane_unknown`; Unavailable if the database is away.
    pub(crate) async fn reset(
        &self,
        key: &ProjectionKey,
        heads: Vec<LaneHead>,
        lanes: Lanes<'_>,
    ) -> Result<Vec<Rebuilding>, Fault> {
        let cursors: BTreeMap<String, Cursor> = super::Store::cursors(self, key)
            .await
            .map_err(super::StoreError::into_fault)?
            .into_iter()
            .collect();
        let mut chosen: BTreeMap<String, LaneHead> =
            heads.into_iter().map(|head| (head.lane.clone(), head)).collect();
        // A lane whose source has lost all of it has a cursor and no head.
        for lane in cursors.keys() {
            let none = || LaneHead { lane: lane.clone(), ..LaneHead::default() };
            chosen.entry(lane.clone()).or_insert_with(none);
        }
        match lanes {
            Lanes::All => {}
            Lanes::Stopped => {
                chosen.retain(|lane, _| cursors.get(lane).is_some_and(|cursor| cursor.stopped.is_some()));
            }
            Lanes::One(wanted) => {
                chosen.retain(|lane, _| lane == wanted);
                if chosen.is_empty() {
                    let message = format!("The projection has heard of no lane {wanted}.");
                    return Err(Fault::not_found("messaging.lane_unknown", message));
                }
            }
        }
        let heads: Vec<LaneHead> = chosen.into_values().collect();
        let rebuilding = heads.iter().map(|head| Rebuilding { lane: head.lane.clone(), target: head.seq });
        let rebuilding = rebuilding.collect();
        let input = Reset { store: self.clone(), key: key.clone(), heads };
        self.writer().internal("projection reset", input, |tx, input| reset_all(tx, input).boxed()).await?;
        Ok(rebuilding)
    }

    /// The projection of this name, as an operator says it.
    ///
    /// # Errors
    /// NotFound `messaging.projection_unknown`, with the names there are.
    pub fn projection(&self, name: &str) -> Result<ProjectionKey, Fault> {
        self.key_of(name).ok_or_else(|| {
            let names: Vec<&str> = self.keys().map(|key| key.projection.as_str()).collect();
            let message = format!(
                "There is no such projection in {}; there is: {}.",
                self.database().service(),
                names.join(", ")
            );
            Fault::not_found("messaging.projection_unknown", message)
        })
    }
}

async fn reset_all(tx: &Tx, input: &Reset) -> Result<(), Fault> {
    for head in &input.heads {
        reset_one(tx, input, head).await?;
    }
    Ok(())
}

async fn reset_one(tx: &Tx, input: &Reset, head: &LaneHead) -> Result<(), Fault> {
    let Reset { store, key, .. } = input;
    let Some(projection) = store.projection_of(key) else { return Ok(()) };
    let inbox = SqlInbox::new(tx, key, &head.lane, &projection, store.now());
    let before = inbox.cursor().await.map_err(super::StoreError::into_fault)?;
    // What was given up stays given up, if the same event comes again. The rest is tried again.
    use parked_event::Column;
    parked_event::Entity::delete_many()
        .filter(Column::Projection.eq(&key.projection))
        .filter(Column::Source.eq(&key.source))
        .filter(Column::Lane.eq(&head.lane))
        .filter(Column::State.ne(DISMISSED))
        .exec(tx.conn())
        .await
        .map_err(database_fault)?;
    let row = projection_cursor::Model {
        projection: key.projection.clone(),
        source: key.source.clone(),
        lane: head.lane.clone(),
        epoch: 0,
        last_seq: 0,
        last_hash: crate::envelope::NO_HASH.to_vec(),
        stopped: None,
        updated_at: store.now(),
        generation: (before.generation + 1).cast_signed(),
        rebuild_to: (head.seq > 0).then_some(head.seq.cast_signed()),
    };
    let id = (key.projection.clone(), key.source.clone(), head.lane.clone());
    let found = projection_cursor::Entity::find_by_id(id).one(tx.conn()).await.map_err(database_fault)?;
    let row = row.into_active_model().reset_all();
    match found {
        Some(_) => row.update(tx.conn()).await.map(drop),
        None => projection_cursor::Entity::insert(row).exec_without_returning(tx.conn()).await.map(drop),
    }
    .map_err(database_fault)?;
    if head.seq == 0 {
        // There is nothing to read again: what there was is not there any more.
        inbox.cursor().await.map_err(super::StoreError::into_fault)?;
        inbox.sweep().await.map_err(super::StoreError::into_fault)?;
    }
    Ok(())
}
