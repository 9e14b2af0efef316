//! The stories of the field, by their numbers, with everything running: scenario 1, what must be refused on its way, and
//! what an outsider can see and recompute afterwards.
//!
//! One election is played for each kind of database and looked at from all sides.

mod election;
mod ideas;
mod lots;
mod rejected;

use standalone::demo::{Contest, Play, Progress};
use testkit::system::Store;

use crate::privacy::Canaries;
use crate::support::world::World;
use crate::support::{log, stream};

#[tokio::test(flavor = "multi_thread")]
async fn s1_38_the_clients_elect_the_oulunkaari_forum_on_sqlite() {
    oulunkaari(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s1_38_the_clients_elect_the_oulunkaari_forum_on_postgres() {
    oulunkaari(Store::Postgres).await;
}

async fn oulunkaari(store: Store) {
    let world = World::start(store, &["19", "21"]).await;
    let mut play =
        Play::begin(world.server(), world.setup_code(), Progress::silent()).await.expect("an administrator");
    play.register().await.expect("the register");
    rejected::check_register(&world, &play).await;
    play.found().await.expect("the forum");
    rejected::check_dates(&world, &play).await;

    let mut first = play.announce(Contest::first()).await.expect("announced");
    rejected::check_nominations(&world, &play, &first).await;
    play.nominate(&mut first).await.expect("candidates");
    play.open_voting(&first).await.expect("open");
    play.cast_ballots(&first).await.expect("ballots");
    rejected::check_voting(&world, &play, &first).await;
    play.close_voting(&first).await.expect("closed");
    play.count(&first).await.expect("counted");
    play.confirm(&first).await.expect("confirmed");
    election::check_first_result(&world, &first).await;
    election::check_roll(&world, &first).await;
    election::check_first_seats(&world, &play.forum_id).await;
    rejected::check_suppression(&world, &play, &first).await;
    lots::check(&world, &first).await;

    let mut again = play.announce(Contest::again()).await.expect("announced");
    play.nominate(&mut again).await.expect("candidates");
    play.vote(&again).await.expect("ballots");
    play.count(&again).await.expect("counted");
    play.confirm(&again).await.expect("confirmed");
    election::check_second_result(&world, &again, &play.forum_id).await;

    world.settle().await;
    let messages = stream::all(&world.nats_url()).await;
    election::check_events(&messages, &first, &again, &play.forum_id);
    lots::check_announced(&world, &messages, &first, &play.board.public()).await;
    let canaries = Canaries::collect(&play, &[&first, &again]).await;
    canaries.check_itself();
    canaries.check_stream(&messages);
    canaries.check_tables(&world.tables().await);
    canaries.check_log(&log::lines());
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s1_35_county_19_alone_has_24_seats_and_none_for_simo_on_sqlite() {
    one_county_alone(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s1_35_county_19_alone_has_24_seats_and_none_for_simo_on_postgres() {
    one_county_alone(Store::Postgres).await;
}

/// Variant 1b: the lead county alone, without Simo.
async fn one_county_alone(store: Store) {
    let world = World::start(store, &["19"]).await;
    let play =
        Play::begin(world.server(), world.setup_code(), Progress::silent()).await.expect("an administrator");
    play.day("2026-02-23").await.expect("a day");
    rejected::check_one_county_alone(&world, &play.administrator).await;
    world.settle().await;
    election::check_events_of_one_county(&stream::all(&world.nats_url()).await);
    world.finish().await;
}
