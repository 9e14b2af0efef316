//! What an operator does to a running service: look, take parked events again or give them up, and in a demonstration
//! set the business clock. Technical data only.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock as _, Fault, PageSize, PageToken, SettableClock, Timestamp};
use messaging::store::{Lanes, ProjectionKey, Store as _};
use proto::messaging::operator_service_server::OperatorService;
use proto::messaging::{
    DependencyStatus, DismissParkedEventRequest, DismissParkedEventResponse, GetClockRequest,
    GetClockResponse, GetProjectionProgressRequest, GetProjectionProgressResponse, GetStatusRequest,
    GetStatusResponse, LaneHead, LaneProgress, ListParkedEventsRequest, ListParkedEventsResponse,
    ParkedEvent, ParkedKind, ProjectionStatus, RebuildProjectionRequest, RebuildProjectionResponse,
    RebuildingLane, RedriveParkedEventsRequest, RedriveParkedEventsResponse, SetClockRequest,
    SetClockResponse,
};
use tonic::{Request, Response, Status};

use super::{Units, unit};
use crate::access::{Call, note};
use crate::running::Unit;
use crate::status::status;
use crate::tls::Keeper;

/// What an operator is told when cursors cannot be read.
const UNREADABLE: &str = "The places of the projections cannot be read now. Try again.";
/// How long a check of what a service needs may take.
const CHECK: Duration = Duration::from_secs(2);

/// Operation of all services of the process.
pub(super) struct Operator {
    units: Units,
    clock: Arc<SettableClock>,
    keeper: Option<Arc<Keeper>>,
}

impl Operator {
    pub(super) fn new(units: Units, clock: Arc<SettableClock>, keeper: Option<Arc<Keeper>>) -> Self {
        Self { units, clock, keeper }
    }
}

#[tonic::async_trait]
impl OperatorService for Operator {
    async fn get_status(
        &self,
        request: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        let unit = unit(&self.units, &request.into_inner().service).map_err(status)?;
        Ok(Response::new(of(unit, self.keeper.as_deref()).await.map_err(status)?))
    }

    async fn list_parked_events(
        &self,
        request: Request<ListParkedEventsRequest>,
    ) -> Result<Response<ListParkedEventsResponse>, Status> {
        let request = request.into_inner();
        let unit = unit(&self.units, &request.service).map_err(status)?;
        let (events, next_page_token) = parked(unit, &request).await.map_err(status)?;
        Ok(Response::new(ListParkedEventsResponse { events, next_page_token }))
    }

    async fn redrive_parked_events(
        &self,
        request: Request<RedriveParkedEventsRequest>,
    ) -> Result<Response<RedriveParkedEventsResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let unit = unit(&self.units, &request.service).map_err(status)?;
        note(&unit.writer, call.command()).await.map_err(status)?;
        let store = unit.pipeline.store();
        let projected = store.redrive(&request.projection, &request.lane, &request.aggregate_id).await;
        Ok(Response::new(RedriveParkedEventsResponse { projected: projected.map_err(status)? }))
    }

    async fn dismiss_parked_event(
        &self,
        request: Request<DismissParkedEventRequest>,
    ) -> Result<Response<DismissParkedEventResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let unit = unit(&self.units, &request.service).map_err(status)?;
        note(&unit.writer, call.command()).await.map_err(status)?;
        let store = unit.pipeline.store();
        let projected = store.dismiss(&request.projection, &request.lane, request.seq, &request.reason).await;
        Ok(Response::new(DismissParkedEventResponse { projected: projected.map_err(status)? }))
    }

    async fn rebuild_projection(
        &self,
        request: Request<RebuildProjectionRequest>,
    ) -> Result<Response<RebuildProjectionResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let unit = unit(&self.units, &request.service).map_err(status)?;
        note(&unit.writer, call.command()).await.map_err(status)?;
        let lanes = match request.lane.as_str() {
            "" if request.stopped_only => Lanes::Stopped,
            "" => Lanes::All,
            lane => Lanes::One(lane),
        };
        let rebuilding = unit.pipeline.rebuild(&request.projection, lanes).await.map_err(status)?;
        let lanes = rebuilding.into_iter().map(|one| RebuildingLane { lane: one.lane, target: one.target });
        Ok(Response::new(RebuildProjectionResponse { lanes: lanes.collect() }))
    }

    async fn get_projection_progress(
        &self,
        request: Request<GetProjectionProgressRequest>,
    ) -> Result<Response<GetProjectionProgressResponse>, Status> {
        let request = request.into_inner();
        let store = unit(&self.units, &request.service).map_err(status)?.pipeline.store();
        let key = store.projection(&request.projection).map_err(status)?;
        let cursors = store.cursors(&key).await.map_err(|error| status(Fault::internal(error)))?;
        let lanes = cursors.into_iter().map(|(lane, cursor)| LaneProgress {
            lane,
            seq: cursor.seq,
            rebuild_to: cursor.rebuild_to.unwrap_or_default(),
            stopped: cursor.stopped.unwrap_or_default(),
        });
        Ok(Response::new(GetProjectionProgressResponse { lanes: lanes.collect() }))
    }

    async fn get_clock(
        &self,
        request: Request<GetClockRequest>,
    ) -> Result<Response<GetClockResponse>, Status> {
        unit(&self.units, &request.into_inner().service).map_err(status)?;
        let now = Some(to_proto(self.clock.now()));
        Ok(Response::new(GetClockResponse { now, settable: self.clock.is_settable() }))
    }

    async fn set_clock(
        &self,
        request: Request<SetClockRequest>,
    ) -> Result<Response<SetClockResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let unit = unit(&self.units, &request.service).map_err(status)?;
        let now = request.now.ok_or_else(|| status(no_time()))?;
        note(&unit.writer, call.command()).await.map_err(status)?;
        self.clock.set(from_proto(&now)).map_err(status)?;
        // One clock for the process: jobs of every service may have become due.
        self.units.values().for_each(|unit| unit.writer.clock_was_set());
        Ok(Response::new(SetClockResponse { now: Some(to_proto(self.clock.now())) }))
    }
}

async fn of(unit: &Unit, keeper: Option<&Keeper>) -> Result<GetStatusResponse, Fault> {
    let jobs = messaging::job_counts(&unit.database).await.map_err(messaging::database_fault)?;
    Ok(GetStatusResponse {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        lanes: lanes(unit).await?,
        projections: projections(unit).await?,
        dependencies: dependencies(unit, keeper).await,
        jobs_waiting: jobs.waiting + jobs.running,
        jobs_dead: jobs.dead,
        resident_bytes: memory_stats::memory_stats().map_or(0, |memory| memory.physical_mem as u64),
    })
}

/// The own lanes. How far they are published the relay knows better than the database, where it notes it later.
async fn lanes(unit: &Unit) -> Result<Vec<LaneHead>, Fault> {
    let mut heads = messaging::log::heads(&unit.database).await.map_err(messaging::database_fault)?;
    let lanes = unit.pipeline.status().lanes();
    for head in &mut heads {
        let published = lanes.get(&head.lane).map_or(0, |lane| lane.published);
        head.published_seq = head.published_seq.max(published);
    }
    Ok(heads)
}

async fn projections(unit: &Unit) -> Result<Vec<ProjectionStatus>, Fault> {
    let parked = unit.pipeline.store().parked_counts().await?;
    let parked: BTreeMap<(ProjectionKey, String), u64> =
        parked.into_iter().map(|(key, lane, count)| ((key, lane), count)).collect();
    let heard = unit.pipeline.status().projections();
    let mut places: BTreeMap<_, (u64, Option<String>)> =
        heard.into_iter().map(|(place, lane)| (place, (lane.seq, lane.stopped))).collect();
    // Of several copies of a service one leads a projection; how far it is, the others know from the database alone.
    for key in &unit.projections {
        let cursors = unit.pipeline.store().cursors(key).await;
        let cursors =
            cursors.map_err(|error| Fault::unavailable("operator.cursors", UNREADABLE).because(error))?;
        for (lane, cursor) in cursors {
            places.insert((key.clone(), lane), (cursor.seq, cursor.stopped));
        }
    }
    let status = |(place, (seq, stopped)): ((ProjectionKey, String), _)| ProjectionStatus {
        parked: parked.get(&place).copied().unwrap_or_default(),
        projection: place.0.projection,
        source: place.0.source,
        lane: place.1,
        seq,
        stopped: Option::unwrap_or_default(stopped),
    };
    Ok(places.into_iter().map(status).collect())
}

/// What the service needs, and what does not work right now.
async fn dependencies(unit: &Unit, keeper: Option<&Keeper>) -> Vec<DependencyStatus> {
    let mut found = unit.check(CHECK).await;
    found.push(("nats", unit.broker.ready().map_err(|error| error.to_string())));
    found.extend(keeper.map(|keeper| ("certificate", keeper.state())));
    let checks = found.into_iter().map(|(name, outcome)| DependencyStatus {
        name: name.to_owned(),
        ok: outcome.is_ok(),
        detail: outcome.err().unwrap_or_default(),
    });
    let troubles = unit.pipeline.status().troubles();
    checks
        .chain(troubles.into_iter().map(|(name, detail)| DependencyStatus { name, ok: false, detail }))
        .collect()
}

/// A page of parked events, and the token of the next.
async fn parked(unit: &Unit, request: &ListParkedEventsRequest) -> Result<(Vec<ParkedEvent>, String), Fault> {
    const LIST: &str = "operator.parked";
    let size = PageSize::new(request.page_size).map_err(|invalid| invalid.in_field("page_size"))?;
    let refused = |invalid: kernel::Invalid| invalid.in_field("page_token");
    let after = PageToken::read(&request.page_token, LIST).map_err(refused)?;
    let after = after.as_deref().map(place).transpose().map_err(refused)?;
    // One more than a page shows whether there is another; the store gives at most 200.
    let size = PageSize::new(size.get().min(PageSize::MAX - 1)).map_err(refused)?;
    let events = unit.pipeline.store().parked_events(after.as_ref(), size.limit()).await?;
    let (events, next) = size.cut(events, LIST, |event| {
        format!("{}\n{}\n{}\n{}", event.projection, event.source, event.lane, event.seq)
    });
    Ok((
        events.into_iter().map(parked_to_proto).collect(),
        next.map(PageToken::into_string).unwrap_or_default(),
    ))
}

/// The place in the list that a page token holds.
fn place(key: &str) -> Result<messaging::ParkedPlace, kernel::Invalid> {
    let mut parts = key.split('\n').map(str::to_owned);
    let place = || {
        let (projection, source, lane) = (parts.next()?, parts.next()?, parts.next()?);
        Some((projection, source, lane, parts.next()?.parse().ok()?))
    };
    let mut place = place;
    place().ok_or_else(|| {
        kernel::Invalid::new("a page token comes from an answer", "leave it empty to begin again")
    })
}

fn parked_to_proto(event: messaging::ParkedEvent) -> ParkedEvent {
    ParkedEvent {
        projection: event.projection,
        source: event.source,
        lane: event.lane,
        seq: event.seq,
        event_type: event.event_type,
        aggregate_type: event.aggregate_type,
        aggregate_id: event.aggregate_id,
        kind: match event.kind {
            messaging::ParkedKind::Poison => ParkedKind::Poison.into(),
            messaging::ParkedKind::Blocked => ParkedKind::Blocked.into(),
        },
        error: event.error,
        attempts: event.attempts,
        parked_at: Some(to_proto(Timestamp::from_micros(event.parked_at_us))),
    }
}

fn no_time() -> Fault {
    Fault::invalid("operator.no_time", "Say which time to set.").field("now", "is needed", "send a time")
}

pub(super) fn to_proto(at: Timestamp) -> prost_types::Timestamp {
    let micros = at.as_micros();
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default();
    prost_types::Timestamp { seconds: micros.div_euclid(1_000_000), nanos }
}

fn from_proto(at: &prost_types::Timestamp) -> Timestamp {
    Timestamp::from_micros(at.seconds.saturating_mul(1_000_000).saturating_add(i64::from(at.nanos) / 1_000))
}
