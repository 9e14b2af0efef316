//! What job workers do: the only place of this service that calls another one (membership's directory).
//!
//! A job may run twice; each step bears it, and notices carry the job's key.

use chassis::{DirectoryClient, Parts};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::{CandidateId, ElectionId, Fault, MeetingId, Role, ScopeRef, Uuid};
use messaging::{JobContext, JobError};

use crate::app::{self, App};

/// References asked for at a time.
const CHUNK: u32 = 200;

/// Adds the jobs to what the service is made of.
pub(crate) fn register(parts: Parts, app: &App, directory: &DirectoryClient) -> Parts {
    let with = |run: Run| {
        let (app, directory) = (app.clone(), directory.clone());
        move |context: JobContext, payload: Vec<u8>| run(app.clone(), directory.clone(), context, payload)
    };
    parts
        .job(app::CLOSE_VOTING, with(close_voting))
        .job(app::ERASE_ELECTION, with(erase_election))
        .job(app::CANDIDACY_OFFERED, with(candidacy_offered))
        .job(app::SEAT_FILLED, with(seat_filled))
        .job(app::MEETING_NOTICE, with(meeting_notice))
        .job(app::ERASE_MEETING, with(erase_meeting))
        .job(app::MEETING_UNCLOSED, with(meeting_unclosed))
        .job(app::DISSENT_WITHHELD, with(dissent_withheld))
        .job(app::RETIRED_REFERENCES, with(retired_references))
}

type Run = fn(App, DirectoryClient, JobContext, Vec<u8>) -> BoxFuture<'static, Result<(), JobError>>;

fn close_voting(
    app: App,
    _: DirectoryClient,
    _: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move { Ok(app.close_voting_when_due(id::<ElectionId>(&payload)?).await?) }.boxed()
}

fn erase_election(
    app: App,
    _: DirectoryClient,
    _: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move { Ok(app.erase_election(id::<ElectionId>(&payload)?).await?) }.boxed()
}

fn candidacy_offered(
    app: App,
    directory: DirectoryClient,
    context: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move {
        let Some(person) = app.nominated_person(id::<CandidateId>(&payload)?).await? else { return Ok(()) };
        directory.notify(&[person], app::TEMPLATE_CANDIDACY_OFFERED, &context.dedupe_key).await?;
        Ok(())
    }
    .boxed()
}

fn seat_filled(
    app: App,
    directory: DirectoryClient,
    context: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move {
        let persons = app.seated_persons(text(&payload)?).await?;
        if !persons.is_empty() {
            directory.notify(&persons, app::TEMPLATE_SEAT_FILLED, &context.dedupe_key).await?;
        }
        Ok(())
    }
    .boxed()
}

/// What is said of a meeting cannot wait for another day's notice: it is moved or cancelled, or members have as many days
/// to prepare as they are promised (F11).
fn meeting_notice(
    app: App,
    directory: DirectoryClient,
    context: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move {
        let Some((notice, persons)) = app.meeting_notice(text(&payload)?).await? else { return Ok(()) };
        if persons.is_empty() {
            return Ok(());
        }
        directory.notify_urgent(&persons, notice.template(), &context.dedupe_key).await?;
        Ok(())
    }
    .boxed()
}

fn erase_meeting(
    app: App,
    _: DirectoryClient,
    _: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move { Ok(app.erase_meeting(id::<MeetingId>(&payload)?).await?) }.boxed()
}

fn meeting_unclosed(
    app: App,
    directory: DirectoryClient,
    context: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move {
        let Some(forum) = app.unclosed_meeting(id::<MeetingId>(&payload)?).await? else { return Ok(()) };
        let (role, scope) = (Role::ForumSecretary, ScopeRef::Forum(forum));
        directory.notify_role(role, scope, app::TEMPLATE_MEETING_UNCLOSED, &context.dedupe_key).await?;
        Ok(())
    }
    .boxed()
}

fn dissent_withheld(
    app: App,
    directory: DirectoryClient,
    context: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move {
        let Some(author) = app.withheld_author(id::<Uuid>(&payload)?).await? else { return Ok(()) };
        // At once: the minutes may be public soon, and they do not wait for the author to object.
        directory.notify_urgent(&[author], app::TEMPLATE_DISSENT_WITHHELD, &context.dedupe_key).await?;
        Ok(())
    }
    .boxed()
}

/// Membership being away must not end the chain of readings: the next one is scheduled in any case and starts where
/// this one got to.
fn retired_references(
    app: App,
    directory: DirectoryClient,
    _: JobContext,
    _: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move {
        if let Err(fault) = forget_retired(&app, &directory).await {
            tracing::warn!(
                fault.code = fault.code(),
                "who has left could not be read; it is tried again later"
            );
        }
        Ok(app.schedule_next_reading().await?)
    }
    .boxed()
}

async fn forget_retired(app: &App, directory: &DirectoryClient) -> Result<(), Fault> {
    loop {
        let cursor = app.retirement_cursor().await?;
        let retired = directory.retired(cursor, CHUNK).await?;
        if retired.references.is_empty() || retired.cursor == cursor {
            return Ok(());
        }
        app.forget(retired.references, retired.cursor).await?;
    }
}

fn text(payload: &[u8]) -> Result<&str, JobError> {
    std::str::from_utf8(payload).map_err(|_| JobError::Permanent("the payload is not text".to_owned()))
}

fn id<I: std::str::FromStr>(payload: &[u8]) -> Result<I, JobError> {
    text(payload)?.parse().map_err(|_| JobError::Permanent("the payload is not an id".to_owned()))
}
