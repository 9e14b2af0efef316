//! What the events of forums do here: whose a forum is and which municipalities have seats in it (roles and rolls need
//! to know), and when an election is announced, its roll is frozen; when it is over, the roll's claims end.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::deadline::parse_date;
use kernel::{ElectionId, Fault, FaultKind, ForumId, MunicipalityCode, TenantId, Timestamp};
use messaging::{HandlerError, Received, Swept, Tx};
use proto::forums::{ElectionAnnounced, ElectionAnnulled, ElectionConfirmed, ForumFounded, SeatPlanApproved};

use crate::app::{Announced, App};
use crate::store;

/// The handler of forums' events.
pub fn forums(
    app: App,
) -> impl for<'a> Fn(&'a Tx, &'a Received) -> BoxFuture<'a, Result<(), HandlerError>> + Send + Sync + 'static
{
    move |tx, received| {
        let app = app.clone();
        async move { handle(&app, tx, received).await }.boxed()
    }
}

async fn handle(app: &App, tx: &Tx, received: &Received) -> Result<(), HandlerError> {
    if received.is::<ForumFounded>() {
        let event: ForumFounded = received.decode()?;
        let term_ends_on = match event.term_ends_on.as_str() {
            "" => None,
            day => Some(read(parse_date(day))?),
        };
        let forum: ForumId = read(event.forum_id.parse())?;
        store::forums::founded(tx.conn(), forum, &tenants(received)?, term_ends_on, received.generation)
            .await
            .map_err(failed)
    } else if received.is::<SeatPlanApproved>() {
        let event: SeatPlanApproved = received.decode()?;
        let forum: ForumId = read(event.forum_id.parse())?;
        let places = municipalities(event.seats.iter().map(|seats| seats.municipality.as_str()))?;
        store::forums::planned(tx.conn(), forum, &tenants(received)?, &places, received.generation)
            .await
            .map_err(failed)
    } else if received.is::<ElectionAnnounced>() {
        let event: ElectionAnnounced = received.decode()?;
        let announced = Announced {
            election: read(event.election_id.parse())?,
            forum: read(event.forum_id.parse())?,
            tenants: tenants(received)?,
            group: event.service_group.clone(),
            municipalities: municipalities(event.seats.iter().map(|seats| seats.municipality.as_str()))?,
            on: Timestamp::from_micros(received.envelope.occurred_at_us).helsinki_date(),
        };
        app.freeze_roll(tx, &announced).await.map_err(failed)
    } else if received.is::<ElectionConfirmed>() {
        let event: ElectionConfirmed = received.decode()?;
        end(app, tx, &event.election_id).await
    } else if received.is::<ElectionAnnulled>() {
        let event: ElectionAnnulled = received.decode()?;
        end(app, tx, &event.election_id).await
    } else {
        // Seats, votes and lots are nothing to membership.
        Ok(())
    }
}

/// At the end of a rebuild, forums go that no event founds or plans any more: nothing else writes them. Rolls stay: a
/// frozen roll is kept as it was published, and freezing or ending it again does nothing.
pub fn sweep<'a>(tx: &'a Tx, swept: Swept<'a>) -> BoxFuture<'a, Result<(), HandlerError>> {
    async move { store::forums::sweep(tx.conn(), swept.lane, swept.generation).await.map_err(failed) }.boxed()
}

async fn end(app: &App, tx: &Tx, election: &str) -> Result<(), HandlerError> {
    let election: ElectionId = read(election.parse())?;
    app.end_roll(tx, election).await.map_err(failed)
}

/// Counties of a forum: the lane's first, then the others of the header.
fn tenants(received: &Received) -> Result<Vec<TenantId>, HandlerError> {
    let envelope = &received.envelope;
    let codes = [&envelope.lane].into_iter().chain(&envelope.co_tenants);
    codes.map(|code| read(TenantId::new(code))).collect()
}

fn municipalities<'a>(codes: impl Iterator<Item = &'a str>) -> Result<Vec<MunicipalityCode>, HandlerError> {
    codes.map(|code| read(MunicipalityCode::new(code))).collect()
}

/// What cannot be read now never will be.
fn read<T>(value: Result<T, kernel::Invalid>) -> Result<T, HandlerError> {
    value.map_err(|invalid| HandlerError::Permanent(invalid.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn failed(fault: Fault) -> HandlerError {
    let text = fault.internal_text().unwrap_or(fault.message()).to_owned();
    match fault.kind() {
        FaultKind::Unavailable | FaultKind::ResourceExhausted => HandlerError::Transient(text),
        _ => HandlerError::Permanent(text),
    }
}
