//! What happens by itself when its day has come: attestations and roles end after their last day, held notices reach
//! their people, what has run out is deleted. Each job but the last carries the id of its thing, and looks again whether
//! there is anything to do.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::{AssignmentId, AttestationId, ElectionId, Fault, NoticeId, Uuid};
use messaging::{JobContext, JobError};

use crate::app::App;

/// A job's function, as chassis takes it.
type Run = Box<dyn Fn(JobContext, Vec<u8>) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync>;

/// Ends an attestation.
pub(crate) fn attestation_expiry(app: App) -> Run {
    on(app, |app, id: AttestationId| async move { app.expire_attestation(id).await }.boxed())
}

/// Ends a role.
pub(crate) fn role_end(app: App) -> Run {
    on(app, |app, id: AssignmentId| async move { app.expire_role(id).await }.boxed())
}

/// Delivers a held notice.
pub(crate) fn notice(app: App) -> Run {
    on(app, |app, id: NoticeId| async move { app.deliver_notice(id).await }.boxed())
}

/// Sends the e-mail of a notice.
pub(crate) fn mail(app: App) -> Run {
    Box::new(move |context, payload| {
        let app = app.clone();
        // The first job of a notice has its id for a key; those after it are numbered.
        let round = context.dedupe_key.split_once('|').and_then(|(_, round)| round.parse().ok());
        async move { app.send_mail(id_of(&payload)?, round.unwrap_or(0), context.attempt).await }.boxed()
    })
}

/// Checks a frozen roll.
pub(crate) fn roll_check(app: App) -> Run {
    on(app, |app, id: ElectionId| async move { app.check_roll(id).await }.boxed())
}

/// Deletes what has run out.
pub(crate) fn purge(app: App) -> Run {
    Box::new(move |_, _| {
        let app = app.clone();
        async move { app.purge().await.map_err(JobError::from) }.boxed()
    })
}

fn on<I: From<Uuid> + Send + 'static>(
    app: App,
    act: fn(App, I) -> BoxFuture<'static, Result<(), Fault>>,
) -> Run {
    Box::new(move |_, payload| {
        let app = app.clone();
        async move { act(app, id_of(&payload)?).await.map_err(JobError::from) }.boxed()
    })
}

/// The id that is a job's payload.
fn id_of<I: From<Uuid>>(payload: &[u8]) -> Result<I, JobError> {
    let id = Uuid::from_slice(payload).map_err(|error| JobError::Permanent(error.to_string()))?;
    Ok(I::from(id))
}
