//! `provision`: the streams in NATS, and the consumers of other systems on them.

use std::time::Duration;

use chassis::Config;
use chassis::config::NatsAddress;
use messaging::broker::{BrokerError, NatsBroker, NatsSettings};
use serde::Serialize;
use tokio::time::{sleep, timeout};

use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::screen::{Screen, table};
use crate::services;

/// How long NATS may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Pause between two looks whether the connection is there.
const LOOK: Duration = Duration::from_millis(50);

#[derive(Serialize)]
struct Stream {
    service: &'static str,
    replicas: usize,
    readers: Vec<String>,
}

pub(super) async fn run(installation: &Installation, screen: Screen) -> Result<Exit, Failure> {
    let config = installation.load()?;
    let NatsAddress::Url(url) = &config.nats.address else {
        screen.result(&serde_json::json!([]), || {
            "Nothing to do: nats.url is \"embedded\", and an embedded nats-server gets its streams at start.".to_owned()
        })?;
        return Ok(Exit::Done);
    };
    let broker = connect(&config, url, "osallisuus provision").await?;
    let mut streams = Vec::new();
    for service in services::names() {
        broker.provision_stream(service).await.map_err(refused)?;
        for reader in &config.nats.readers {
            broker.provision_reader(service, reader).await.map_err(refused)?;
        }
        streams.push(Stream {
            service,
            replicas: config.nats.replicas,
            readers: config.nats.readers.clone(),
        });
    }
    broker.close().await;
    screen.result(&streams, || {
        let rows = streams
            .iter()
            .map(|one| [one.service.to_owned(), one.replicas.to_string(), "as wanted".to_owned()]);
        table(["Stream of", "Copies", "State"], rows, &[1])
    })?;
    Ok(Exit::Done)
}

/// Connects to NATS, as one who may make and empty streams.
///
/// # Errors
/// [`Exit::Unreachable`] without an answer, [`Exit::Refused`] by a server that is too old.
pub(super) async fn connect(config: &Config, url: &str, name: &str) -> Result<NatsBroker, Failure> {
    let settings = config.nats.connection(url, name);
    let settings = settings.map_err(|why| Failure::new(Exit::Configuration, why))?;
    let settings = NatsSettings { makes_streams: true, ..settings };
    let broker = NatsBroker::connect(settings).await.map_err(refused)?;
    let ready =
        timeout(ANSWER, connected(&broker)).await.map_err(|_| unreachable("no answer in ten seconds"))?;
    ready.map(|()| broker)
}

/// Waits until there is a connection; a server that is too old is an error at once.
async fn connected(broker: &NatsBroker) -> Result<(), Failure> {
    loop {
        match broker.ready() {
            Ok(()) => return Ok(()),
            Err(BrokerError::Unavailable(_)) => sleep(LOOK).await,
            Err(error) => return Err(refused(error)),
        }
    }
}

fn unreachable(why: &str) -> Failure {
    Failure::new(Exit::Unreachable, format!("NATS: {why}"))
        .remedy("Is nats-server running, and is nats.url right? See: osallisuus config show")
}

/// What NATS says, as the end of a command.
pub(super) fn refused(error: BrokerError) -> Failure {
    match error {
        BrokerError::Unavailable(why) => unreachable(&why),
        other => Failure::new(Exit::Refused, other.to_string()),
    }
}
