//! The end of a batch: events get their place in the log, and what the acts left behind is stored in few statements.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use kernel::Timestamp;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, DatabaseTransaction, DbErr, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};

use super::task::Context;
use super::watermark;
use crate::audit::{self, Entry, Outcome, Row};
use crate::crash;
use crate::database::DatabaseKind;
use crate::entity::{audit_log, command_log, event_head, event_log, job};
use crate::envelope::{Envelope, NO_HASH, hash};
use crate::event::Origin;
use crate::log;
use crate::tx::{Published, Scheduled};

/// Rows per statement: engines limit the parameters of a statement.
const ROWS: usize = 500;

/// A lane while events are being added to it.
pub(super) struct Lane {
    pub(super) head: event_head::Model,
    /// Where it stood when the batch began.
    pub(super) stored_seq: i64,
    /// How many events of each type this batch has added since the last watermark.
    pub(super) added: HashMap<String, u64>,
    /// How many events of each type the lane held at the last watermark of this batch, that one included.
    pub(super) at_watermark: Option<HashMap<String, u64>>,
}

/// Gives events their sequence numbers and hashes and stores them. The heads stay locked until the commit, so nobody
/// can take the same number or commit a later one first. Gives back the lanes that have grown.
pub(super) async fn events(
    context: &Context,
    transaction: &DatabaseTransaction,
    events: Vec<Published>,
    quiet: &[String],
) -> Result<Vec<String>, DbErr> {
    let mut names: BTreeSet<String> =
        events.iter().map(|published| published.event.tenant.to_string()).collect();
    names.extend(quiet.iter().cloned());
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut lanes = lock(context, transaction, names).await?;
    crash::point("writer.head_locked");
    let mut rows = Vec::with_capacity(events.len());
    for published in events {
        let name = published.event.tenant.to_string();
        let Some(lane) = lanes.get_mut(&name) else {
            return Err(DbErr::Custom(format!("lane {name} was not locked")));
        };
        rows.push(lane.add(context, published));
        if watermark::is_due(lane, context.settings.watermark_events) {
            rows.push(watermark::add(context, transaction, lane).await?);
        }
    }
    for name in quiet {
        if let Some(lane) = lanes.get_mut(name)
            && lane.head.watermark_seq != lane.last_seq()
        {
            rows.push(watermark::add(context, transaction, lane).await?);
        }
    }
    let rows: Vec<event_log::ActiveModel> = rows.into_iter().map(|row| row.into_active_model()).collect();
    crash::point("writer.before_log_insert");
    for chunk in rows.chunks(ROWS) {
        event_log::Entity::insert_many(chunk.to_vec()).exec_without_returning(transaction).await?;
    }
    store_heads(transaction, lanes).await
}

/// Locks the heads, ascending, and makes those that are missing.
async fn lock(
    context: &Context,
    transaction: &DatabaseTransaction,
    names: BTreeSet<String>,
) -> Result<BTreeMap<String, Lane>, DbErr> {
    let mut query = event_head::Entity::find()
        .filter(event_head::Column::Lane.is_in(names.iter().map(String::as_str)))
        .order_by_asc(event_head::Column::Lane);
    if context.database.kind() == DatabaseKind::Postgres {
        query = query.lock_exclusive();
    }
    let found = query.all(transaction).await?;
    let mut lanes: BTreeMap<String, Lane> =
        found.into_iter().map(|head| (head.lane.clone(), Lane::new(head))).collect();
    for name in names {
        if lanes.contains_key(&name) {
            continue;
        }
        let head = event_head::Model {
            lane: name.clone(),
            epoch: log::epoch(transaction).await?,
            next_seq: 1,
            head_hash: NO_HASH.to_vec(),
            watermark_seq: 0,
            published_seq: 0,
        };
        event_head::Entity::insert(head.clone().into_active_model())
            .exec_without_returning(transaction)
            .await?;
        lanes.insert(name, Lane::new(head));
    }
    Ok(lanes)
}

async fn store_heads(
    transaction: &DatabaseTransaction,
    lanes: BTreeMap<String, Lane>,
) -> Result<Vec<String>, DbErr> {
    let mut grown = Vec::new();
    for (name, lane) in lanes {
        if lane.last_seq() == lane.stored_seq {
            continue;
        }
        // published_seq is the relay's; it is left alone here.
        let head = event_head::ActiveModel {
            lane: Set(lane.head.lane),
            next_seq: Set(lane.head.next_seq),
            head_hash: Set(lane.head.head_hash),
            watermark_seq: Set(lane.head.watermark_seq),
            ..Default::default()
        };
        head.update(transaction).await?;
        grown.push(name);
    }
    Ok(grown)
}

impl Lane {
    fn new(head: event_head::Model) -> Self {
        let stored_seq = head.next_seq - 1;
        Self { head, stored_seq, added: HashMap::new(), at_watermark: None }
    }

    /// Sequence number of the last event.
    pub(super) fn last_seq(&self) -> i64 {
        self.head.next_seq - 1
    }

    /// Puts an event at the end of the lane.
    pub(super) fn add(&mut self, context: &Context, published: Published) -> event_log::Model {
        let Published { event, origin, occurred_at } = published;
        let event_id = context.ids.uuid();
        let mut envelope = Envelope {
            service: context.database.service().to_owned(),
            lane: self.head.lane.clone(),
            epoch: self.head.epoch.cast_unsigned(),
            seq: self.head.next_seq.cast_unsigned(),
            event_id: event_id.to_string(),
            event_type: event.event_type,
            schema_version: event.schema_version,
            aggregate_type: event.aggregate_type.to_owned(),
            aggregate_id: event.aggregate_id,
            occurred_at_us: occurred_at.as_micros(),
            causation_id: origin.causation_id.clone(),
            correlation_id: origin.correlation_id.clone(),
            traceparent: origin.traceparent.clone().unwrap_or_default(),
            co_tenants: event.co_tenants.iter().map(ToString::to_string).collect(),
            payload: event.payload,
            prev_hash: self.head.head_hash.clone(),
            hash: Vec::new(),
        };
        envelope.hash = hash(&envelope).to_vec();
        self.head.next_seq += 1;
        self.head.head_hash.clone_from(&envelope.hash);
        *self.added.entry(envelope.event_type.clone()).or_default() += 1;
        log::row(envelope, event_id)
    }
}

/// Stores jobs; one whose kind and dedupe key are there already is left as it is.
pub(super) async fn jobs(transaction: &DatabaseTransaction, jobs: Vec<Scheduled>) -> Result<(), DbErr> {
    let mut known = HashSet::new();
    let rows: Vec<job::ActiveModel> = jobs
        .into_iter()
        .filter(|Scheduled { job, .. }| known.insert((job.kind, job.dedupe_key.clone())))
        .map(|Scheduled { job, origin }| {
            job::Model {
                kind: job.kind.to_owned(),
                dedupe_key: job.dedupe_key,
                payload: job.payload,
                run_at: job.run_at.as_micros(),
                state: job::WAITING.to_owned(),
                attempts: 0,
                not_before: 0,
                last_error: String::new(),
                correlation_id: origin.correlation_id.clone(),
                traceparent: origin.traceparent.clone().unwrap_or_default(),
            }
            .into_active_model()
        })
        .collect();
    for chunk in rows.chunks(ROWS) {
        let ignore = OnConflict::columns([job::Column::Kind, job::Column::DedupeKey]).do_nothing().to_owned();
        job::Entity::insert_many(chunk.to_vec())
            .on_conflict(ignore)
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(())
}

/// Stores the answers of the batch's commands.
pub(super) async fn answers(
    transaction: &DatabaseTransaction,
    answers: Vec<command_log::Model>,
    now: Timestamp,
) -> Result<(), DbErr> {
    let rows: Vec<command_log::ActiveModel> = answers
        .into_iter()
        .map(|answer| command_log::Model { created_at: now.as_micros(), ..answer }.into_active_model())
        .collect();
    for chunk in rows.chunks(ROWS) {
        command_log::Entity::insert_many(chunk.to_vec()).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Adds a row to the audit log for every decision of the batch, in its order. The transaction's lock is the log's: no
/// one else can take the same number.
pub(super) async fn audit(
    context: &Context,
    transaction: &DatabaseTransaction,
    decisions: Vec<(&Entry, Outcome, &Origin)>,
) -> Result<(), DbErr> {
    if decisions.is_empty() {
        return Ok(());
    }
    let service = context.database.service();
    let at = context.clocks.real.now().as_micros();
    let mut head = audit::head(transaction, service).await?;
    let rows = decisions.into_iter().map(|decision| {
        let row = Row::after(&head, service, at, decision);
        head = row.head();
        row.into_model().into_active_model()
    });
    let rows: Vec<audit_log::ActiveModel> = rows.collect();
    for chunk in rows.chunks(ROWS) {
        audit_log::Entity::insert_many(chunk.to_vec()).exec_without_returning(transaction).await?;
    }
    Ok(())
}
