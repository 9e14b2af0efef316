//! Noticing that a task has ended which should run as long as the process: a panic, a fault of the program. The process
//! then stops with a failing exit code instead of living on without a part of itself.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::running::{Stops, Tasks};

/// How often the tasks are counted.
const LOOK: Duration = Duration::from_millis(500);

/// What the watch is told: the text of the failure, once there is one.
type Failure = watch::Receiver<Option<String>>;

/// Counts tasks from now on. Each of them ends only when its stop is cancelled, so one fewer before that is a failure.
pub(crate) fn watch<T: Send + 'static>(
    tasks: &Tasks,
    stops: &Stops,
    server: &JoinHandle<T>,
) -> (Failure, JoinHandle<()>) {
    let (tell, failure) = watch::channel(None);
    let (tasks, stops, server) = (tasks.clone(), stops.clone(), server.abort_handle());
    let (jobs, pipelines, writers) = (tasks.jobs.len(), tasks.pipelines.len(), tasks.writers.len());
    let watcher = tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK).await;
            let ended = if server.is_finished() && !stops.server.is_cancelled() {
                "the gRPC server"
            } else if tasks.pipelines.len() < pipelines && !stops.pipelines.is_cancelled() {
                "a relay or a projector"
            } else if tasks.jobs.len() < jobs && !stops.jobs.is_cancelled() {
                "a job worker"
            } else if tasks.writers.len() < writers && !stops.writers.is_cancelled() {
                "a writer"
            } else {
                continue;
            };
            tell.send_replace(Some(ended.to_owned()));
            // The receiver learns of it however late it looks.
            return std::future::pending().await;
        }
    });
    (failure, watcher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_ends_by_itself_is_a_failure_and_one_that_was_asked_to_is_none() {
        for is_asked in [false, true] {
            let (tasks, stops) = (Tasks::default(), Stops::default());
            let (end, ended) = tokio::sync::oneshot::channel::<()>();
            let server = tokio::spawn(std::future::pending::<()>());
            tasks.writers.spawn(std::future::pending::<()>());
            tasks.pipelines.spawn(async move {
                let _ = ended.await;
            });
            let (mut failure, _watcher) = watch(&tasks, &stops, &server);
            if is_asked {
                stops.pipelines.cancel();
            }
            drop(end);
            let found = tokio::time::timeout(Duration::from_secs(5), failure.wait_for(Option::is_some));
            assert_eq!(found.await.is_err(), is_asked);
        }
    }
}
