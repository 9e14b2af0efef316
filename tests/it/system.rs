//! The system as its operators know it: several in one process, services in processes of their own, started again on
//! what is there, and parts that fail in the middle.

mod faults;
mod import;
mod processes;

use proto::forums::ListForumsRequest;
use standalone::demo::{Play, Progress};
use testkit::system::Store;

use crate::support::world::World;

/// Names of the forums that everybody can see.
async fn forums(world: &World) -> Vec<String> {
    let request = ListForumsRequest { tenant: "19".to_owned(), ..Default::default() };
    let page = world.public().forums().list_forums(request).await.expect("forums").into_inner();
    page.forums.into_iter().map(|forum| forum.name).collect()
}

/// A play with an administrator and a clock at the day of the founding.
async fn begin(world: &World) -> Play {
    let play =
        Play::begin(world.server(), world.setup_code(), Progress::silent()).await.expect("an administrator");
    play.day("2026-02-16").await.expect("a day");
    play
}

/// A forum to found in county 19.
pub(crate) fn charter(name: &str) -> proto::forums::FoundForumRequest {
    proto::forums::FoundForumRequest {
        tenant: "19".to_owned(),
        name: name.to_owned(),
        purpose: "Järjestelmän koettelu".to_owned(),
        purpose_plain: "Tällä kokeillaan järjestelmää.".to_owned(),
        r#type: proto::forums::ForumType::ClientForum.into(),
        level: proto::forums::ForumLevel::Regional.into(),
        service_group: "disability_services".to_owned(),
        term_starts_on: "2026-05-01".to_owned(),
        term_ends_on: "2028-04-30".to_owned(),
        founding_decision: "POHDE/1/2026".to_owned(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_systems_in_one_process_know_nothing_of_each_other() {
    let (one, other) =
        tokio::join!(World::start(Store::Sqlite, &["19"]), World::start(Store::Sqlite, &["19"]));
    let (first, second) = tokio::join!(begin(&one), begin(&other));
    first.administrator.forums().found_forum(charter("Ensimmäinen")).await.expect("founded");
    second.administrator.forums().found_forum(charter("Toinen")).await.expect("founded");
    assert_eq!(forums(&one).await, ["Ensimmäinen"]);
    assert_eq!(forums(&other).await, ["Toinen"]);
    // A session of one is nothing in the other.
    let stranger = other.server().resume(first.administrator.session().expect("a session").to_owned());
    let refused = stranger.forums().found_forum(charter("Kolmas")).await.expect_err("a stranger's session");
    assert_eq!(refused.code(), tonic::Code::Unauthenticated);
    // Each goes on when the other has ended.
    one.finish().await;
    second.administrator.forums().found_forum(charter("Neljäs")).await.expect("founded");
    assert_eq!(forums(&other).await, ["Toinen", "Neljäs"]);
    other.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_data_folder_is_gone_on_with() {
    let mut world = World::start(Store::Sqlite, &["19"]).await;
    let play = begin(&world).await;
    play.administrator.forums().found_forum(charter("Pysyvä")).await.expect("founded");
    world.settle().await;
    let took = world.restart().await;
    println!("ready again after {took:?}");
    assert_eq!(forums(&world).await, ["Pysyvä"]);
    let session = play.administrator.session().expect("a session").to_owned();
    let again = world.server().resume(session);
    again.forums().found_forum(charter("Uusi")).await.expect("the session outlives the process");
    assert_eq!(forums(&world).await, ["Pysyvä", "Uusi"]);
    world.finish().await;
}
