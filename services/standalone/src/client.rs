//! A small typed client of a running system.
//!
//! [`Server`] knows where the services are. [`Account`] is somebody signed in (or nobody: [`Server::public`]); it
//! hands out the generated clients of all services. Each call through them gets what the contracts' `access` entry
//! of its RPC asks for: an actor token for the right service, bought with the session and renewed in time, and an
//! idempotency key where the call changes something. Nothing is sent twice by itself; a caller who wants to send a
//! command again sets the metadata `idempotency-key` to the same value.
//!
//! ```no_run
//! # async fn example(server: standalone::client::Server) -> Result<(), tonic::Status> {
//! let account = server.sign_in_with_card("12345678", "ABCD-EFGH-JKLM").await?;
//! let county = proto::forums::ListForumsRequest { tenant: "19".into(), ..Default::default() };
//! let forums = account.forums().list_forums(county).await?.into_inner().forums;
//! println!("{} forums", forums.len());
//! # Ok(()) }
//! ```

mod account;
mod door;
mod saved;
mod secure;
mod witness;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chassis::tls::{Keeper, TlsConnector};
use kernel::Ids;
use proto::membership::{RedeemSetupCodeRequest, Session, SignInWithCodeCardRequest};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

pub use account::Account;
pub use door::Door;
pub use saved::{SavedSession, default_session_file};
pub use secure::ClientTls;
pub use witness::outcome;

use crate::exit::{Exit, Failure};
use crate::ledger::journal::Journal;

/// How long to wait for a server to take the connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long to wait for an answer. Longer than any deadline of a server.
const ANSWER: Duration = Duration::from_secs(60);

/// The addresses of the services, with connections that are made when first used.
#[derive(Debug, Clone)]
pub struct Server {
    everything: Channel,
    elsewhere: HashMap<String, Channel>,
    /// For addresses with https.
    keeper: Option<Arc<Keeper>>,
    ids: Ids,
    journal: Option<Journal>,
}

impl Server {
    /// A process that serves everything at this URL, for example "http://127.0.0.1:7400". Nothing is sent yet.
    ///
    /// # Errors
    /// [`Exit::Usage`] if it is not a URL of http or https.
    pub fn at(url: &str) -> Result<Self, Failure> {
        Self::secured(url, &ClientTls::default())
    }

    /// The same with certificates, which a URL of https needs.
    ///
    /// # Errors
    /// [`Exit::Usage`] if it is not a URL of http or https, or the certificates cannot be used.
    pub fn secured(url: &str, tls: &ClientTls) -> Result<Self, Failure> {
        let keeper = tls.keeper()?;
        let everything = channel(url, keeper.as_ref())?;
        Ok(Self { everything, elsewhere: HashMap::new(), keeper, ids: Ids::system(), journal: None })
    }

    /// The same, with one service in a process of its own.
    ///
    /// # Errors
    /// As [`Server::at`].
    pub fn with_service(mut self, service: &str, url: &str) -> Result<Self, Failure> {
        let channel = channel(url, self.keeper.as_ref())?;
        self.elsewhere.insert(service.to_owned(), channel);
        Ok(self)
    }

    /// Notes every call that changes something in a journal, for the ledger check.
    #[must_use]
    pub fn journalled(self, journal: Journal) -> Self {
        Self { journal: Some(journal), ..self }
    }

    /// Addresses as the command line has them: "URL" for everything, "SERVICE=URL" for one service.
    ///
    /// # Errors
    /// As [`Server::at`]; also if there is no address at all.
    pub fn from_arguments(arguments: &[String], tls: &ClientTls) -> Result<Self, Failure> {
        let one = |argument: &String| match argument.split_once('=') {
            Some((service, url)) if !service.contains(':') => (Some(service.to_owned()), url.to_owned()),
            _ => (None, argument.clone()),
        };
        let addresses: Vec<(Option<String>, String)> = arguments.iter().map(one).collect();
        let general = addresses.iter().find(|(service, _)| service.is_none()).or(addresses.first());
        let (_, url) = general.ok_or_else(|| Failure::new(Exit::Usage, "--server is missing"))?;
        let mut server = Self::secured(url, tls)?;
        for (service, url) in &addresses {
            if let Some(service) = service {
                server = server.with_service(service, url)?;
            }
        }
        Ok(server)
    }

    /// Nobody signed in: what is public, and the doors of sign-in.
    pub fn public(&self) -> Account {
        Account::nobody(self.clone())
    }

    /// Goes on with a session.
    pub fn resume(&self, session: String) -> Account {
        Account::with_session(self.clone(), session)
    }

    /// Signs in with a code card, which is used up by it.
    ///
    /// # Errors
    /// What membership answers.
    pub async fn sign_in_with_card(&self, card: &str, code: &str) -> Result<Account, Status> {
        let request = SignInWithCodeCardRequest { card: card.to_owned(), code: code.to_owned() };
        let answer = self.public().sign_in().sign_in_with_code_card(request).await?.into_inner();
        self.entered(answer.session)
    }

    /// The first administrator comes in with the code that `osallisuus init` printed.
    ///
    /// # Errors
    /// What membership answers.
    pub async fn redeem_setup_code(&self, code: &str, name: &str, tenant: &str) -> Result<Account, Status> {
        let request = RedeemSetupCodeRequest {
            code: code.to_owned(),
            display_name: name.to_owned(),
            tenant: tenant.to_owned(),
        };
        let answer = self.public().sign_in().redeem_setup_code(request).await?.into_inner();
        self.entered(answer.session)
    }

    fn entered(&self, session: Option<Session>) -> Result<Account, Status> {
        let session = session.ok_or_else(|| Status::internal("membership answered without a session"))?;
        Ok(self.resume(session.session))
    }

    fn channel(&self, service: &str) -> Channel {
        self.elsewhere.get(service).unwrap_or(&self.everything).clone()
    }
}

fn channel(url: &str, keeper: Option<&Arc<Keeper>>) -> Result<Channel, Failure> {
    let wrong = || {
        Failure::new(Exit::Usage, format!("{url:?} is not the address of a server"))
            .remedy("Write it as http://127.0.0.1:7400")
    };
    let endpoint = |url: String| {
        let endpoint = Endpoint::from_shared(url).map_err(|_| wrong())?;
        Ok::<_, Failure>(endpoint.connect_timeout(CONNECT).timeout(ANSWER).tcp_nodelay(true))
    };
    match (url.strip_prefix("https://"), keeper) {
        (Some(host), Some(keeper)) => {
            let connector = TlsConnector::to_host(Arc::clone(keeper));
            Ok(endpoint(format!("http://{host}"))?.connect_with_connector_lazy(connector))
        }
        (Some(_), None) => Err(Failure::new(Exit::Usage, format!("{url} needs certificates"))
            .remedy("Name them: --ca FILE --cert FILE --key FILE")),
        (None, _) if url.starts_with("http://") => Ok(endpoint(url.to_owned())?.connect_lazy()),
        (None, _) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_are_one_url_and_one_for_each_service_elsewhere() {
        let arguments = ["http://one:1".to_owned(), "forums=http://two:2".to_owned()];
        let server = Server::from_arguments(&arguments, &ClientTls::default()).expect("addresses");
        assert!(server.elsewhere.contains_key("forums"));
        assert_eq!(server.elsewhere.len(), 1);
    }

    #[tokio::test]
    async fn an_address_without_http_is_a_usage_error_with_an_example() {
        for wrong in ["127.0.0.1:7400", "nonsense", "ftp://one", "http://", "forums=two"] {
            let failure =
                Server::from_arguments(&[wrong.to_owned()], &ClientTls::default()).expect_err(wrong);
            assert_eq!(failure.exit, Exit::Usage, "{wrong}");
            assert!(failure.remedy.contains("http://127.0.0.1:7400"));
        }
    }
}
