//! A nats-server under a test's hands.

use std::time::Duration;

use async_nats::jetstream::{self, stream};
use testkit::{eventually, nats::Server};

async fn publish(server: &Server, text: &'static str) -> anyhow::Result<u64> {
    let context = jetstream::new(async_nats::connect(server.url()).await?);
    context
        .get_or_create_stream(stream::Config {
            name: "KEPT".into(),
            subjects: vec!["kept.>".into()],
            ..Default::default()
        })
        .await?;
    Ok(context.publish("kept.one", text.into()).await?.await?.sequence)
}

#[tokio::test]
async fn messages_and_port_survive_kill_and_restart() -> anyhow::Result<()> {
    let mut server = Server::start_with_sync_interval("always")?;
    let url = server.url();
    assert_eq!(publish(&server, "first").await?, 1);
    server.kill();
    assert!(async_nats::connect(&url).await.is_err(), "a killed server must not answer");
    server.restart()?;
    assert_eq!(server.url(), url);
    assert_eq!(publish(&server, "second").await?, 2);
    server.stop()?;
    server.restart()?;
    assert_eq!(publish(&server, "third").await?, 3);
    Ok(())
}

#[tokio::test]
async fn a_paused_server_answers_nothing_until_resumed() -> anyhow::Result<()> {
    let server = Server::start()?;
    let context = jetstream::new(async_nats::connect(server.url()).await?);
    server.pause()?;
    let question = tokio::time::timeout(Duration::from_millis(200), context.query_account());
    assert!(question.await.is_err(), "a paused server must not answer");
    server.resume()?;
    eventually(Duration::from_secs(10), async || context.query_account().await.is_ok()).await;
    Ok(())
}

#[tokio::test]
async fn two_servers_do_not_meet() -> anyhow::Result<()> {
    let (one, other) = (Server::start()?, Server::start()?);
    assert_ne!(one.url(), other.url());
    assert_eq!(publish(&one, "here").await?, 1);
    assert_eq!(publish(&other, "there").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_dropped_server_is_gone() -> anyhow::Result<()> {
    let server = Server::start()?;
    let url = server.url();
    drop(server);
    assert!(async_nats::connect(url).await.is_err());
    Ok(())
}
