//! What a system needs goes away in the middle, and comes back.

use std::time::Duration;

use proto::forums::ListForumsRequest;
use proto::membership::{IssueActorTokenRequest, SignInWithCodeCardRequest};
use proto::messaging::{GetStatusRequest, GetStatusResponse};
use standalone::client::Account;
use testkit::eventually;
use testkit::postgres::Cluster;
use testkit::system::Store;
use tonic::{Code, Request, Status};
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
    let session = administrator.session().expect("a session").to_owned();
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
    let list = || ListForumsRequest { tenant: "19".to_owned(), ..Default::default() };
    let token = || IssueActorTokenRequest {
        session: session.clone(),
        audience: "forums".to_owned(),
        ..Default::default()
    };
    let card =
        || SignInWithCodeCardRequest { card: "2345-6789".to_owned(), code: "2345-6789-2345".to_owned() };
    is_away("a command", administrator.forums().found_forum(command()).await);
    is_away("a query", administrator.forums().list_forums(list()).await);
    is_away("a token", world.public().sign_in().issue_actor_token(token()).await);
    is_away("a sign-in", world.public().sign_in().sign_in_with_code_card(card()).await);

    cluster.restart().expect("PostgreSQL is back");
    // The same command again, as a client does it that was told to wait.
    eventually(PATIENCE, async || administrator.forums().found_forum(command()).await.is_ok()).await;
    assert_eq!(forums(&world).await, ["Ennen", "Kesken"], "done once");
    // The other service has its own connections, which come back too.
    let issued = async || world.public().sign_in().issue_actor_token(token()).await.is_ok();
    eventually(PATIENCE, issued).await;
    // As long as its writer's connection is the old one, it says so.
    let refused = async || {
        let wrong = world.public().sign_in().sign_in_with_code_card(card()).await.expect_err("no such card");
        wrong.code() != Code::Unavailable
    };
    eventually(PATIENCE, refused).await;
    world.finish().await;
}

/// Checks the answer of a system whose database is away: it says when to come again, and nothing of the inside.
fn is_away<T: std::fmt::Debug>(what: &str, answer: Result<T, Status>) {
    let status = answer.expect_err("the database is away");
    assert_eq!(status.code(), Code::Unavailable, "{what}: {}", status.message());
    let details = status.get_error_details();
    let wait = details.retry_info().and_then(|info| info.retry_delay);
    let wait = wait.unwrap_or_else(|| panic!("{what}: the answer says when to come again"));
    assert!(wait > Duration::ZERO && wait < Duration::from_secs(60), "{what}: {wait:?}");
    for leak in ["postgres", "127.0.0.1", "connection refused"] {
        let message = status.message().to_lowercase();
        assert!(!message.contains(leak), "{what}: internals in {message:?}");
    }
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
