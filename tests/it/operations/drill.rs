//! The drill: a backup under load; later everything is killed and destroyed, and restored. What clients were told before
//! the backup is there, what they were told after it is lost, and the loss is named event by event.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use kernel::{Clock as _, SystemClock, Timestamp};
use messaging::{Database, causation, log};
use serde_json::Value;
use standalone::ledger::journal::{self, Outcome};
use testkit::nats;
use testkit::system::Store;
use tests::load::Load;
use tests::operation::end_leases;
use tests::place::Place;
use tests::scene::{Scene, Stage};
use tests::verdict::drained;

use super::Ended;
use crate::support::stream;

/// Answered commands between one moment and the next.
const SOME: u64 = 30;

/// An event of a log.
#[derive(Clone, Debug)]
struct Event {
    service: &'static str,
    id: String,
    cause: String,
    /// Whether the backup does not have it.
    is_lost: bool,
}

/// A drill at the moment of the disaster.
struct Drill {
    place: Place,
    scene: Scene,
    /// The backup; outside of what is destroyed.
    backup: tempfile::TempDir,
    manifest: Value,
    /// Before the backup began, and when its snapshots had been taken: microseconds since 1970.
    taken: (i64, i64),
    /// Every event of every log.
    events: Vec<Event>,
    /// Ids of those that are in the streams.
    published: BTreeSet<String>,
}

/// What became of a call, seen from the backup.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Acknowledged before it began.
    Before,
    /// While it was taken, or nobody knows.
    Perhaps,
    /// Sent after it was taken.
    After,
}

impl Drill {
    /// A system in the days of voting, under load; a backup in the middle of it; a while later NATS takes no more, and
    /// then everything is killed.
    async fn disaster(store: Store) -> Self {
        let (place, scene) = Scene::make(store, Stage::Voting).await.expect("an election");
        let server = place.server().expect("a client");
        let program = place.run(&scene.start()).await.expect("it runs");
        let mut load = Load::start("ennen", &server, &scene);
        load.more(SOME).await.expect("load before the backup");
        let backup = tempfile::tempdir().expect("a folder");
        let began = SystemClock.now().as_micros();
        let folder = folder_of(&backup);
        let command = place.operate(&["backup", &folder, "--with-secrets"]).expect("the program");
        let taking = tokio::task::spawn_blocking(move || Ended::of(command));
        let under_load = load.answered();
        let manifest = taking.await.expect("it ends").json(0);
        assert!(load.answered() > under_load, "the backup was taken under load");
        let taken_at: Timestamp = manifest["taken_at"].as_str().expect("a time").parse().expect("a time");
        load.more(SOME).await.expect("load after the backup");
        place.nats.pause().expect("frozen");
        load.more(SOME).await.expect("load without NATS");
        program.kill();
        load.abandon().await;
        place.nats.resume().expect("thawed");
        let events = events(&place, &manifest).await;
        let messages = stream::all(&place.nats.url()).await;
        let published = messages.iter().map(|message| message.header("ce-id").to_owned()).collect();
        let taken = (began, taken_at.as_micros());
        Self { place, scene, backup, manifest, taken, events, published }
    }

    /// Everything but NATS is gone.
    async fn destroy(&self) {
        self.place.destroy().await.expect("destroyed");
    }

    fn restore(&self, more: &[&str]) -> Ended {
        let folder = folder_of(&self.backup);
        let arguments = ["restore", &folder, "--with-secrets"];
        let mut command = self.place.operate(&arguments).expect("the program");
        command.args(more);
        Ended::of(command)
    }

    /// What became of each call, by the id of its command. Of several attempts with one key, the first that is known
    /// to have ended counts.
    async fn told(&self) -> BTreeMap<String, Told> {
        let mut told = BTreeMap::new();
        for file in self.place.journals().await.expect("journals") {
            let each = async |call: journal::Operation| {
                let cause = causation(&call.call.principal, &call.call.key);
                let entry = told.entry(cause).or_insert(Told::After);
                *entry = match (*entry, self.when(call.wall_us, call.wall_us + answered_after(&call))) {
                    (Told::Before, _) | (_, Told::Before) if call.outcome == Outcome::Ok => Told::Before,
                    (known, Told::After) => known,
                    _ => Told::Perhaps,
                };
                Ok::<(), std::io::Error>(())
            };
            journal::read(&file, each).await.expect("a journal");
        }
        told
    }

    fn when(&self, sent: i64, answered: i64) -> Told {
        match self.taken {
            (began, _) if answered < began => Told::Before,
            (_, taken) if sent > taken => Told::After,
            _ => Told::Perhaps,
        }
    }

    /// The journals as they are true of the backup: without what was sent after it, and without the answers of what
    /// was answered while it was taken.
    async fn journals_at_backup(&self, folder: &Path) -> Vec<PathBuf> {
        let mut cut = Vec::new();
        for (number, file) in self.place.journals().await.expect("journals").into_iter().enumerate() {
            let text = std::fs::read_to_string(&file).expect("a journal");
            let mut sent = BTreeSet::new();
            let keep = |line: &&str| {
                let Ok(record) = serde_json::from_str::<Value>(line) else { return false };
                let (wall, op) = (record["wall_us"].as_i64().unwrap_or(0), record["op"].as_u64());
                match record["at"].as_str() {
                    Some("opened") => true,
                    Some("invoked") => wall <= self.taken.1 && sent.insert(op),
                    _ => wall < self.taken.0 && sent.contains(&op),
                }
            };
            let lines: Vec<&str> = text.lines().filter(keep).collect();
            let file = folder.join(format!("{number}.journal"));
            std::fs::write(&file, lines.join("\n") + "\n").expect("written");
            cut.push(file);
        }
        cut
    }

    /// The restored system starts, fills its streams, goes on under load, and everything is as its clients were told
    /// before the backup and after the restore.
    async fn goes_on(self) {
        let kept = tempfile::tempdir().expect("a folder");
        let mut journals = self.journals_at_backup(kept.path()).await;
        let before = self.place.journals().await.expect("journals").len();
        let Self { place, mut scene, .. } = self;
        end_leases(&place).await.expect("no leases");
        let program = place.run(&scene.start()).await.expect("it starts");
        // Who has voted cannot vote again, and who that was is not for a test to know.
        let voters = std::mem::take(&mut scene.voters);
        let papers = std::mem::take(&mut scene.paper_voters);
        assert!(!voters.is_empty() && !papers.is_empty());
        let server = place.server().expect("a client");
        let mut load = Load::start("jälkeen", &server, &scene);
        load.more(SOME).await.expect("load after the restore");
        load.stop().await.expect("no call failed");
        drained(&server, &scene).await.expect("everything arrives");
        program.stop().expect("it stops");
        journals.extend(place.journals().await.expect("journals").into_iter().skip(before));
        let verdict = place.check_journals(&journals, &[]).await.expect("the ledger is green");
        assert!(verdict["looked"]["boxes"].as_u64() > Some(0), "{verdict}");
        Ended::of(place.operate(&["log", "verify"]).expect("the program")).json(0);
        place.remove().await.expect("removed");
    }
}

fn folder_of(backup: &tempfile::TempDir) -> String {
    backup.path().join("2026-11-22").display().to_string()
}

/// How long a call took, microseconds; a long time if it was not answered.
fn answered_after(call: &journal::Operation) -> i64 {
    call.answered_us.map_or(i64::MAX / 2, |answered| answered - call.invoked_us)
}

/// Every event of every log, with whether it is beyond the backup.
async fn events(place: &Place, manifest: &Value) -> Vec<Event> {
    let mut found = Vec::new();
    for (service, url) in &place.databases {
        let copies = manifest["services"].as_array().expect("copies");
        let copy = copies.iter().find(|copy| copy["service"] == *service).expect("a copy");
        let database = Database::look(url, service).await.expect("readable");
        for head in log::heads(&database).await.expect("heads") {
            let lanes = copy["lanes"].as_array().expect("lanes");
            let end = lanes.iter().find(|lane| lane["lane"] == head.lane.as_str());
            let end = end.and_then(|lane| lane["seq"].as_u64()).unwrap_or_default();
            let mut from = 1;
            while from <= head.seq {
                for event in log::events(&database, &head.lane, from, 256).await.expect("events") {
                    from = event.seq + 1;
                    let (id, cause, is_lost) = (event.event_id, event.causation_id, event.seq > end);
                    found.push(Event { service, id, cause, is_lost });
                }
            }
        }
        database.close().await.expect("closed");
    }
    found
}

/// The lines of a list of what is lost.
fn listed(restored: &Value) -> Vec<Value> {
    let files = restored["lost_files"].as_array().expect("files");
    assert_eq!(files.len(), 1, "{restored}");
    let file = std::fs::File::open(files[0].as_str().expect("a path")).expect("the list");
    let lines = BufReader::new(file).lines();
    lines.map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON")).collect()
}

async fn with_nats(store: Store) {
    let drill = Drill::disaster(store).await;
    drill.destroy().await;
    let restored = drill.restore(&[]).json(0);

    let lost: Vec<&Event> = drill.events.iter().filter(|event| event.is_lost).collect();
    let (named, unpublished): (Vec<&Event>, Vec<&Event>) =
        lost.into_iter().partition(|event| drill.published.contains(&event.id));
    let meant: BTreeSet<(&str, &str)> =
        named.iter().map(|event| (event.service, event.id.as_str())).collect();
    let list = listed(&restored);
    let told: BTreeSet<(&str, &str)> = list
        .iter()
        .map(|line| (line["service"].as_str().expect("a service"), line["event_id"].as_str().expect("an id")))
        .collect();
    assert_eq!(told, meant, "what is lost and had reached NATS is named, exactly");
    assert_eq!(list.len(), told.len(), "each once");
    assert_eq!(restored["unknown"], Value::Array(Vec::new()), "and nothing else had reached it");
    let counted: u64 = restored["lost_lanes"]
        .as_array()
        .expect("lanes")
        .iter()
        .map(|lane| lane["events"].as_u64().expect("a number"))
        .sum();
    assert_eq!(counted, list.len() as u64);
    assert!(!named.is_empty() && !unpublished.is_empty(), "{} and {}", named.len(), unpublished.len());

    // By what clients were told: all that they had an answer for after the backup is named or had not reached NATS, and
    // nothing that they had an answer for before it is.
    let calls = drill.told().await;
    let of = |events: &[&Event], told: Told| {
        events.iter().filter(|event| calls.get(&event.cause) == Some(&told)).count()
    };
    assert_eq!(
        (of(&named, Told::Before), of(&unpublished, Told::Before)),
        (0, 0),
        "nothing of before is lost"
    );
    let after = drill.events.iter().filter(|event| calls.get(&event.cause) == Some(&Told::After));
    let after: Vec<&Event> = after.collect();
    assert!(after.iter().all(|event| event.is_lost), "all that was sent after the backup is lost");
    assert_eq!(of(&named, Told::After) + of(&unpublished, Told::After), after.len());
    assert!(of(&named, Told::After) > 0 && of(&unpublished, Told::After) > 0);
    drill.goes_on().await;
}

async fn without_nats(store: Store) {
    let mut drill = Drill::disaster(store).await;
    drill.destroy().await;
    drill.place.nats.kill();
    drill.restore(&[]).refused(4, "--without-streams");
    if store == Store::Sqlite {
        let restored = drill.restore(&["--without-streams"]).json(0);
        assert_eq!(restored["lost"], Value::Null, "nobody was asked");
        drill.place.nats = nats::Server::start().expect("another nats-server");
    } else {
        drill.place.nats = nats::Server::start().expect("another nats-server");
        let restored = drill.restore(&[]).json(0);
        let lanes = |copy: &Value| copy["lanes"].as_array().expect("lanes").len();
        let copies = drill.manifest["services"].as_array().expect("copies");
        let all: usize = copies.iter().map(lanes).sum();
        let unknown = restored["unknown"].as_array().expect("lanes");
        assert_eq!(unknown.len(), all, "without a stream nobody knows what a lane has lost: {restored}");
        assert_eq!(restored["lost"], Value::Array(Vec::new()));
    }
    drill.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drill_all_is_killed_and_destroyed_and_comes_back_and_the_loss_is_named_exactly_sqlite() {
    with_nats(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drill_all_is_killed_and_destroyed_and_comes_back_and_the_loss_is_named_exactly_postgres() {
    with_nats(Store::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drill_with_nats_gone_too_the_streams_are_filled_again_from_the_logs_sqlite() {
    without_nats(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drill_with_nats_gone_too_the_streams_are_filled_again_from_the_logs_postgres() {
    without_nats(Store::Postgres).await;
}
