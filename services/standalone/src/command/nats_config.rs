//! `nats-config`: accounts and permissions for nats-server.

use std::fs;
use std::path::PathBuf;

use chassis::Config;
use clap::Args;

use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::nats_accounts::{self, HEAD};
use crate::screen::Screen;
use crate::services::{self, SERVICES};

/// The file that is written.
const FILE: &str = "accounts.conf";

/// Where to write.
#[derive(Debug, Args)]
pub(crate) struct NatsConfig {
    /// Folder for the file accounts.conf.
    folder: PathBuf,
    #[command(flatten)]
    installation: Installation,
}

pub(super) async fn run(options: NatsConfig, screen: Screen) -> Result<Exit, Failure> {
    let config = options.installation.load()?;
    let consumers = consumers().await?;
    let names: Vec<&str> = services::names().collect();
    let text = nats_accounts::text(&config.cell, &names, &consumers, &config.nats.readers);
    let file = options.folder.join(FILE);
    let at_fault = |error: std::io::Error| Failure::from(error).during(file.display());
    fs::create_dir_all(&options.folder).map_err(at_fault)?;
    if fs::read_to_string(&file).is_ok_and(|there| !there.starts_with(HEAD)) {
        let message = format!("{} was not written by this command", file.display());
        return Err(Failure::new(Exit::Refused, message).remedy("Move it away, or name another folder."));
    }
    fs::write(&file, text).map_err(at_fault)?;
    let value = serde_json::json!({ "file": file, "cell": config.cell, "readers": config.nats.readers });
    screen.result(&value, || {
        format!(
            "{} is written. Include it in nats-server's configuration, as infra/nats/production.conf does, and let \
             nats-server read that: nats-server --signal reload",
            file.display()
        )
    })?;
    Ok(Exit::Done)
}

/// Which events the services read: they are asked, in an installation that is made for it and removed.
async fn consumers() -> Result<Vec<messaging::store::ProjectionKey>, Failure> {
    let folder = tempfile::tempdir()?;
    let config = Config::from_toml(SERVICES, &format!("data_dir = {:?}", folder.path()))?;
    super::init::prepare(&Installation { config: None, data: None }, config.clone()).await?;
    let assembled = chassis::assemble(SERVICES, config).await?;
    let keys = assembled.services.iter().flat_map(|service| {
        let name = service.database.service();
        service.projections.iter().map(move |projection| projection.key(name))
    });
    let keys = keys.collect();
    assembled.end().await;
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[tokio::test]
    async fn the_list_of_readers_is_what_the_services_declare() {
        let declared: BTreeSet<(String, String)> = consumers()
            .await
            .expect("assembled")
            .into_iter()
            .map(|key| (key.service.to_string(), key.source.to_string()))
            .collect();
        let listed = services::READERS.iter().map(|(reader, source)| ((*reader).into(), (*source).into()));
        assert_eq!(listed.collect::<BTreeSet<(String, String)>>(), declared);
    }
}
