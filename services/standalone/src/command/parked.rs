//! `parked`: events that could not be projected.

use proto::messaging::{
    DismissParkedEventRequest, ListParkedEventsRequest, ParkedEvent, ParkedKind, RedriveParkedEventsRequest,
};
use serde::Serialize;

use crate::cli::ParkedCommand;
use crate::client::Account;
use crate::exit::{Exit, Failure};
use crate::screen::{Screen, table};
use crate::services;

#[derive(Serialize)]
struct Parked {
    service: String,
    projection: String,
    source: String,
    lane: String,
    seq: u64,
    event_type: String,
    aggregate_type: String,
    aggregate_id: String,
    kind: &'static str,
    error: String,
    attempts: u32,
}

pub(super) async fn run(command: ParkedCommand, screen: Screen) -> Result<Exit, Failure> {
    match command {
        ParkedCommand::List { service, remote } => list(service, &remote.account()?, screen).await,
        ParkedCommand::Redrive { parked, aggregate, remote } => {
            let request = RedriveParkedEventsRequest {
                service: parked.service.clone(),
                projection: parked.projection,
                lane: parked.lane,
                aggregate_id: aggregate,
            };
            let account = remote.account()?;
            let answer = account.operator(&parked.service).redrive_parked_events(request).await?;
            done(answer.into_inner().projected, screen)
        }
        ParkedCommand::Dismiss { parked, seq, reason, remote } => {
            let request = DismissParkedEventRequest {
                service: parked.service.clone(),
                projection: parked.projection,
                lane: parked.lane,
                seq,
                reason,
            };
            let account = remote.account()?;
            let answer = account.operator(&parked.service).dismiss_parked_event(request).await?;
            done(answer.into_inner().projected, screen)
        }
    }
}

fn done(projected: u32, screen: Screen) -> Result<Exit, Failure> {
    let value = serde_json::json!({ "projected": projected });
    screen.result(&value, || format!("{projected} events projected now"))?;
    Ok(Exit::Done)
}

async fn list(service: Option<String>, account: &Account, screen: Screen) -> Result<Exit, Failure> {
    let all = || services::names().map(str::to_owned).collect();
    let mut parked = Vec::new();
    for service in service.map_or_else(all, |one| vec![one]) {
        let mut page_token = String::new();
        loop {
            let request = ListParkedEventsRequest { service: service.clone(), page_size: 200, page_token };
            let page = account.operator(&service).list_parked_events(request).await?.into_inner();
            parked.extend(page.events.into_iter().map(|event| Parked::new(&service, event)));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
    }
    screen.result(&parked, || {
        if parked.is_empty() { "no parked events".to_owned() } else { listed(&parked) }
    })?;
    Ok(Exit::Done)
}

fn listed(parked: &[Parked]) -> String {
    let head = ["Service", "Projection", "Lane", "Seq", "Event", "Thing", "Why", "Tries", "Error"];
    let rows = parked.iter().map(|event| {
        [
            event.service.clone(),
            event.projection.clone(),
            event.lane.clone(),
            event.seq.to_string(),
            event.event_type.clone(),
            event.aggregate_id.clone(),
            event.kind.to_owned(),
            event.attempts.to_string(),
            event.error.clone(),
        ]
    });
    table(head, rows, &[3, 7])
}

impl Parked {
    fn new(service: &str, event: ParkedEvent) -> Self {
        let kind = match event.kind() {
            ParkedKind::Poison => "poison",
            ParkedKind::Blocked => "blocked",
            ParkedKind::Unspecified => "unknown",
        };
        Self {
            service: service.to_owned(),
            kind,
            projection: event.projection,
            source: event.source,
            lane: event.lane,
            seq: event.seq,
            event_type: event.event_type,
            aggregate_type: event.aggregate_type,
            aggregate_id: event.aggregate_id,
            error: event.error,
            attempts: event.attempts,
        }
    }
}
