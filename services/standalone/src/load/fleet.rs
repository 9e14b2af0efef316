//! Connections to the system, and who comes over them. Tokens are bought ahead of time and renewed beside the load, so
//! that no call that is measured waits for one.

use std::time::Duration;

use kernel::Ids;
use proto::messaging::{GetClockRequest, GetStatusRequest, GetStatusResponse};
use tokio::task::JoinHandle;
use tonic::Status;

use crate::client::{Account, Server};
use crate::exit::{Exit, Failure};
use crate::ledger::journal::Journal;
use crate::services;

/// Tokens older than this are bought anew; they live for five minutes.
const RENEW: Duration = Duration::from_secs(60);
/// How often to look.
const LOOK: Duration = Duration::from_secs(20);

/// Connections, each with the administrator and with nobody signed in.
#[derive(Debug, Clone)]
pub struct Fleet {
    administrators: Vec<Account>,
    public: Vec<Account>,
    servers: Vec<Server>,
    ids: Ids,
    journal: Option<Journal>,
}

impl Fleet {
    /// The administrator's session over these connections.
    ///
    /// # Errors
    /// Usage, if there is none.
    pub fn new(servers: Vec<Server>, session: &str) -> Result<Self, Failure> {
        let first = servers.first().ok_or_else(|| Failure::new(Exit::Usage, "no connection"))?;
        let administrator = first.resume(session.to_owned());
        Ok(Self {
            administrators: servers.iter().map(|server| administrator.over(server.clone())).collect(),
            public: servers.iter().map(Server::public).collect(),
            servers,
            ids: Ids::system(),
            journal: None,
        })
    }

    /// The journal that the connections write; it is on the disk before anything is counted.
    #[must_use]
    pub fn journalled(self, journal: Option<Journal>) -> Self {
        Self { journal, ..self }
    }

    /// Waits until the journal holds every call that was answered.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) async fn flush(&self) -> Result<(), Failure> {
        match &self.journal {
            Some(journal) => {
                journal.flush().await.map_err(|error| Failure::from(error).during("the journal"))
            }
            None => Ok(()),
        }
    }

    /// The administrator, over the connection for this number.
    pub(super) fn administrator(&self, number: usize) -> &Account {
        &self.administrators[number % self.administrators.len()]
    }

    /// Nobody, over the connection for this number.
    pub(super) fn public(&self, number: usize) -> &Account {
        &self.public[number % self.public.len()]
    }

    /// A connection for this number.
    pub(super) fn server(&self, number: usize) -> &Server {
        &self.servers[number % self.servers.len()]
    }

    pub(super) fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Refuses a system that is not there to be loaded: one whose business clock may not be set.
    ///
    /// # Errors
    /// Refused; what the services answer.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        for service in services::names() {
            let request = GetClockRequest { service: service.to_owned() };
            let clock = self.administrator(0).operator(service).get_clock(request).await;
            let clock = clock.map_err(|status| Failure::from(status).during("ask for the clock"))?;
            if !clock.into_inner().settable {
                return Err(Failure::new(
                    Exit::Refused,
                    format!("{service} serves real people: it is no demonstration and not set up for load tests"),
                )
                .remedy("Use `osallisuus demo`, or a system of its own with load_test = true; never a production system."));
            }
        }
        Ok(())
    }

    /// State of a service.
    pub(super) async fn status(&self, service: &str) -> Result<GetStatusResponse, Status> {
        let request = GetStatusRequest { service: service.to_owned() };
        Ok(self.administrator(0).operator(service).get_status(request).await?.into_inner())
    }

    /// Buys the administrator's tokens and keeps them fresh until the handle is aborted.
    pub(super) async fn keep_tokens(&self) -> Result<Renewal, Failure> {
        let account = self.administrator(0).clone();
        for service in services::names() {
            account.renew_token(service, Duration::ZERO).await?;
        }
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                for service in services::names() {
                    // One that fails is tried again, and in the end by the call that needs it.
                    let _ = account.renew_token(service, RENEW).await;
                }
            }
        });
        Ok(Renewal(task))
    }
}

/// Ends the renewal of tokens when dropped.
pub(super) struct Renewal(JoinHandle<()>);

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}
