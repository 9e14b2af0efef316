//! A projection is read again from the first event while the system runs: nothing is different afterwards, and what no
//! event writes any more is gone.

use std::collections::BTreeMap;

use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use standalone::demo::Contest;
use testkit::eventually;
use testkit::system::Store;

use super::{Operator, begin};
use crate::support::dump::Table;
use crate::support::world::World;
use crate::system::charter;

/// Enough for a loaded machine.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// All content, without the count of rebuilds.
async fn content(world: &World) -> BTreeMap<String, Table> {
    let mut tables = world.content().await;
    for row in tables.iter_mut().flat_map(|table| &mut table.rows) {
        row.remove("generation");
    }
    // That an operator asked for it is on record.
    tables.retain(|table| !table.name.contains(".audit"));
    tables.into_iter().map(|table| (table.name.clone(), table)).collect()
}

/// Whether the notices of filled seats have gone to membership.
async fn is_told(world: &World) -> bool {
    let tables = world.tables().await;
    let jobs = tables.iter().find(|table| table.name == "forums.job").expect("the table");
    let mut notices = jobs.rows.iter().filter(|row| row["kind"].as_deref() == Some("forums.seat_filled"));
    notices.all(|row| row["state"].as_deref() == Some("done"))
}

async fn execute(world: &World, service: &str, statement: &str) {
    let (_, url) = world.databases().iter().find(|(name, _)| *name == service).expect("the service");
    let connection = sea_orm::Database::connect(url).await.expect("the database");
    connection.execute_unprepared(statement).await.expect("executed");
    connection.close().await.expect("closed");
}

async fn rebuilt(store: Store) {
    let world = World::start(store, &["19", "21"]).await;
    let mut play = begin(&world).await;
    play.register().await.expect("registered");
    play.found().await.expect("founded");
    // One without a plan: nothing but a rebuild takes away what is not in its events.
    let unplanned = play.administrator.forums().found_forum(charter("Ilman paikkajakoa")).await;
    unplanned.expect("founded");
    let mut contest = play.announce(Contest::first()).await.expect("announced");
    play.nominate(&mut contest).await.expect("nominated");
    play.vote(&contest).await.expect("voted");
    play.count(&contest).await.expect("counted");
    play.confirm(&contest).await.expect("confirmed");
    world.settle().await;
    // Members are told of their seats by a job, which writes too.
    eventually(PATIENCE, async || is_told(&world).await).await;
    let before = content(&world).await;
    // Rows that nothing accounts for, as an event of a lost log would have left them.
    execute(&world, "forums", "INSERT INTO policy_value (tenant, key, valid_from, value) VALUES ('19', 'small_cell', '2026-01-01', 7)").await;
    execute(&world, "membership", "UPDATE known_forum SET seat_plan = '009'").await;
    execute(&world, "proposals", "UPDATE service_unit SET name = 'Lost'").await;
    execute(&world, "proposals", "UPDATE known_forum SET co_tenants = '09'").await;

    let operator = Operator::of(&world, &play);
    let projections = [
        ("forums", "membership"),
        ("forums", "proposals"),
        ("membership", "forums"),
        ("proposals", "membership"),
        ("proposals", "forums"),
    ];
    for (service, projection) in projections {
        let rebuild = ["projection", "rebuild", "--service", service, "--projection", projection];
        for _ in 0..2 {
            let ended = operator.there(&rebuild);
            assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
            let last: Value = serde_json::from_str(ended.out.lines().last().expect("a line")).expect("JSON");
            for lane in last.as_array().expect("lanes") {
                assert_eq!(lane["done"], true, "{last}");
                assert!(lane["seq"].as_u64() >= lane["target"].as_u64(), "{last}");
            }
        }
    }
    world.settle().await;
    let after = content(&world).await;
    for (name, table) in &before {
        assert_eq!(Some(table), after.get(name), "{name} is as it was");
    }
    operator.there(&["status"]).json(0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rel_44_a_projection_that_is_rebuilt_while_everything_runs_is_as_it_was_sqlite() {
    rebuilt(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rel_44_a_projection_that_is_rebuilt_while_everything_runs_is_as_it_was_postgres() {
    rebuilt(Store::Postgres).await;
}
