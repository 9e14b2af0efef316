//! The drill: a backup under load, everything destroyed, everything back but what came after the backup, which is named.

use std::collections::BTreeMap;

use messaging::{Database, log};
use proto::forums::ListForumsRequest;
use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use standalone::client::Account;
use standalone::demo::Play;
use testkit::system::Store;

use super::{Operator, begin};
use crate::support::world::World;
use crate::system::charter;

/// Names of the forums that everybody can see.
async fn forums(world: &World) -> Vec<String> {
    let (mut names, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListForumsRequest { tenant: "19".to_owned(), page_size: 200, page_token };
        let page = world.public().forums().list_forums(request).await.expect("forums").into_inner();
        names.extend(page.forums.into_iter().map(|forum| forum.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            names.sort();
            return names;
        }
    }
}

async fn found(account: &Account, name: &str) {
    account.forums().found_forum(charter(name)).await.expect("founded");
}

/// Every event of every log: service, lane, number, type, id.
async fn events(world: &World) -> BTreeMap<(String, String, u64), (String, String)> {
    let mut found = BTreeMap::new();
    for (service, url) in world.databases() {
        let database = Database::look(url, service).await.expect("readable");
        for head in log::heads(&database).await.expect("heads") {
            let mut from = 1;
            while from <= head.seq {
                for event in log::events(&database, &head.lane, from, 256).await.expect("events") {
                    from = event.seq + 1;
                    let key = ((*service).to_owned(), event.lane, event.seq);
                    found.insert(key, (event.event_type, event.event_id));
                }
            }
        }
        database.close().await.expect("closed");
    }
    found
}

/// Leaves nothing of the databases.
async fn destroy(world: &World) {
    for (_, url) in world.databases() {
        if let Some(path) = url.strip_prefix("sqlite://") {
            let path = path.split('?').next().expect("a path");
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{path}{suffix}"));
            }
        } else {
            let connection = sea_orm::Database::connect(url).await.expect("PostgreSQL");
            let gone = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
            connection.execute_unprepared(gone).await.expect("destroyed");
            connection.close().await.expect("closed");
        }
    }
}

/// Founds forums until told to end; gives the names of those that were acknowledged.
async fn load(account: Account, stop: tokio::sync::watch::Receiver<bool>, who: usize) -> Vec<String> {
    let mut names = Vec::new();
    while !*stop.borrow() {
        let name = format!("Kuorma {who} {:04}", names.len());
        found(&account, &name).await;
        names.push(name);
    }
    names
}

/// A platform with some forums, and a backup that was taken while forums were founded.
async fn backed_up(store: Store) -> (World, Play, Vec<String>, Value) {
    let world = World::start(store, &["19"]).await;
    let play = begin(&world).await;
    for name in ["Ensimmäinen", "Toinen"] {
        found(&play.administrator, name).await;
    }
    let before = forums(&world).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let loads: Vec<_> =
        (0..4).map(|who| tokio::spawn(load(play.administrator.clone(), stopped.clone(), who))).collect();
    let folder = world.folder().join("backup").display().to_string();
    let settings = world.settings().to_owned();
    let backup = tokio::task::spawn_blocking(move || super::here(&settings, &["backup", &folder]));
    let manifest = backup.await.expect("it ends").json(0);
    stop.send_replace(true);
    for load in loads {
        assert!(!load.await.expect("no call failed").is_empty(), "the backup was taken under load");
    }
    found(&play.administrator, "Varmuuskopion jälkeen").await;
    (world, play, before, manifest)
}

/// Heads as a manifest has them.
fn ends(manifest: &Value) -> BTreeMap<(String, String), u64> {
    let mut ends = BTreeMap::new();
    for copy in manifest["services"].as_array().expect("copies") {
        for lane in copy["lanes"].as_array().expect("lanes") {
            let key = (text(&copy["service"]), text(&lane["lane"]));
            ends.insert(key, lane["seq"].as_u64().expect("a number"));
        }
    }
    ends
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

async fn drill(store: Store) {
    let (mut world, play, before, manifest) = backed_up(store).await;
    world.settle().await;
    let folder = world.folder().join("backup").display().to_string();
    let operator = Operator::of(&world, &play);
    operator.here(&["backup", &folder]).refused(5, "there already");
    operator.here(&["restore", &folder, "--replace"]).refused(5, "Stop the system first");
    operator.here(&["new-epoch"]).refused(5, "Stop the system first");
    operator.here(&["log", "verify"]).json(0);
    let all = events(&world).await;
    world.stop().await;

    Operator::of(&world, &play).here(&["restore", &folder]).refused(5, "--replace");
    destroy(&world).await;
    let restored = Operator::of(&world, &play).here(&["restore", &folder]).json(0);
    let ends = ends(&manifest);
    let is_lost = |key: &&(String, String, u64)| {
        key.2 > ends.get(&(key.0.clone(), key.1.clone())).copied().unwrap_or_default()
    };
    let named: BTreeMap<(String, String, u64), (String, String)> = restored["lost"]
        .as_array()
        .expect("the streams were asked")
        .iter()
        .map(|lost| {
            let key = (text(&lost["service"]), text(&lost["lane"]), lost["seq"].as_u64().expect("a number"));
            (key, (text(&lost["event_type"]), text(&lost["event_id"])))
        })
        .collect();
    let lost: BTreeMap<_, _> =
        all.iter().filter(|(key, _)| is_lost(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    assert!(!lost.is_empty());
    assert_eq!(named, lost, "what is lost is named, exactly");
    assert_eq!(restored["unknown"], Value::Array(Vec::new()), "and nothing else is lost");
    let kept = std::fs::read(text(&restored["lost_file"])).expect("the list outlives the screen");
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    assert_eq!(kept["lost"], restored["lost"]);

    world.start_again().await;
    let operator = Operator::of(&world, &play);
    let kept: BTreeMap<_, _> = all.into_iter().filter(|(key, _)| !is_lost(&key)).collect();
    let now = events(&world).await;
    assert!(kept.iter().all(|(key, event)| now.get(key) == Some(event)), "what was backed up is there");
    let names = forums(&world).await;
    assert!(before.iter().all(|name| names.contains(name)), "{names:?}");
    assert!(!names.contains(&"Varmuuskopion jälkeen".to_owned()));
    let again = world.server().resume(play.administrator.session().expect("a session").to_owned());
    found(&again, "Palautuksen jälkeen").await;
    world.settle().await;
    operator.here(&["log", "verify"]).json(0);
    operator.there(&["status"]).json(0);
    assert!(forums(&world).await.contains(&"Palautuksen jälkeen".to_owned()));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drill_a_backup_under_load_brings_everything_back_and_the_loss_is_named_exactly_sqlite() {
    drill(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drill_a_backup_under_load_brings_everything_back_and_the_loss_is_named_exactly_postgres() {
    drill(Store::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nats_gone_too_the_streams_are_filled_again_from_the_logs() {
    let (mut world, play, _, _) = backed_up(Store::Sqlite).await;
    world.stop().await;
    destroy(&world).await;
    world.nats().kill();
    let folder = world.folder().join("backup").display().to_string();
    Operator::of(&world, &play).here(&["restore", &folder]).refused(4, "--without-streams");
    let restored = Operator::of(&world, &play).here(&["restore", &folder, "--without-streams"]).json(0);
    assert_eq!(restored["lost"], Value::Null, "nobody was asked");
    *world.nats() = testkit::nats::Server::start().expect("another nats-server");
    world.point_to_nats();
    let again = Operator::of(&world, &play).here(&["restore", &folder, "--replace"]).json(0);
    assert!(
        !again["unknown"].as_array().expect("lanes").is_empty(),
        "without a stream nobody knows: {again}"
    );
    world.start_again().await;
    world.settle().await;
    let streamed = crate::support::stream::all(&world.nats_url()).await;
    assert_eq!(streamed.len(), events(&world).await.len(), "every event of the logs is in the streams");
    let operator = Operator::of(&world, &play);
    operator.here(&["log", "verify"]).json(0);
    operator.there(&["status"]).json(0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_refused_and_nothing_is_touched() {
    let (mut world, play, _, manifest) = backed_up(Store::Sqlite).await;
    world.stop().await;
    let folder = world.folder().join("backup");
    let file = folder.join(text(&manifest["services"][0]["file"]));
    let mut bytes = std::fs::read(&file).expect("the copy");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).expect("written");
    let all = events(&world).await;
    let folder = folder.display().to_string();
    Operator::of(&world, &play).here(&["restore", &folder, "--replace"]).refused(1, "SHA-256");
    let key = world.folder().join("secrets").join("forums.key");
    let away = key.with_extension("away");
    std::fs::rename(&key, &away).expect("moved");
    let with_secrets = ["restore", &folder, "--replace", "--with-secrets"];
    Operator::of(&world, &play).here(&with_secrets).refused(5, "forums.key");
    std::fs::rename(&away, &key).expect("moved back");
    assert_eq!(events(&world).await, all);
    world.start_again().await;
    world.finish().await;
}
