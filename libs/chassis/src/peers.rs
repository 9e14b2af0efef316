//! Where the services of the cell are reached: one lazy connection to each, this process' own among them.
//!
//! Over TLS a service is known by its identity in the certificate, not by its host (SEC-01).
//!
//! A service in the same process is called over the loopback interface like any other, so there is one path to test.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::Fault;
use tonic::transport::{Channel, Endpoint};

use crate::tls::{Keeper, TlsConnector, identity_of};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a call to another service may take at most.
const CALL: Duration = Duration::from_secs(10);
/// Keep-alive of idle connections: how often, and how long to wait for the answer.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// Addresses and connections by the name of the service.
pub(crate) struct Peers {
    addresses: BTreeMap<String, String>,
    channels: Mutex<HashMap<String, Channel>>,
    secured: Option<Secured>,
}

/// What connections to `https://` need.
pub(crate) struct Secured {
    /// The own certificate, and the authorities.
    pub(crate) keeper: Arc<Keeper>,
    /// The deployment, which is part of every identity.
    pub(crate) cell: String,
}

impl Peers {
    /// The services at these addresses, for example `http://127.0.0.1:7400`.
    pub(crate) fn new(addresses: BTreeMap<String, String>, secured: Option<Secured>) -> Self {
        Self { addresses, channels: Mutex::default(), secured }
    }

    /// The connection to a service; it comes about with the first call and comes back by itself.
    ///
    /// # Errors
    /// Unavailable if no address is known.
    pub(crate) fn channel(&self, service: &str) -> Result<Channel, Fault> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(service) {
            return Ok(channel.clone());
        }
        let Some(address) = self.addresses.get(service) else {
            return Err(Fault::unavailable(
                "peers.no_address",
                format!("No address is configured for {service}; set services.{service}.address."),
            ));
        };
        let host = address.strip_prefix("https://");
        let plain = host.map_or_else(|| address.clone(), |host| format!("http://{host}"));
        let endpoint = Endpoint::from_shared(plain).map_err(Fault::internal)?;
        let endpoint = endpoint
            .connect_timeout(CONNECT)
            .timeout(CALL)
            .http2_keep_alive_interval(KEEP_ALIVE.0)
            .keep_alive_timeout(KEEP_ALIVE.1);
        let channel = match (host, &self.secured) {
            (None, _) => endpoint.connect_lazy(),
            (Some(_), Some(Secured { keeper, cell })) => {
                let identity = identity_of(cell, service);
                endpoint.connect_with_connector_lazy(TlsConnector::to_identity(Arc::clone(keeper), &identity))
            }
            (Some(_), None) => {
                return Err(Fault::internal(format!("{address} needs the settings of [tls]")));
            }
        };
        channels.insert(service.to_owned(), channel.clone());
        Ok(channel)
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}
