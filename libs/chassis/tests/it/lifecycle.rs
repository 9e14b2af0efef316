//! Starting, being ready, ending.

use std::time::Duration;

use chassis::{Config, StartError};
use kernel::{Caller, HeldRole, Role, ScopeRef};
use proto::forums::{FoundForumRequest, GetForumRequest};
use proto::messaging::operator_service_client::OperatorServiceClient;
use proto::messaging::{GetClockRequest, GetStatusRequest, SetClockRequest};
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::fixture::{CELL, Fixture, config, reason, refused};
use crate::toy::{FORUMS, MINUTES};

async fn health(channel: &Channel, service: &str) -> Result<ServingStatus, Code> {
    let request = HealthCheckRequest { service: service.to_owned() };
    let answer = HealthClient::new(channel.clone()).check(request).await;
    answer.map(|answer| answer.into_inner().status()).map_err(|status| status.code())
}

fn operator() -> Caller {
    let roles = vec![HeldRole { role: Role::Operator, scope: ScopeRef::Cell }];
    Caller { roles, ..Caller::service("test-operator") }
}

#[tokio::test]
async fn obs_10_nats_away_is_told_but_does_not_make_unready() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    for name in ["", "live", "ready", "forums", "osallisuus.forums.v1.ForumsService"] {
        assert_eq!(health(&fixture.channel, name).await, Ok(ServingStatus::Serving), "{name:?}");
    }
    // Writes go on.
    let found = FoundForumRequest { tenant: "19".into(), ..Default::default() };
    fixture.forums().found_forum(fixture.request(fixture.administrator("19")?, found)?).await?;
    let request = fixture.request(operator(), GetStatusRequest { service: "forums".into() })?;
    let status = OperatorServiceClient::new(fixture.channel.clone()).get_status(request).await?.into_inner();
    let nats = status.dependencies.iter().find(|dependency| dependency.name == "nats").expect("nats");
    assert!(!nats.ok && !nats.detail.is_empty());
    assert!(status.dependencies.iter().any(|dependency| dependency.name == "database" && dependency.ok));
    assert_eq!((status.lanes[0].seq, status.lanes[0].published_seq), (1, 0));
    let settled = fixture.running.settle();
    assert!(tokio::time::timeout(Duration::from_millis(200), settled).await.is_err(), "nothing is published");
    Ok(())
}

#[tokio::test]
async fn obs_10_without_keys_the_process_lives_but_is_not_ready() -> anyhow::Result<()> {
    let fixture = Fixture::start_unready(&[FORUMS], "", false).await?;
    assert_eq!(health(&fixture.channel, "live").await, Ok(ServingStatus::Serving));
    for name in ["", "ready"] {
        assert_eq!(health(&fixture.channel, name).await, Ok(ServingStatus::NotServing), "{name:?}");
    }
    // What is public is answered all the same.
    fixture.forums().get_forum(GetForumRequest { forum_id: "f".into() }).await?;
    Ok(())
}

#[tokio::test]
async fn obs_11_a_stop_finishes_what_is_in_work_and_takes_nothing_new() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let Fixture { running, channel, folder, .. } = fixture;
    let watch = HealthCheckRequest { service: "ready".into() };
    let mut watching = HealthClient::new(channel.clone()).watch(watch).await?.into_inner();
    let mut forums = proto::forums::forums_service_client::ForumsServiceClient::new(channel.clone());
    let mut busy = forums.clone();
    let slow = tokio::spawn(async move { busy.get_forum(GetForumRequest { forum_id: "slow".into() }).await });
    // The slow one is in work once a request sent after it on the same connection is answered.
    forums.get_forum(GetForumRequest { forum_id: "f".into() }).await?;
    let began = std::time::Instant::now();
    running.stop().await;
    assert!(began.elapsed() < Duration::from_secs(10), "a watcher of health does not hold it up");
    slow.await??;
    while watching.message().await.is_ok_and(|message| message.is_some()) {}
    let after = forums.get_forum(GetForumRequest { forum_id: "f".into() }).await;
    assert_eq!(refused(after)?.code(), Code::Unavailable);
    drop(folder);
    Ok(())
}

#[tokio::test]
async fn two_systems_fit_in_one_process() -> anyhow::Result<()> {
    let (one, other) = (Fixture::start("").await?, Fixture::start("").await?);
    assert_ne!(one.running.addr(), other.running.addr());
    let administrator = one.administrator("19")?;
    let found = FoundForumRequest { tenant: "19".into(), ..Default::default() };
    one.forums().found_forum(one.request(administrator.clone(), found.clone())?).await?;
    let stray = one.request(administrator, found)?;
    assert_eq!(reason(&refused(other.forums().found_forum(stray).await)?), "access.token_invalid");
    one.running.stop().await;
    other.forums().get_forum(GetForumRequest { forum_id: "f".into() }).await?;
    Ok(())
}

#[tokio::test]
async fn a_port_or_a_database_in_use_is_named() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let folder = tempfile::tempdir()?;
    let listen = format!("listen.grpc = \"{}\"", fixture.running.addr());
    let text = config(&folder, "").replace("listen.grpc = \"127.0.0.1:0\"", &listen);
    let error = chassis::start(&[FORUMS], Config::from_toml(&[FORUMS], &text)?).await.expect_err("in use");
    assert!(matches!(error, StartError::Listen { .. }), "{error}");
    assert!(error.to_string().contains("listen.grpc"), "{error}");
    let same_data = Config::from_toml(&[FORUMS], &config(&fixture.folder, ""))?;
    let error = chassis::start(&[FORUMS], same_data).await.expect_err("in use");
    assert!(matches!(error, StartError::Database { service: "forums", .. }), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_service_may_refuse_its_own_settings() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let text = config(&folder, "services.forums.remind_seconds = 0");
    let error = chassis::start(&[FORUMS], Config::from_toml(&[FORUMS], &text)?).await.expect_err("refused");
    assert!(error.to_string().contains("services.forums.remind_seconds"), "{error}");
    Ok(())
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let found = FoundForumRequest { tenant: "19".into(), ..Default::default() };
    fixture.forums().found_forum(fixture.request(fixture.administrator("19")?, found)?).await?;
    let Fixture { running, folder, issuer, ids, secret, .. } = fixture;
    running.stop().await;
    let running = chassis::start(&[FORUMS], Config::from_toml(&[FORUMS], &config(&folder, ""))?).await?;
    running.ready().await;
    let channel =
        tonic::transport::Endpoint::from_shared(format!("http://{}", running.addr()))?.connect_lazy();
    let fixture = Fixture { running, channel, issuer, secret, ids, folder };
    let request = fixture.request(operator(), GetStatusRequest { service: "forums".into() })?;
    let status = OperatorServiceClient::new(fixture.channel.clone()).get_status(request).await?.into_inner();
    assert_eq!(status.lanes[0].seq, 1);
    Ok(())
}

#[tokio::test]
async fn only_a_demonstration_sets_its_clock() -> anyhow::Result<()> {
    let at = prost_types::Timestamp { seconds: 1_776_679_200, nanos: 0 };
    let set = SetClockRequest { service: "forums".into(), now: Some(at) };
    let locked = Fixture::start("").await?;
    let mut operation = OperatorServiceClient::new(locked.channel.clone());
    let status = refused(operation.set_clock(locked.request(operator(), set.clone())?).await)?;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "clock.locked"));
    let demo = Fixture::start("demo = true\nclock.demo_start = \"2026-01-15T09:00:00Z\"").await?;
    let mut operation = OperatorServiceClient::new(demo.channel.clone());
    let get = || demo.request(operator(), GetClockRequest { service: "forums".into() });
    let clock = operation.get_clock(get()?).await?.into_inner();
    assert!(clock.settable);
    assert_eq!(clock.now.map(|now| now.seconds / 60), Some(1_768_467_600 / 60));
    operation.set_clock(demo.request(operator(), set)?).await?;
    let clock = operation.get_clock(get()?).await?.into_inner();
    assert_eq!(clock.now.map(|now| now.seconds / 60), Some(at.seconds / 60));
    Ok(())
}

#[tokio::test]
async fn an_operator_is_told_which_services_a_process_has() -> anyhow::Result<()> {
    let fixture = Fixture::start_unready(&[FORUMS, MINUTES], "", true).await?;
    fixture.running.ready().await;
    let request = fixture.request(operator(), GetStatusRequest { service: "reporting".into() })?;
    let status = refused(OperatorServiceClient::new(fixture.channel.clone()).get_status(request).await)?;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "access.not_served"));
    // A token for one service is none for another, though one RPC serves both.
    let request = fixture.request(operator(), GetStatusRequest { service: "minutes".into() })?;
    let status = refused(OperatorServiceClient::new(fixture.channel.clone()).get_status(request).await)?;
    assert_eq!(reason(&status), "access.token_invalid");
    assert_eq!(CELL, "test");
    Ok(())
}

#[tokio::test]
async fn reflection_is_served_where_it_is_wanted() -> anyhow::Result<()> {
    let fixture = Fixture::start("listen.reflection = true").await?;
    let mut client = tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient::new(
        fixture.channel.clone(),
    );
    let list =
        tonic_reflection::pb::v1::server_reflection_request::MessageRequest::ListServices(String::new());
    let request = tonic_reflection::pb::v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(list),
    };
    let mut answers = client.server_reflection_info(futures::stream::iter([request])).await?.into_inner();
    let answer = format!("{:?}", answers.message().await?);
    assert!(answer.contains("osallisuus.forums.v1.ForumsService"), "{answer}");
    assert!(answer.contains("grpc.health.v1.Health"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn obs_11_what_does_not_end_in_time_is_left_behind() -> anyhow::Result<()> {
    let fixture = Fixture::start("stop.drain_seconds = 1").await?;
    let mut forums = fixture.forums();
    let mut busy = forums.clone();
    let never = GetForumRequest { forum_id: "never".into() };
    let hanging = tokio::spawn(async move { busy.get_forum(never).await });
    // It is in work once a request sent after it on the same connection is answered.
    forums.get_forum(GetForumRequest { forum_id: "f".into() }).await?;
    let began = std::time::Instant::now();
    fixture.running.stop().await;
    assert!(
        (Duration::from_millis(900)..Duration::from_secs(8)).contains(&began.elapsed()),
        "{:?}",
        began.elapsed()
    );
    hanging.abort();
    Ok(())
}

#[tokio::test]
async fn embedded_nats_is_started_and_ended_with_the_services() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let nats = format!("nats.url = \"embedded\"\nnats.server = \"{}\"", testkit::nats::program()?.display());
    let text = config(&folder, &nats).replacen("nats.url = \"nats://127.0.0.1:9\"\n", "", 1);
    let pid_file = folder.path().join("nats/nats.pid");
    for _ in 0..2 {
        let config = Config::from_toml(&[FORUMS, MINUTES], &text)?;
        let running = chassis::start(&[FORUMS, MINUTES], config).await?;
        assert!(pid_file.exists());
        running.settle().await?;
        running.stop().await;
        assert!(!pid_file.exists());
    }
    Ok(())
}
