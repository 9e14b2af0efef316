//! Where the services of the cell are reached: one lazy connection to each, this process' own among them.
//!
//! A service in the same process is called over the loopback interface like any other, so there is one path to test.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kernel::Fault;
use tonic::transport::{Channel, Endpoint};

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
}

impl Peers {
    /// The services at these addresses, for example `http://127.0.0.1:7400`.
    pub(crate) fn new(addresses: BTreeMap<String, String>) -> Self {
        Self { addresses, channels: Mutex::default() }
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
        let endpoint = Endpoint::from_shared(address.clone()).map_err(Fault::internal)?;
        let channel = endpoint
            .connect_timeout(CONNECT)
            .timeout(CALL)
            .http2_keep_alive_interval(KEEP_ALIVE.0)
            .keep_alive_timeout(KEEP_ALIVE.1)
            .connect_lazy();
        channels.insert(service.to_owned(), channel.clone());
        Ok(channel)
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}
