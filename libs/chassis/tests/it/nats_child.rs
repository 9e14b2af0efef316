//! The nats-server that is started beside the services.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use chassis::Config;
use chassis::config::Nats;
use chassis::nats_child::NatsChild;
use kernel::Ids;
use tempfile::TempDir;

use crate::fixture::config;
use crate::toy::FORUMS;

const PATIENCE: Duration = Duration::from_secs(20);

fn settings(folder: &TempDir) -> anyhow::Result<Nats> {
    let program = testkit::nats::program()?;
    let text = config(folder, &format!("nats.server = \"{}\"", program.display()));
    Ok(Config::from_toml(&[FORUMS], &text)?.nats)
}

fn pid(folder: &TempDir) -> Option<u32> {
    std::fs::read_to_string(folder.path().join("nats/nats.pid")).ok()?.parse().ok()
}

fn lives(pid: u32) -> bool {
    // A zombie is no life: whoever started it has not looked yet.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn a_server_that_dies_is_started_again_where_it_was() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let child = NatsChild::start(&settings(&folder)?, &Ids::system()).await.map_err(anyhow::Error::msg)?;
    async_nats::connect(child.url()).await?;
    let first = pid(&folder).expect("a pid file");
    Command::new("kill").args(["-KILL", &first.to_string()]).status()?;
    testkit::eventually(PATIENCE, async || {
        pid(&folder).is_some_and(|now| now != first) && async_nats::connect(child.url()).await.is_ok()
    })
    .await;
    let second = pid(&folder).expect("a pid file");
    child.stop().await;
    assert!(!lives(second) && pid(&folder).is_none());
    Ok(())
}

#[tokio::test]
async fn an_orphan_is_ended_and_a_stranger_is_not() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let settings = settings(&folder)?;
    let ids = Ids::system();
    NatsChild::start(&settings, &ids).await.map_err(anyhow::Error::msg)?.stop().await;
    let mut orphan = Command::new(&settings.server)
        .arg("--config")
        .arg(folder.path().join("nats/nats.conf"))
        .stderr(Stdio::null())
        .spawn()?;
    std::fs::write(folder.path().join("nats/nats.pid"), orphan.id().to_string())?;
    let child = NatsChild::start(&settings, &ids).await.map_err(anyhow::Error::msg)?;
    assert!(orphan.try_wait()?.is_some(), "the orphan has ended");
    child.stop().await;

    let mut stranger = Command::new("sleep").arg("60").spawn()?;
    std::fs::write(folder.path().join("nats/nats.pid"), stranger.id().to_string())?;
    let child = NatsChild::start(&settings, &ids).await.map_err(anyhow::Error::msg)?;
    assert!(lives(stranger.id()));
    stranger.kill()?;
    stranger.wait()?;
    child.stop().await;
    Ok(())
}

#[tokio::test]
async fn two_processes_do_not_share_a_store() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let settings = settings(&folder)?;
    let child = NatsChild::start(&settings, &Ids::system()).await.map_err(anyhow::Error::msg)?;
    let refusal = NatsChild::start(&settings, &Ids::system()).await.expect_err("in use");
    assert!(refusal.contains("in use"), "{refusal}");
    async_nats::connect(child.url()).await?;
    child.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_missing_or_too_old_is_named_with_the_remedy() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let old = folder.path().join("old");
    std::fs::write(&old, "#!/bin/sh\necho 'nats-server: v2.9.10'\n")?;
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o755))?;
    let mut settings = settings(&folder)?;
    for (program, says) in [(old, "2.9, which is too old"), ("/no/such/server".into(), "cannot run")] {
        settings.server = program;
        let refusal = NatsChild::start(&settings, &Ids::system()).await.expect_err("refused");
        assert!(refusal.contains(says) && refusal.contains("infra/setup"), "{refusal}");
    }
    Ok(())
}
