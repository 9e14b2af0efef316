//! A running process: waiting for it, and ending it in order.
//!
//! Order of the end (OBS-11): health says NOT_SERVING, load balancers get their time; jobs in work finish; connections
//! are told to go and requests in work finish; pipelines end; the writers, which all of them need, end last. Everything
//! is safe without any of it, too.

use std::fmt;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kernel::Fault;
use messaging::broker::NatsBroker;
use messaging::{Database, Pipeline, Writer};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Stop;
use crate::nats_child::NatsChild;
use crate::server::{Health, Units};
use crate::service::{Check, Names};
use crate::settle;
use crate::signals::Signals;
use crate::systemd;
use messaging::store::ProjectionKey;

/// How long tasks of the machinery may take to end after they were asked to.
const TASKS_END: Duration = Duration::from_secs(10);

/// One service of the process, as health, feed, operator and tests need it.
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    pub(crate) grpc_names: Vec<&'static str>,
    pub(crate) database: Database,
    pub(crate) writer: Writer,
    pub(crate) pipeline: Pipeline,
    /// Which services' events it projects, with the names of the projections.
    pub(crate) projections: Vec<ProjectionKey>,
    pub(crate) broker: Arc<NatsBroker>,
    pub(crate) checks: Vec<(&'static str, Check)>,
    /// What health says of it.
    pub(crate) ready: AtomicBool,
    /// Other ids by which requests name a person.
    pub(crate) names: Option<Names>,
}

impl Unit {
    /// Whether health says that it is ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Asks the database and whatever else the service needs.
    pub(crate) async fn check(&self, within: Duration) -> Vec<(&'static str, Result<(), String>)> {
        let late = || Err(format!("no answer within {within:?}"));
        let ping = async { self.database.ping().await.map_err(|error| error.to_string()) };
        let mut outcomes = vec![("database", timeout(within, ping).await.unwrap_or_else(|_| late()))];
        for (name, check) in &self.checks {
            outcomes.push((name, timeout(within, check()).await.unwrap_or_else(|_| late())));
        }
        outcomes
    }
}

/// The steps of the end.
#[derive(Clone, Default)]
pub(crate) struct Stops {
    pub(crate) jobs: CancellationToken,
    pub(crate) server: CancellationToken,
    pub(crate) pipelines: CancellationToken,
    pub(crate) writers: CancellationToken,
}

impl Stops {
    /// All of them at once.
    fn cancel(&self) {
        for stop in [&self.jobs, &self.server, &self.pipelines, &self.writers] {
            stop.cancel();
        }
    }
}

/// The tasks, by when they end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks {
    pub(crate) jobs: TaskTracker,
    pub(crate) pipelines: TaskTracker,
    pub(crate) writers: TaskTracker,
}

impl Tasks {
    /// Waits for all of them, after they were asked to end.
    pub(crate) async fn end(&self) {
        end(&self.jobs, "jobs").await;
        end(&self.pipelines, "pipelines").await;
        end(&self.writers, "writers").await;
    }
}

/// A started process: its address, and the means to end it. Dropping it ends it at once, without draining.
pub struct Running {
    pub(crate) addr: SocketAddr,
    pub(crate) is_secured: bool,
    pub(crate) units: Units,
    pub(crate) health: Health,
    pub(crate) settings: Stop,
    pub(crate) stops: Stops,
    pub(crate) tasks: Tasks,
    pub(crate) server: JoinHandle<Result<(), tonic::transport::Error>>,
    /// Tasks that only look: keys, health.
    pub(crate) watchers: Vec<JoinHandle<()>>,
    pub(crate) failure: watch::Receiver<Option<String>>,
    pub(crate) broker: Arc<NatsBroker>,
    pub(crate) nats: Option<NatsChild>,
}

impl Running {
    /// Where the gRPC server listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The same as clients write it: `http://127.0.0.1:7400`, or with certificates `https://…`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.is_secured { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// Where the embedded nats-server listens; none if the process uses another.
    #[must_use]
    pub fn nats_url(&self) -> Option<&str> {
        self.nats.as_ref().map(NatsChild::url)
    }

    /// Completes when every service is ready: databases answer, keys of tokens are known.
    pub async fn ready(&self) {
        self.health.ready().await;
    }

    /// Waits until every log is published and every projection of a service of this process is at its source's head.
    ///
    /// # Errors
    /// Unavailable, saying what has not settled within 30 seconds.
    pub async fn settle(&self) -> Result<(), Fault> {
        settle::settle(&self.units).await
    }

    /// Completes when a task has ended that should not have, and says which.
    pub async fn failed(&self) -> String {
        let mut failure = self.failure.clone();
        match failure.wait_for(Option::is_some).await {
            Ok(failure) => failure.clone().unwrap_or_default(),
            Err(_) => "the supervision itself ended".to_owned(),
        }
    }

    /// Drains and ends: jobs and requests in work, pipelines, writers, databases, nats-server.
    pub async fn stop(mut self) {
        systemd::stopping();
        self.health.stop(&self.units).await;
        tokio::time::sleep(self.settings.notice).await;
        self.health.end_watches(&self.units).await;
        // Before the server, which they call when a service they need runs in this process too.
        self.stops.jobs.cancel();
        end(&self.tasks.jobs, "jobs").await;
        self.stops.server.cancel();
        if timeout(self.settings.drain, &mut self.server).await.is_err() {
            tracing::warn!("requests were still in work at the end of the time to drain");
            self.server.abort();
        }
        self.watchers.iter().for_each(JoinHandle::abort);
        self.stops.pipelines.cancel();
        end(&self.tasks.pipelines, "pipelines").await;
        self.stops.writers.cancel();
        end(&self.tasks.writers, "writers").await;
        for unit in self.units.values() {
            if let Err(error) = unit.database.close().await {
                tracing::warn!(service = unit.name, %error, "a database did not close");
            }
        }
        self.broker.close().await;
        if let Some(nats) = self.nats.take() {
            nats.stop().await;
        }
        tracing::info!("stopped");
    }

    /// Waits until the process is asked to end or a task ended that should not, then [stops](Self::stop). Asking a
    /// second time ends without waiting any longer. The code tells a failure from an orderly end.
    pub async fn wait(self, mut signals: Signals) -> ExitCode {
        let code = tokio::select! {
            () = signals.asked_to_end() => ExitCode::SUCCESS,
            what = self.failed() => {
                tracing::error!(what, "a task ended that should not have; the process stops");
                ExitCode::FAILURE
            }
        };
        tracing::info!("stopping");
        tokio::select! {
            () = self.stop() => code,
            () = signals.next() => ExitCode::FAILURE,
        }
    }
}

async fn end(tasks: &TaskTracker, what: &str) {
    tasks.close();
    if timeout(TASKS_END, tasks.wait()).await.is_err() {
        tracing::warn!(what, left = tasks.len(), "tasks did not end in time");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After `stop` all of this is over already.
        self.stops.cancel();
        self.watchers.iter().for_each(JoinHandle::abort);
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<&&str> = self.units.keys().collect();
        f.debug_struct("Running")
            .field("addr", &self.addr)
            .field("services", &services)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unit").field("name", &self.name).finish_non_exhaustive()
    }
}
