//! One service is put back to an older backup while the others have gone on: what has read lost events stands still and
//! says why, and `resync` heals it.

use serde_json::Value;
use testkit::eventually;
use testkit::system::Store;

use super::{Operator, begin};
use crate::support::world::World;
use crate::system::charter;

/// Enough for a loaded machine.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// The state of membership's projection of forums in county 19.
fn projection(status: &Value) -> Value {
    let services = status.as_array().expect("services");
    let membership = services.iter().find(|one| one["service"] == "membership").expect("membership");
    let projections = membership["projections"].as_array().expect("projections");
    projections.iter().find(|one| one["lane"] == "19").cloned().unwrap_or_default()
}

async fn known_forums(world: &World) -> usize {
    let tables = world.tables().await;
    let known = tables.into_iter().find(|table| table.name == "membership.known_forum").expect("the table");
    known.rows.len()
}

async fn one_service_is_put_back(store: Store) {
    let mut world = World::start(store, &["19"]).await;
    let play = begin(&world).await;
    play.administrator.forums().found_forum(charter("Ensimmäinen")).await.expect("founded");
    world.settle().await;
    let folder = world.folder().join("backup").display().to_string();
    Operator::of(&world, &play).here(&["backup", &folder]).json(0);
    for name in ["Toinen", "Kolmas", "Neljäs"] {
        play.administrator.forums().found_forum(charter(name)).await.expect("founded");
    }
    world.settle().await;
    assert_eq!(known_forums(&world).await, 4);
    world.stop().await;
    let restore = ["restore", &folder, "--replace", "--service", "forums"];
    let restored = Operator::of(&world, &play).here(&restore).json(0);
    assert_eq!(restored["lost"].as_array().expect("asked").len(), 3, "{restored}");

    world.start_again().await;
    // Something new in the place of what is lost.
    let session = play.administrator.session().expect("a session").to_owned();
    let again = world.server().resume(session);
    again.forums().found_forum(charter("Viides")).await.expect("forums goes on");
    let operator = Operator::of(&world, &play);
    let stopped = || {
        let ended = operator.there(&["status"]);
        (ended.code == 1)
            .then(|| text(&projection(&serde_json::from_str(&ended.out).expect("JSON"))["stopped"]))
    };
    eventually(PATIENCE, async || stopped().is_some_and(|why| why.contains("restored"))).await;

    // What runs is not touched.
    operator.there(&["resync", "--service", "forums", "--projection", "membership"]).json(0);
    let wrong = operator.there(&["resync", "--service", "membership", "--projection", "rolls"]);
    wrong.refused(5, "There is no such projection in membership");
    let resync = ["resync", "--service", "membership", "--projection", "forums"];
    let healed = operator.there(&resync);
    assert_eq!(healed.code, 0, "{}{}", healed.out, healed.err);
    let last: Value = serde_json::from_str(healed.out.lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last[0]["lane"], &last[0]["done"]), (&Value::from("19"), &Value::from(true)), "{last}");
    world.settle().await;
    assert_eq!(known_forums(&world).await, 2, "forums that are lost are not known any more");
    let status = operator.there(&["status"]).json(0);
    assert_eq!(projection(&status)["stopped"], "");
    operator.here(&["log", "verify"]).json(0);
    world.finish().await;
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_07_readers_of_a_service_that_was_put_back_stop_and_resync_heals_them_sqlite() {
    one_service_is_put_back(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_07_readers_of_a_service_that_was_put_back_stop_and_resync_heals_them_postgres() {
    one_service_is_put_back(Store::Postgres).await;
}
