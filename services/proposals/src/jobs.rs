//! What job workers do: the only place of this service that calls another one (membership's directory).
//!
//! A job may run twice; each step bears it, and notices carry the job's key.

use chassis::{DirectoryClient, Parts};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::{Fault, Uuid};
use messaging::{JobContext, JobError};
use serde::de::DeserializeOwned;

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
        .job(app::RETIRED_REFERENCES, with(retired_references))
        .job(app::DRAFT_EXPIRES, with(draft_expires))
        .job(app::UNPUBLISHED_TEXTS, with(unpublished_texts))
        .job(app::CONFIRM_WORDS, with(confirm_words))
        .job(app::UNFINISHED_ATTACHMENT, with(unfinished_attachment))
        .job(app::RESPONSE_STEP, with(response_step))
        .job(app::IMPACT_DUE, with(impact_due))
        .job(app::TELL_PEOPLE, with(tell_people))
        .job(app::TELL_ROLE, with(tell_role))
        .job(app::comparison::CLOSE_ROUND, with(close_round))
        .job(app::comparison::TIDY_ROUND, with(tidy_round))
        .job(app::comparison::OWN_IDEA_UNREAD, with(own_idea_unread))
}

type Run = fn(App, DirectoryClient, JobContext, Vec<u8>) -> BoxFuture<'static, Result<(), JobError>>;

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

fn draft_expires(
    app: App,
    _: DirectoryClient,
    _: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move { Ok(app.end_draft(id(&payload)?).await?) }.boxed()
}

fn unpublished_texts(
    app: App,
    _: DirectoryClient,
    _: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move { Ok(app.end_unpublished(id(&payload)?).await?) }.boxed()
}

fn confirm_words(
    app: App,
    directory: DirectoryClient,
    context: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move {
        let people = app.authors_to_ask(id(&payload)?).await?;
        if !people.is_empty() {
            directory.notify(&people, app::TEMPLATE_CONFIRM_WORDS, &context.dedupe_key).await?;
        }
        Ok(())
    }
    .boxed()
}

fn unfinished_attachment(
    app: App,
    _: DirectoryClient,
    _: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move { Ok(app.delete_unfinished(id(&payload)?).await?) }.boxed()
}

/// A round that was closed by hand in the meantime is left as it is.
fn close_round(
    app: App,
    _: DirectoryClient,
    _: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move { Ok(app.close_round_when_due(id(&payload)?).await?) }.boxed()
}

fn tidy_round(
    app: App,
    _: DirectoryClient,
    _: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move { Ok(app.tidy_round(id(&payload)?).await?) }.boxed()
}

fn own_idea_unread(
    app: App,
    _: DirectoryClient,
    _: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move { Ok(app.own_idea_unread(id(&payload)?).await?) }.boxed()
}

/// The id in a payload.
fn id<I: From<Uuid>>(payload: &[u8]) -> Result<I, JobError> {
    let uuid = Uuid::from_slice(payload).map_err(|error| JobError::Permanent(error.to_string()))?;
    Ok(I::from(uuid))
}

fn response_step(
    app: App,
    _: DirectoryClient,
    _: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move { Ok(app.response_step(read(&payload)?).await?) }.boxed()
}

fn impact_due(
    app: App,
    _: DirectoryClient,
    _: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move { Ok(app.impact_due(read(&payload)?).await?) }.boxed()
}

/// One page of a round: membership tells nobody twice by the round's key, and the next page is a job of its own.
fn tell_people(
    app: App,
    directory: DirectoryClient,
    context: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move {
        let telling: app::Telling = read(&payload)?;
        let page = app.audience(&telling).await?;
        if !page.is_empty() {
            directory.notify(&page, telling.template(), &telling.key).await?;
        }
        Ok(app.told(&context, telling, page).await?)
    }
    .boxed()
}

fn tell_role(
    _: App,
    directory: DirectoryClient,
    context: JobContext,
    payload: Vec<u8>,
) -> BoxFuture<'static, Result<(), JobError>> {
    async move {
        let app::TellingRole { role, scope, template } = read(&payload)?;
        directory.notify_role(role, scope, &template, &context.dedupe_key).await?;
        Ok(())
    }
    .boxed()
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, JobError> {
    serde_json::from_slice(payload).map_err(|error| JobError::Permanent(format!("the payload: {error}")))
}
