//! Commands of an operator that are killed at any of their steps and run again: nothing of the old database is lost
//! before the new one stands, nothing starts in between, and the second run ends as the first should have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use messaging::{Database, log};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::Value;
use testkit::eventually;
use testkit::system::Store;
use tests::load::Load;
use tests::matrix::points::COMMANDS;
use tests::operation::end_leases;
use tests::place::Place;
use tests::scene::{Scene, Stage};
use tests::verdict::{connect, drained};

use super::Ended;

/// Answered commands before the backup and after it.
const SOME: u64 = 12;
/// Enough for a loaded machine.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Where the lanes of every service end: service and lane, epoch and number.
type Ends = BTreeMap<(String, String), (u64, u64)>;

/// A place whose databases go on beyond a backup of it, at rest, to be copied.
struct Patient {
    place: Place,
    scene: Scene,
    _folder: tempfile::TempDir,
    backup: String,
    /// Where the backup ends.
    then: Ends,
}

impl Patient {
    async fn new(store: Store) -> Self {
        let (mut place, scene) = Scene::make(store, Stage::Founded).await.expect("a scene");
        let folder = tempfile::tempdir().expect("a folder");
        let backup = folder.path().join("backup").display().to_string();
        run(&place, &["backup", &backup], "").json(0);
        let then = ends(&place).await;
        let server = place.server().expect("a client");
        let program = place.run(&scene.start()).await.expect("it runs");
        let mut load = Load::start("sitten", &server, &scene);
        load.more(SOME).await.expect("load");
        load.stop().await.expect("no call failed");
        drained(&server, &scene).await.expect("everything arrives");
        program.stop().expect("it stops");
        place.nats.stop().expect("it stops");
        Self { place, scene, _folder: folder, backup, then }
    }

    async fn copy(&self) -> Place {
        self.place.copy(true).await.expect("a copy")
    }

    /// The system starts, and everything arrives.
    async fn works(&self, place: Place) {
        end_leases(&place).await.expect("no leases");
        let program = place.run(&self.scene.start()).await.expect("it starts");
        drained(&place.server().expect("a client"), &self.scene).await.expect("everything arrives");
        program.stop().expect("it stops");
        run(&place, &["log", "verify"], "").json(0);
        place.remove().await.expect("removed");
    }
}

/// Runs a command, with what `fail` is told.
fn run(place: &Place, arguments: &[&str], plan: &str) -> Ended {
    let mut command = place.operate(arguments).expect("the program");
    if !plan.is_empty() {
        command.env("FAILPOINTS", plan);
    }
    Ended::of(command)
}

/// Lets a command die at a passage of a point, and waits until what it had begun in PostgreSQL has ended too.
async fn die(place: &Place, arguments: &[&str], point: &str, passage: u32) {
    assert!(COMMANDS.contains(&point), "{point}");
    let plan =
        if passage == 1 { format!("{point}=return") } else { format!("{point}={}*off->return", passage - 1) };
    let ended = run(place, arguments, &plan);
    assert_eq!(ended.code, -1, "{point}: it was to be killed: {}{}", ended.out, ended.err);
    if place.store() == Store::Sqlite {
        return;
    }
    for (service, _) in &place.databases {
        let connection = connect(place, service).await.expect("PostgreSQL");
        let question = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                        AND pid <> pg_backend_pid()";
        let alone = async || {
            let question = Statement::from_string(connection.get_database_backend(), question);
            let row = connection.query_one_raw(question).await.expect("an answer").expect("a row");
            row.try_get_by_index::<i64>(0).expect("a number") == 0
        };
        eventually(PATIENCE, alone).await;
        connection.close().await.expect("closed");
    }
}

async fn ends(place: &Place) -> Ends {
    let mut ends = Ends::new();
    for (service, url) in &place.databases {
        let database = Database::look(url, service).await.expect("readable");
        for head in log::heads(&database).await.expect("heads") {
            ends.insert(((*service).to_owned(), head.lane), (head.epoch, head.seq));
        }
        database.close().await.expect("closed");
    }
    ends
}

/// Whether a service's lanes end as before, or else as the backup in a new epoch.
fn is_old(service: &str, now: &Ends, old: &Ends, backup: &Ends) -> bool {
    let of = |ends: &Ends| -> Ends {
        ends.iter().filter(|((name, _), _)| name == service).map(|(key, end)| (key.clone(), *end)).collect()
    };
    let (now, old, backup) = (of(now), of(old), of(backup));
    if now == old {
        return true;
    }
    for (key, (epoch, seq)) in &now {
        let (then, end) = backup.get(key).copied().unwrap_or_default();
        assert!(*epoch > then && *seq == end, "{key:?} is neither as before nor as the backup: {now:?}");
    }
    false
}

/// A death of `restore`: where, at which passage, how many databases are new by then, and whether anything starts.
struct Death {
    point: &'static str,
    passage: u32,
    new: usize,
    is_marked: bool,
}

const fn death(point: &'static str, passage: u32, new: usize) -> Death {
    Death { point, passage, new, is_marked: true }
}

async fn restore_dies(patient: &Patient) {
    let old = ends(&patient.place).await;
    let deaths = match patient.place.store() {
        Store::Sqlite => vec![
            Death { is_marked: false, ..death("restore.staged", 1, 0) },
            death("restore.marked", 1, 0),
            death("restore.log_folded", 1, 0),
            death("restore.before_rename", 1, 0),
            death("restore.put_back", 1, 1),
            death("restore.before_rename", 2, 1),
            death("restore.stream_emptied", 1, 3),
            death("restore.finished", 1, 3),
        ],
        // What is the same on both is seen above.
        Store::Postgres => vec![
            death("restore.marked", 1, 0),
            death("restore.before_commit", 1, 0),
            death("restore.before_commit", 2, 1),
            death("restore.finished", 1, 3),
        ],
    };
    for Death { point, passage, new, is_marked } in deaths {
        let place = patient.copy().await;
        let restore = ["restore", &patient.backup, "--replace"];
        die(&place, &restore, point, passage).await;
        let now = ends(&place).await;
        let services = place.databases.iter().map(|(service, _)| *service);
        let is_new = services.filter(|service| !is_old(service, &now, &old, &patient.then)).count();
        assert_eq!(is_new, new, "{point} {passage}: {now:?}");
        run(&place, &["log", "verify"], "").json(0);
        if is_marked {
            let another = format!("{}-again", patient.backup);
            for arguments in [vec!["up"], vec!["new-epoch"], vec!["backup", &another]] {
                run(&place, &arguments, "").refused(5, "osallisuus restore");
            }
            assert!(!Path::new(&another).exists() && !Path::new(&format!("{another}.partial")).exists());
        }
        // Where one has begun, nobody need say again that what is there goes.
        let again = if is_marked && point != "restore.finished" { &restore[..2] } else { &restore[..] };
        let restored = run(&place, again, "").json(0);
        let files = restored["lost_files"].as_array().expect("files");
        assert!(
            files.len() > usize::from(is_marked),
            "{point} {passage}: the first list is named too: {restored}"
        );
        assert!(lost(files) >= beyond(&old, &patient.then), "{point} {passage}: {restored}");
        let now = ends(&place).await;
        for (service, _) in &place.databases {
            assert!(!is_old(service, &now, &old, &patient.then), "{point} {passage}: {now:?}");
        }
        run(&place, &["log", "verify"], "").json(0);
        // Some of the old and some of the new database, and nothing in the streams any more.
        if ["restore.put_back", "restore.stream_emptied"].contains(&point)
            || (point, passage) == ("restore.before_commit", 2)
        {
            patient.works(place).await;
        } else {
            place.remove().await.expect("removed");
        }
    }
}

/// How many events the lists name, each once.
fn lost(files: &[Value]) -> usize {
    let mut ids = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file.as_str().expect("a path")).expect("the list");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        ids.extend(lines.filter_map(|line| line["event_id"].as_str().map(str::to_owned)));
    }
    ids.len()
}

/// How many events came after the backup.
fn beyond(old: &Ends, backup: &Ends) -> usize {
    let more = |(key, (_, seq)): (&(String, String), &(u64, u64))| {
        seq - backup.get(key).map(|(_, end)| *end).unwrap_or_default()
    };
    usize::try_from(old.iter().map(more).sum::<u64>()).expect("a few")
}

async fn others_die(patient: &Patient) {
    let place = patient.copy().await;
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("backup");
    let (name, partial) = (target.display().to_string(), folder.path().join("backup.partial"));
    for (point, passage) in
        [("backup.cut", 1), ("backup.copied", 1), ("backup.copied", 2), ("backup.before_complete", 1)]
    {
        die(&place, &["backup", &name], point, passage).await;
        assert!(partial.exists() && !target.exists(), "{point} {passage}: it appears when it is complete");
    }
    // The folder of another time is only named, its own is cleaned.
    std::fs::create_dir(folder.path().join("yesterday.partial")).expect("a folder");
    let taken = run(&place, &["backup", &name], "").json(0);
    let left = taken["left_over"].as_array().expect("folders");
    assert!(
        left.len() == 1 && left[0].as_str().is_some_and(|path| path.ends_with("yesterday.partial")),
        "{taken}"
    );
    assert!(!partial.exists() && target.join("manifest.json").exists());

    let before = ends(&place).await;
    die(&place, &["new-epoch"], "new_epoch.begun", 1).await;
    let epochs = |ends: &Ends| -> Vec<u64> { ends.values().map(|(epoch, _)| *epoch).collect() };
    let half = ends(&place).await;
    assert!(epochs(&half) != epochs(&before), "one has begun");
    run(&place, &["log", "verify"], "").json(0);
    run(&place, &["new-epoch"], "").json(0);
    let after = ends(&place).await;
    assert!(
        after.iter().all(|(key, (epoch, seq))| {
            before.get(key).is_none_or(|(old, end)| epoch > old && seq == end)
        })
    );
    patient.works(place).await;

    // What was copied after all those deaths can be put back.
    let place = patient.copy().await;
    run(&place, &["restore", &name, "--replace"], "").json(0);
    run(&place, &["log", "verify"], "").json(0);
    place.remove().await.expect("removed");
}

async fn all_die(store: Store) {
    let patient = Patient::new(store).await;
    restore_dies(&patient).await;
    others_die(&patient).await;
    patient.place.remove().await.expect("removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_are_killed_at_any_step_lose_nothing_and_are_run_again_sqlite() {
    all_die(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_are_killed_at_any_step_lose_nothing_and_are_run_again_postgres() {
    all_die(Store::Postgres).await;
}
