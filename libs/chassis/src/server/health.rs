//! grpc.health.v1: whether the process lives, and whether it is ready (OBS-10).
//!
//! | name | says |
//! | --- | --- |
//! | `live` | the process lives |
//! | `ready`, and the empty name | every service is ready |
//! | `forums`, `osallisuus.forums.v1.ForumsService` | that service is ready |
//!
//! A service is ready if its database answers, its writer can begin a transaction and end it, the keys of tokens are
//! known, and its own checks agree. A writer that has ended ends the process, so `live` need not ask it. NATS being away
//! does not make it unready: writes go on, and the rest is repaired; the operator's `GetStatus` tells.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health as HealthRpc, HealthServer};
use tonic_health::server::{HealthReporter, HealthService};

use super::Units;
use crate::running::Unit;
use crate::systemd;
use crate::token::KeyStore;

/// How often readiness is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// While not ready, more often: a start should not take a second more than it must.
const LOOK_UNREADY: Duration = Duration::from_millis(50);
/// How often a writer is asked to begin and end a transaction.
const PROBE: Duration = Duration::from_secs(10);
/// How long a check may take.
const CHECK: Duration = Duration::from_secs(2);
/// How long a start may take before it is told what it waits for.
const GRACE: Duration = Duration::from_secs(3);

/// Health of a process.
#[derive(Clone)]
pub(crate) struct Health {
    reporter: HealthReporter,
    ready: watch::Sender<bool>,
}

impl Health {
    pub(crate) async fn new() -> Self {
        let health = Self { reporter: HealthReporter::new(), ready: watch::Sender::new(false) };
        health.set("live", true).await;
        health.set("", false).await;
        health.set("ready", false).await;
        health
    }

    /// The gRPC service.
    pub(crate) fn server(&self) -> HealthServer<impl HealthRpc + use<>> {
        HealthServer::new(HealthService::from_health_reporter(self.reporter.clone()))
    }

    /// Completes when every service is ready.
    pub(crate) async fn ready(&self) {
        // The sender lives as long as `self`.
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await;
    }

    /// Looks again and again, for ever, and tells the log what changes.
    pub(crate) async fn watch(self, units: Units, keys: Arc<KeyStore>) {
        let began = Instant::now();
        let mut told: HashMap<&str, Option<String>> = HashMap::new();
        let mut writers = Writers::default();
        loop {
            let mut all = true;
            for unit in units.values() {
                let trouble = match self::trouble(unit, &keys).await {
                    None => writers.trouble(unit).await,
                    trouble => trouble,
                };
                self.say(unit, trouble.is_none()).await;
                all &= trouble.is_none();
                // Not being ready in the first moments is the order of things.
                let is_worth_telling = trouble.is_none() || began.elapsed() > GRACE;
                if is_worth_telling && told.get(unit.name) != Some(&trouble) {
                    match &trouble {
                        None => tracing::info!(service = unit.name, "ready"),
                        Some(trouble) => tracing::warn!(service = unit.name, trouble, "not ready"),
                    }
                    told.insert(unit.name, trouble);
                }
            }
            self.set("", all).await;
            self.set("ready", all).await;
            if self.ready.send_replace(all) != all {
                systemd::status(if all { "ready" } else { "not ready; the log says why" });
            }
            if all {
                tokio::time::sleep(LOOK).await;
            } else {
                tokio::select! {
                    () = tokio::time::sleep(LOOK_UNREADY) => {}
                    () = keys.known(), if !keys.is_known() => {}
                }
            }
        }
    }

    /// Says NOT_SERVING everywhere: we are about to stop.
    pub(crate) async fn stop(&self, units: &Units) {
        for unit in units.values() {
            self.say(unit, false).await;
        }
        self.set("", false).await;
        self.set("ready", false).await;
    }

    /// Ends the streams of those who watch: a connection with one would never drain.
    pub(crate) async fn end_watches(&self, units: &Units) {
        let mut reporter = self.reporter.clone();
        let names = units.values().flat_map(|unit| unit.grpc_names.iter().copied().chain([unit.name]));
        for name in names.chain(["live", "ready", ""]) {
            reporter.clear_service_status(name).await;
        }
    }

    async fn say(&self, unit: &Unit, ready: bool) {
        unit.ready.store(ready, Ordering::Relaxed);
        self.set(unit.name, ready).await;
        for name in &unit.grpc_names {
            self.set(name, ready).await;
        }
    }

    async fn set(&self, name: &str, serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        self.reporter.set_service_status(name, status).await;
    }
}

/// When which writer was found at work.
#[derive(Default)]
struct Writers(HashMap<&'static str, Instant>);

impl Writers {
    /// What keeps the writer of a service from writing. One that worked a moment ago is not asked.
    async fn trouble(&mut self, unit: &Unit) -> Option<String> {
        if self.0.get(unit.name).is_some_and(|last| last.elapsed() < PROBE) {
            return None;
        }
        match tokio::time::timeout(CHECK, unit.writer.probe()).await {
            Ok(Ok(())) => {
                self.0.insert(unit.name, Instant::now());
                None
            }
            Ok(Err(fault)) => Some(format!("writer: {}", fault.message())),
            Err(_) => Some(format!("writer: no answer within {CHECK:?}")),
        }
    }
}

/// What keeps a service from being ready, in a sentence.
async fn trouble(unit: &Unit, keys: &KeyStore) -> Option<String> {
    if !keys.is_known() {
        return Some("the keys of tokens are not known: membership has not been reached yet".to_owned());
    }
    for (name, outcome) in unit.check(CHECK).await {
        if let Err(error) = outcome {
            return Some(format!("{name}: {error}"));
        }
    }
    None
}
