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

/// What the projections of forums in county 19 stand still for, at membership and at proposals; empty where they run.
fn stopped(status: &Value) -> [String; 2] {
    ["membership", "proposals"].map(|reader| {
        let services = status.as_array().expect("services");
        let service = services.iter().find(|one| one["service"] == reader).expect("the service");
        let mut projections = service["projections"].as_array().expect("projections").iter();
        let of_forums = projections.find(|one| one["lane"] == "19" && one["source"] == "forums");
        of_forums.and_then(|one| one["stopped"].as_str()).unwrap_or_default().to_owned()
    })
}

/// How many forums the services know that read forums' events.
async fn known_forums(world: &World) -> [usize; 2] {
    let tables = world.tables().await;
    ["membership.known_forum", "proposals.known_forum"]
        .map(|name| tables.iter().find(|table| table.name == name).expect("the table").rows.len())
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
    assert_eq!(known_forums(&world).await, [4, 4]);
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
    let all_stand_still = || {
        let ended = operator.there(&["status"]);
        let why = (ended.code == 1).then(|| stopped(&serde_json::from_str(&ended.out).expect("JSON")));
        why.is_some_and(|why| why.iter().all(|why| why.contains("restored")))
    };
    eventually(PATIENCE, async || all_stand_still()).await;

    // What runs is not touched.
    operator.there(&["resync", "--service", "forums", "--projection", "membership"]).json(0);
    let wrong = operator.there(&["resync", "--service", "membership", "--projection", "rolls"]);
    wrong.refused(5, "There is no such projection in membership");
    for reader in ["membership", "proposals"] {
        let healed = operator.there(&["resync", "--service", reader, "--projection", "forums"]);
        assert_eq!(healed.code, 0, "{}{}", healed.out, healed.err);
        let last: Value = serde_json::from_str(healed.out.lines().last().expect("a line")).expect("JSON");
        assert_eq!((&last[0]["lane"], &last[0]["done"]), (&Value::from("19"), &Value::from(true)), "{last}");
    }
    world.settle().await;
    assert_eq!(known_forums(&world).await, [2, 2], "forums that are lost are not known any more");
    let status = operator.there(&["status"]).json(0);
    assert_eq!(stopped(&status), ["", ""]);
    operator.here(&["log", "verify"]).json(0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_07_readers_of_a_service_that_was_put_back_stop_and_resync_heals_them_sqlite() {
    one_service_is_put_back(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_07_readers_of_a_service_that_was_put_back_stop_and_resync_heals_them_postgres() {
    one_service_is_put_back(Store::Postgres).await;
}
