//! What an operator does, and what nobody should: poison.

use std::sync::Arc;

use anyhow::Context;
use futures::FutureExt as _;
use kernel::{Ids, SystemClock, TenantId, Timestamp};
use messaging::{Clocks, Database, NewEvent, Writer, WriterSettings};
use prost::Name as _;
use proto::forums::{ElectionAnnounced, ForumFounded};
use proto::messaging::{DismissParkedEventRequest, ListParkedEventsRequest, ParkedEvent, SetClockRequest};
use sea_orm::ConnectionTrait as _;
use standalone::client::Server;
use standalone::services::SERVICES;
use testkit::system::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::place::Place;
use crate::scene::Scene;
use crate::verdict::connect;

/// Sets the business clock of all services.
///
/// # Errors
/// What a service answers.
pub async fn set_clock(server: &Server, scene: &Scene, to: &str) -> anyhow::Result<()> {
    let now: Timestamp = to.parse().map_err(|error| anyhow::anyhow!("{error}"))?;
    let now = prost_types::Timestamp { seconds: now.as_seconds(), nanos: 0 };
    let operator = server.resume(scene.administrator.clone());
    for service in SERVICES {
        let request = SetClockRequest { service: service.name.to_owned(), now: Some(now) };
        operator.operator(service.name).set_clock(request).await?;
    }
    Ok(())
}

/// Publishes events of forums that membership cannot take, each about a thing of its own, up to three: bytes that are no
/// message, a version of which nobody knows the meaning, and a message that names no election. No process may run
/// there.
///
/// # Errors
/// If the log cannot be written.
pub async fn poison(place: &Place, events: usize) -> anyhow::Result<()> {
    let tenant = TenantId::new("19").map_err(|error| anyhow::anyhow!("{error}"))?;
    let event = |thing: &str, event_type: String, payload: Vec<u8>, schema_version: u32| NewEvent {
        tenant,
        co_tenants: Vec::new(),
        aggregate_type: "forum",
        aggregate_id: thing.to_owned(),
        event_type,
        payload,
        schema_version,
    };
    let nothing = NewEvent::of(tenant, "election", "poison-3", &ElectionAnnounced::default());
    let all = vec![
        event("poison-1", ForumFounded::full_name(), vec![0xff; 16], 1),
        event("poison-2", ForumFounded::full_name(), Vec::new(), 9),
        nothing,
    ];
    publish(place, "forums", all.into_iter().take(events).collect()).await
}

/// Ends the leases of processes that are dead. They would run out after ten seconds, which another test waits for
/// (TST-09); on SQLite there are none.
///
/// # Errors
/// If a database refuses.
pub async fn end_leases(place: &Place) -> anyhow::Result<()> {
    for service in SERVICES.iter().filter(|_| place.store() == Store::Postgres) {
        let connection = connect(place, service.name).await?;
        connection.execute_unprepared("UPDATE lease SET expires_at = 0").await?;
        connection.close().await?;
    }
    Ok(())
}

/// Puts events into a service's log, as the service itself would. No process may run there.
///
/// # Errors
/// If the log cannot be written.
pub async fn publish(place: &Place, service: &str, events: Vec<NewEvent>) -> anyhow::Result<()> {
    let service = SERVICES.iter().find(|one| one.name == service).context("a service")?;
    let database = Database::open(place.database(service.name)?, service.name, service.migrations).await?;
    let clocks = Clocks { business: Arc::new(SystemClock), real: Arc::new(SystemClock) };
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let settings = WriterSettings::for_kind(database.kind());
    let writer = Writer::start(&database, clocks, Ids::system(), settings, &tracker, stop.clone());
    let published = writer.internal("test", events, |tx, events| {
        events.iter().cloned().for_each(|event| tx.publish(event));
        async { Ok(()) }.boxed()
    });
    published.await.map_err(|fault| anyhow::anyhow!("{fault}"))?;
    stop.cancel();
    tracker.close();
    tracker.wait().await;
    Ok(database.close().await?)
}

/// The parked events of all services.
///
/// # Errors
/// What a service answers.
pub async fn parked(server: &Server, scene: &Scene) -> anyhow::Result<Vec<(&'static str, ParkedEvent)>> {
    let operator = server.resume(scene.administrator.clone());
    let mut all = Vec::new();
    for service in SERVICES {
        let request = ListParkedEventsRequest {
            service: service.name.to_owned(),
            page_size: 200,
            page_token: String::new(),
        };
        let page = operator.operator(service.name).list_parked_events(request).await?.into_inner();
        all.extend(page.events.into_iter().map(|event| (service.name, event)));
    }
    Ok(all)
}

/// Gives up every parked event; says how many there were.
///
/// # Errors
/// What a service answers.
pub async fn dismiss_all(server: &Server, scene: &Scene) -> anyhow::Result<usize> {
    let operator = server.resume(scene.administrator.clone());
    let parked = parked(server, scene).await?;
    for (service, event) in &parked {
        let request = DismissParkedEventRequest {
            service: (*service).to_owned(),
            projection: event.projection.clone(),
            lane: event.lane.clone(),
            seq: event.seq,
            reason: "It was published by a test.".to_owned(),
        };
        operator.operator(service).dismiss_parked_event(request).await?;
    }
    Ok(parked.len())
}
