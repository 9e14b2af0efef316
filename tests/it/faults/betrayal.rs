//! nats-server loses what it has acknowledged (TST-05): the services' own logs have it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use messaging::broker::{Broker as _, BrokerError, Extent, NatsBroker, NatsSettings};
use standalone::services::SERVICES;
use testkit::system::Store;
use testkit::{copy_folder, eventually, nats};
use tests::place::Place;
use tests::verdict::{connect, texts};

use super::{Harmed, PATIENCE, SOME};

/// What of an older copy of its store nats-server comes back with.
#[derive(Clone, Copy, Debug)]
enum Back {
    /// All of it, as from a backup of the disk.
    Everything,
    /// The messages, with the consumers as they were last: a power cut that only these outlived.
    Messages,
    /// Nothing: a new disk.
    Nothing,
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_05_a_broker_that_loses_what_it_acknowledged_is_healed_from_the_logs_sqlite() -> anyhow::Result<()>
{
    harm(Store::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_05_a_broker_that_loses_what_it_acknowledged_is_healed_from_the_logs_postgres()
-> anyhow::Result<()> {
    harm(Store::Postgres).await
}

async fn harm(store: Store) -> anyhow::Result<()> {
    let mut harmed = Harmed::start(store).await?;
    for back in [Back::Everything, Back::Messages, Back::Nothing] {
        let copy = tempfile::tempdir()?;
        harmed.place.nats.pause()?;
        copy_folder(&harmed.place.nats.store(), copy.path())?;
        harmed.place.nats.resume()?;
        // Acknowledged, delivered, taken, and then lost.
        harmed.load.more(SOME).await?;
        harmed.place.nats.kill();
        lose(&harmed.place.nats.store(), copy.path(), back)?;
        until_less(&harmed.place).await.with_context(|| format!("{back:?}"))?;
        harmed.place.nats.restart()?;
        harmed.load.more(SOME / 2).await?;
    }
    harmed.end_with(&["--expect-rewind"]).await
}

fn lose(store: &Path, copy: &Path, back: Back) -> anyhow::Result<()> {
    match back {
        Back::Everything => {
            fs::remove_dir_all(store)?;
            copy_folder(copy, store)
        }
        Back::Nothing => {
            fs::remove_dir_all(store)?;
            Ok(fs::create_dir(store)?)
        }
        Back::Messages => {
            let folders = message_folders(copy)?;
            anyhow::ensure!(!folders.is_empty(), "the copy holds no streams");
            for folder in folders {
                let target = store.join(folder.strip_prefix(copy)?);
                fs::remove_dir_all(&target)?;
                copy_folder(&folder, &target)?;
            }
            Ok(())
        }
    }
}

/// Shows that what nats-server will come back with is less than what the services have marked as published: another
/// server looks at a copy of it. Marks are written a moment after publishing.
async fn until_less(place: &Place) -> anyhow::Result<()> {
    let look = nats::Server::start_on_copy(&place.nats.store())?;
    let broker = NatsBroker::connect(NatsSettings::embedded(look.url())).await?;
    let mut connected = broker.connection();
    while broker.ready().is_err() {
        connected.changed().await?;
    }
    for service in SERVICES {
        let mut last = Vec::new();
        for lane in ["19", "21"] {
            let extent = match broker.extent(service.name, lane).await {
                Err(BrokerError::NoStream) => Extent::default(),
                extent => extent?,
            };
            last.push((lane, extent.last.map_or(0, |stored| stored.seq)));
        }
        let connection = connect(place, service.name).await?;
        eventually(PATIENCE, async || {
            let mut less = false;
            for (lane, last) in &last {
                let question =
                    format!("SELECT lane FROM event_head WHERE lane = '{lane}' AND published_seq > {last}");
                less |= texts(&connection, &question).await.is_ok_and(|lanes| !lanes.is_empty());
            }
            less
        })
        .await;
        connection.close().await?;
    }
    broker.close().await;
    Ok(())
}

/// The folders of the streams' messages: `jetstream/<account>/streams/<stream>/msgs`.
fn message_folders(store: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for account in fs::read_dir(store.join("jetstream"))? {
        let streams = account?.path().join("streams");
        if !streams.is_dir() {
            continue;
        }
        for stream in fs::read_dir(streams)? {
            let folder = stream?.path().join("msgs");
            if folder.is_dir() {
                found.push(folder);
            }
        }
    }
    Ok(found)
}
