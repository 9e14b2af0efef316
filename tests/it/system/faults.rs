//! What a system needs goes away in the middle, and comes back.

use std::time::Duration;

use proto::messaging::{GetStatusRequest, GetStatusResponse};
use standalone::client::Account;
use testkit::eventually;
use testkit::postgres::Cluster;
use testkit::system::Store;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use super::{begin, charter, forums};
use crate::support::stream;
use crate::support::world::{self, World};

/// Long enough for a loaded machine to notice that something is back.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn postgres_stopped_in_the_middle_is_told_and_survived() {
    let mut cluster = Cluster::start().expect("a PostgreSQL of its own");
    let mut databases = Vec::new();
    for service in world::SERVICES {
        databases.push((service.name, cluster.create_database().await.expect("a database")));
    }
    let world = World::start_with(Store::Postgres, &["19"], &databases, &[]).await;
    let play = begin(&world).await;
    let administrator = play.administrator.clone();
    administrator.forums().found_forum(charter("Ennen")).await.expect("founded");
    world.settle().await;

    cluster.crash().expect("PostgreSQL ends");
    let command = || {
        let mut request = Request::new(charter("Kesken"));
        request
            .metadata_mut()
            .insert("idempotency-key", "one-act-of-the-administrator".parse().expect("a header"));
        request
    };
    let status = administrator.forums().found_forum(command()).await.expect_err("the database is away");
    assert_eq!(status.code(), Code::Unavailable, "{}", status.message());
    let details = status.get_error_details();
    let wait =
        details.retry_info().and_then(|info| info.retry_delay).expect("the answer says when to come again");
    assert!(wait > Duration::ZERO && wait < Duration::from_secs(60), "{wait:?}");
    for leak in ["postgres", "127.0.0.1", "connection refused"] {
        assert!(!status.message().to_lowercase().contains(leak), "internals in {:?}", status.message());
    }

    cluster.restart().expect("PostgreSQL is back");
    // The same command again, as a client does it that was told to wait.
    eventually(PATIENCE, async || administrator.forums().found_forum(command()).await.is_ok()).await;
    assert_eq!(forums(&world).await, ["Ennen", "Kesken"], "done once");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn obs_12_without_nats_writes_go_on_and_the_state_says_so() {
    let mut world = World::start(Store::Sqlite, &["19"]).await;
    let play = begin(&world).await;
    world.settle().await;
    let before = stream::all(&world.nats_url()).await.len();

    world.nats().kill();
    play.administrator.forums().found_forum(charter("Ilman")).await.expect("writing needs no NATS");
    assert_eq!(forums(&world).await, ["Ilman"], "nor does reading");
    let down = async || !nats_ok(&status(&play.administrator).await);
    eventually(PATIENCE, down).await;
    let told = status(&play.administrator).await;
    let nats =
        told.dependencies.iter().find(|dependency| dependency.name == "nats").expect("nats is a dependency");
    assert!(!nats.detail.is_empty(), "an operator is told what is wrong");
    assert!(told.lanes.iter().any(|lane| lane.published_seq < lane.seq), "the event waits in the log");

    world.nats().restart().expect("NATS is back");
    eventually(PATIENCE, async || nats_ok(&status(&play.administrator).await)).await;
    world.settle().await;
    let after = stream::lanes(&stream::all(&world.nats_url()).await);
    let events: usize = after.values().map(Vec::len).sum();
    assert!(events > before, "the event has followed");
    world.finish().await;
}

async fn status(operator: &Account) -> GetStatusResponse {
    let request = GetStatusRequest { service: "forums".to_owned() };
    operator.operator("forums").get_status(request).await.expect("the state").into_inner()
}

fn nats_ok(status: &GetStatusResponse) -> bool {
    status.dependencies.iter().any(|dependency| dependency.name == "nats" && dependency.ok)
}
