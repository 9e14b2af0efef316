//! Histories that did not happen so. Each is made from a copy of the healthy one by the smallest change that shows
//! nothing but that one fault, and must be red for that one rule.

mod ballots;
mod stream;

use std::path::{Path, PathBuf};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use messaging::broker::{Broker as _, Dedupe, NatsBroker, NatsSettings};
use messaging::envelope::{Envelope, hash};
use messaging::{Database, log};
use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use standalone::ledger::{self, Options, Rule, Verdict};
use tempfile::TempDir;
use testkit::nats;

use super::patient::{LAST, Patient};
use crate::support::world::{self, SERVICES};
use stream::Harm;

/// A copy of the patient's data, whose stream is published anew.
struct Copy {
    folder: TempDir,
    settings: PathBuf,
    journal: PathBuf,
    nats: nats::Server,
    /// The log of each service before anything was changed: what goes to the stream.
    stream: Vec<Envelope>,
    harm: Option<Harm>,
}

/// Who takes in membership's events.
const READERS: [&str; 2] = ["forums", "proposals"];

type Doctor = for<'a> fn(&'a mut Copy) -> BoxFuture<'a, ()>;

/// What is done, the rule it breaks, words of the verdict, and how many records show it.
const DOCTORED: [(&str, Doctor, Rule, &str, usize); 32] = [
    ("lost", |copy| copy.lose().boxed(), Rule::Acknowledged, "is lost", 2),
    ("log cut", |copy| copy.cut().boxed(), Rule::Stream, "is not in the log", 1),
    ("log cut, reader further on", |copy| copy.cut_behind_reader().boxed(), Rule::Projection, "is beyond", 2),
    ("head lost", |copy| copy.lose_head().boxed(), Rule::Chain, "goes on beyond its head", 1),
    ("box emptied", |copy| copy.lose_box().boxed(), Rule::Ballots, "a box is missing", 1),
    ("doubled", |copy| copy.double().boxed(), Rule::Acknowledged, "happened twice", 5),
    ("event lost", |copy| copy.lose_event().boxed(), Rule::Acknowledged, "without its event", 3),
    ("reordered in the stream", |copy| copy.reorder_stream().boxed(), Rule::Stream, "came before event", 2),
    ("reordered in time", |copy| copy.reorder_time().boxed(), Rule::Order, "answered before", 6),
    (
        "reordered in time before a restart",
        |copy| copy.reorder_before_restart().boxed(),
        Rule::Order,
        "answered before",
        5,
    ),
    ("altered event", |copy| copy.alter_event().boxed(), Rule::Chain, "does not match its hash", 2),
    ("altered message", |copy| copy.alter_message().boxed(), Rule::Stream, "was altered", 2),
    (
        "altered answer",
        |copy| copy.alter_answer().boxed(),
        Rule::Acknowledged,
        "another one than the client",
        4,
    ),
    ("two replies", |copy| copy.two_replies().boxed(), Rule::Replies, "two different answers", 4),
    ("drift", |copy| copy.drift().boxed(), Rule::Projection, "known_forum has a row that no event made", 1),
    ("policy from nowhere", |copy| copy.policy().boxed(), Rule::Projection, "policy_value has a row", 1),
    ("another roll", |copy| copy.roll().boxed(), Rule::Projection, "differs from the frozen roll", 2),
    (
        "broken chain",
        |copy| copy.break_chain().boxed(),
        Rule::Chain,
        "names another event than the one before",
        2,
    ),
    ("ballot stuffed", |copy| copy.stuff().boxed(), Rule::Ballots, "it was stuffed", 1),
    ("tally changed", |copy| copy.change_tally().boxed(), Rule::Ballots, "the tally is not that", 1),
    ("unpublished", |copy| copy.withhold().boxed(), Rule::Stream, "is not in the stream", 1),
    ("audit row altered", |copy| copy.alter_audit().boxed(), Rule::Audit, "is not what was written", 1),
    ("act not in the audit log", |copy| copy.cut_audit().boxed(), Rule::Audit, "says 0 times", 3),
    ("stream emptied", |copy| copy.harm(Harm::Purge).boxed(), Rule::Stream, "is not in the stream", 1),
    ("first blocks gone", |copy| copy.harm(Harm::KeepLast).boxed(), Rule::Stream, "is not in the stream", 1),
    (
        "another's event",
        |copy| copy.harm(Harm::Misplace).boxed(),
        Rule::Stream,
        "the subject of something else",
        2,
    ),
    ("stranger marked", |copy| copy.mark_stranger().boxed(), Rule::Ballots, "no place on the roll", 1),
    ("paper exchanged", |copy| copy.exchange_paper().boxed(), Rule::Acknowledged, "has no mark", 1),
    (
        "ballot refused and marked",
        |copy| copy.refuse_cast().boxed(),
        Rule::Refused,
        "is marked all the same",
        1,
    ),
    (
        "roll changed",
        |copy| copy.change_roll().boxed(),
        Rule::Ballots,
        "was changed after it was published",
        2,
    ),
    ("counted without rows", |copy| copy.count_more().boxed(), Rule::Counts, "not those of their rows", 1),
    ("refused and stored", |copy| copy.refuse().boxed(), Rule::Refused, "is stored all the same", 4),
];

/// Makes each and judges it.
pub(super) async fn all(patient: &Patient) {
    let mut wrong = Vec::new();
    for (name, doctor, rule, says, records) in DOCTORED {
        let mut copy = Copy::of(patient).await;
        doctor(&mut copy).await;
        copy.publish().await;
        let verdict = copy.check().await;
        let first = verdict.violations.first();
        let is_it = !verdict.green
            && verdict.rules() == [rule]
            && verdict.text().contains("RED")
            && first.is_some_and(|first| first.what.contains(says) && first.history.len() == records);
        if !is_it {
            wrong.push(format!("{name}, which breaks {rule} with {records} records: {}", verdict.text()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let mut copy = Copy::of(patient).await;
    copy.publish().await;
    let verdict = copy.check().await;
    assert!(verdict.green, "a copy that nobody doctored: {}", verdict.text());
}

/// Three of them on the patient itself, each taken back.
pub(super) async fn in_place(patient: &Patient) {
    let config = patient.world.config();
    let (forums, membership) = (&config.services["forums"].database, &config.services["membership"].database);
    for (url, harm, healing, rule) in [
        (
            membership,
            "UPDATE known_forum SET seat_plan = '009,' || seat_plan",
            "UPDATE known_forum SET seat_plan = substr(seat_plan, 5)",
            Rule::Projection,
        ),
        (
            forums,
            "UPDATE ballot_box SET sealed = sealed || sealed WHERE municipality = '139'",
            "UPDATE ballot_box SET sealed = substring(sealed FROM 1 FOR length(sealed) / 2) WHERE municipality = '139'",
            Rule::Ballots,
        ),
        (
            membership,
            "UPDATE event_log SET event_type = event_type || 'X' WHERE lane = '19' AND seq = 2",
            "UPDATE event_log SET event_type = substr(event_type, 1, length(event_type) - 1) WHERE lane = '19' AND seq = 2",
            Rule::Chain,
        ),
    ] {
        run(url, harm).await;
        let verdict = super::check(patient).await;
        assert_eq!(verdict.rules(), [rule], "{harm}: {}", verdict.text());
        run(url, healing).await;
    }
    let verdict = super::check(patient).await;
    assert!(verdict.green, "all was taken back: {}", verdict.text());
}

impl Copy {
    async fn of(patient: &Patient) -> Self {
        let folder = tempfile::Builder::new().prefix("osallisuus-doctored-").tempdir().expect("a folder");
        copy_all(patient.world.folder(), folder.path());
        let nats = nats::Server::start().expect("a nats-server");
        let databases: Vec<(&'static str, String)> =
            SERVICES.iter().map(|service| (service.name, url(folder.path(), service.name))).collect();
        let settings = world::settings(folder.path(), &nats.url(), &["19", "21"], &databases, &[]);
        let journal = folder.path().join("operations.journal");
        let mut stream = Vec::new();
        for service in SERVICES {
            let database = Database::look(&url(folder.path(), service.name), service.name).await;
            let database = database.expect("a database");
            for head in log::heads(&database).await.expect("heads") {
                let mut next = 1;
                while next <= head.seq {
                    let page = log::events(&database, &head.lane, next, log::PAGE).await.expect("events");
                    next += page.len() as u64;
                    stream.extend(page);
                }
            }
            database.close().await.expect("closed");
        }
        Self { folder, settings, journal, nats, stream, harm: None }
    }

    /// Publishes what the stream is to hold.
    async fn publish(&mut self) {
        let broker = NatsBroker::connect(NatsSettings::embedded(self.nats.url())).await.expect("NATS");
        let mut connection = broker.connection();
        while broker.ready().is_err() {
            connection.changed().await.expect("a connection");
        }
        for service in SERVICES {
            broker.provision_stream(service.name).await.expect("a stream");
        }
        for event in &self.stream {
            broker.publish(event, Dedupe::Off).await.expect("published");
        }
        broker.close().await;
        self.harm_streams().await;
    }

    async fn check(&self) -> Verdict {
        let config = chassis::Config::load(SERVICES, Some(&self.settings), []).expect("settings");
        let options = Options {
            journals: vec![self.journal.clone()],
            nats: Some(NatsSettings::embedded(self.nats.url())),
            ..Options::default()
        };
        ledger::check(&config, &options).await.expect("it can be judged")
    }

    async fn sql(&self, service: &str, sql: &str) {
        run(&url(self.folder.path(), service), sql).await;
    }

    /// The last event of membership's lane 19: that of the last act.
    fn last(&self) -> Envelope {
        let mut of_lane = self.stream.iter().filter(|one| one.service == "membership" && one.lane == "19");
        let last = of_lane.next_back().expect("an event").clone();
        assert!(
            last.event_type.ends_with("ServiceUnitRegistered"),
            "not of the last act: {}",
            last.event_type
        );
        last
    }

    /// Takes the last event of membership out of log, stream, head and cursor, as if it had never been.
    async fn forget_last(&mut self) {
        let last = self.last();
        self.stream.retain(|event| event.event_id != last.event_id);
        let (seq, before, hash) = (last.seq, last.seq - 1, blob(&last.prev_hash));
        self.sql("membership", &format!("DELETE FROM event_log WHERE lane = '19' AND seq = {seq}")).await;
        let head = format!(
            "UPDATE event_head SET next_seq = {seq}, head_hash = {hash}, published_seq = {before} WHERE lane = '19'"
        );
        self.sql("membership", &head).await;
        self.move_cursors(&READERS, before, &hash).await;
        let unit = last.aggregate_id.replace('-', "");
        self.sql("proposals", &format!("DELETE FROM service_unit WHERE id = x'{unit}'")).await;
    }

    /// Puts the cursors of membership's readers where they are to be.
    async fn move_cursors(&self, readers: &[&str], seq: u64, hash: &str) {
        let cursor = format!(
            "UPDATE projection_cursor SET last_seq = {seq}, last_hash = {hash} WHERE source = 'membership' AND lane = '19'"
        );
        for reader in readers {
            self.sql(reader, &cursor).await;
        }
    }

    async fn lose(&mut self) {
        self.forget_last().await;
        self.sql("membership", &format!("DELETE FROM command_log WHERE idem_key = '{}'", LAST[1])).await;
    }

    /// The database was put back to before the last act, which nobody was told of; the stream has it.
    async fn cut(&mut self) {
        let stream = self.stream.clone();
        self.lose().await;
        self.stream = stream;
        let ops = self.ops_of(LAST[1]);
        self.rewrite(|record| {
            if record["at"] == "answered" && record["op"].as_u64().is_some_and(|op| ops.contains(&op)) {
                record["outcome"] = "unknown".into();
                record["reply"] = "".into();
            }
        });
    }

    /// The database was put back, the stream too; a reader has gone on.
    async fn cut_behind_reader(&mut self) {
        let last = self.last();
        self.cut().await;
        self.stream.retain(|event| event.event_id != last.event_id);
        self.move_cursors(&["forums"], last.seq, &blob(&last.hash)).await;
    }

    async fn lose_head(&mut self) {
        self.sql("membership", "DELETE FROM event_head WHERE lane = '19'").await;
    }

    async fn lose_event(&mut self) {
        self.forget_last().await;
    }

    async fn double(&mut self) {
        let last = self.last();
        let mut twin = Envelope { seq: last.seq + 1, prev_hash: last.hash.clone(), ..last.clone() };
        twin.event_id = format!("{}{}", "f".repeat(8), &last.event_id[8..]);
        twin.hash = hash(&twin).to_vec();
        let id = blob_of_hex(&twin.event_id.replace('-', ""));
        let (seq, hash) = (twin.seq, blob(&twin.hash));
        self.sql(
            "membership",
            &format!(
                "INSERT INTO event_log (lane, seq, epoch, event_id, aggregate_type, aggregate_id, event_type, \
                 schema_version, payload, causation_id, correlation_id, traceparent, co_tenants, occurred_at, \
                 prev_hash, hash) SELECT lane, seq + 1, epoch, {id}, aggregate_type, aggregate_id, event_type, \
                 schema_version, payload, causation_id, correlation_id, traceparent, co_tenants, occurred_at, \
                 hash, {hash} FROM event_log WHERE lane = '19' AND seq = {}",
                last.seq
            ),
        )
        .await;
        let head = format!(
            "UPDATE event_head SET next_seq = {}, head_hash = {hash} WHERE lane = '19'",
            twin.seq + 1
        );
        self.sql("membership", &head).await;
        self.move_cursors(&READERS, seq, &hash).await;
        self.stream.push(twin);
    }

    /// The journal says of the last two acts that the second was over a second before the first began.
    async fn reorder_time(&mut self) {
        let (first, second) = (self.ops_of(LAST[0]), self.ops_of(LAST[1]));
        let times: Vec<i64> = self
            .records()
            .iter()
            .filter(|record| {
                record["op"].as_u64().is_some_and(|op| first.contains(&op) || second.contains(&op))
            })
            .map(|record| record["mono_us"].as_i64().expect("a time"))
            .collect();
        let lasted = times.iter().max().expect("times") - times.iter().min().expect("times");
        self.rewrite(|record| {
            if record["op"].as_u64().is_some_and(|op| second.contains(&op)) {
                let at = record["mono_us"].as_i64().expect("a time");
                record["mono_us"] = (at - lasted - 1_000_000).into();
            }
        });
    }

    /// The last act but one was over an hour before all others began. The last was done after the client's machine had
    /// started again, whose time begins at nothing.
    async fn reorder_before_restart(&mut self) {
        const HOUR: i64 = 3_600_000_000;
        let (first, second) = (self.ops_of(LAST[0]), self.ops_of(LAST[1]));
        let is_of = |ops: &[u64], record: &Value| record["op"].as_u64().is_some_and(|op| ops.contains(&op));
        let time = |record: &Value| record["mono_us"].as_i64();
        let of_second = self.records().into_iter().filter(|record| is_of(&second, record));
        let start = of_second.filter_map(|record| time(&record)).min().expect("a time");
        let mut text = String::new();
        for mut record in self.records() {
            if record["op"].as_u64() == second.first().copied() && record["at"] == "invoked" {
                text.push_str("{\"at\":\"opened\",\"format\":1,\"boot\":\"another\"}\n");
            }
            if let Some(at) = time(&record) {
                record["mono_us"] = if is_of(&second, &record) {
                    (at - start).into()
                } else if is_of(&first, &record) {
                    at.into()
                } else {
                    (at + HOUR).into()
                };
            }
            text.push_str(&format!("{record}\n"));
        }
        std::fs::write(&self.journal, text).expect("written");
    }

    async fn alter_event(&mut self) {
        self.sql("membership", "UPDATE event_log SET aggregate_type = 'other' WHERE lane = '19' AND seq = 3")
            .await;
    }

    async fn alter_answer(&mut self) {
        let change = format!("UPDATE command_log SET response = x'0a00' WHERE idem_key = '{}'", LAST[1]);
        self.sql("membership", &change).await;
    }

    async fn two_replies(&mut self) {
        let op = self.ops_of(LAST[1])[1];
        self.rewrite(|record| {
            if record["op"] == op && record["at"] == "answered" {
                record["reply"] = "00".repeat(32).into();
            }
        });
    }

    async fn drift(&mut self) {
        self.sql("membership", "UPDATE known_forum SET seat_plan = '009'").await;
        // Both sides differ; the row that ought to be there is told too.
    }

    async fn policy(&mut self) {
        let row = "INSERT INTO policy_value (tenant, key, valid_from, value) VALUES ('19', 'code_card_days', '2026-01-01', 9)";
        self.sql("forums", row).await;
    }

    async fn roll(&mut self) {
        self.sql("forums", "UPDATE constituency SET eligible = eligible + 1 WHERE municipality = '139'")
            .await;
    }

    /// Changed with its own hash made to match: only the link of the next one tells. A fresh fold ends there, so it is an
    /// event behind which no reader takes anything.
    async fn break_chain(&mut self) {
        let mut of_lane = self.stream.iter_mut().filter(|one| one.service == "forums" && one.lane == "19");
        let changed = of_lane.nth_back(1).expect("an event before the last");
        changed.correlation_id = "another".to_owned();
        changed.hash = hash(changed).to_vec();
        let change = format!(
            "UPDATE event_log SET correlation_id = 'another', hash = {} WHERE lane = '19' AND seq = {}",
            blob(&changed.hash),
            changed.seq
        );
        self.sql("forums", &change).await;
    }

    async fn alter_audit(&mut self) {
        self.sql("membership", "DROP TRIGGER audit_log_no_update").await;
        self.sql("membership", "UPDATE audit_log SET purpose = 'another reason' WHERE seq = 2").await;
    }

    /// The row of the last act was taken off the end, where the chain alone does not tell.
    async fn cut_audit(&mut self) {
        self.sql("membership", "DROP TRIGGER audit_log_no_delete").await;
        let causes = "(SELECT causation_id FROM event_log WHERE lane = '19' ORDER BY seq DESC LIMIT 1)";
        let cut = format!(
            "DELETE FROM audit_log WHERE seq >= (SELECT MIN(seq) FROM audit_log WHERE causation_id = {causes})"
        );
        self.sql("membership", &cut).await;
    }

    /// The journal says that the last act was refused, both times.
    async fn refuse(&mut self) {
        let ops = self.ops_of(LAST[1]);
        self.rewrite(|record| {
            if record["at"] == "answered" && record["op"].as_u64().is_some_and(|op| ops.contains(&op)) {
                record["outcome"] = "rejected".into();
                record["reply"] = "".into();
                record["code"] = "membership.no".into();
            }
        });
    }

    fn records(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.journal).expect("a journal");
        text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
    }

    /// Numbers of the calls with a key, in order.
    fn ops_of(&self, key: &str) -> Vec<u64> {
        let of_key = self.records().into_iter().filter(|record| record["key"] == key);
        of_key.map(|record| record["op"].as_u64().expect("a number")).collect()
    }

    fn rewrite(&self, change: impl Fn(&mut Value)) {
        let mut records = self.records();
        records.iter_mut().for_each(change);
        let text: String = records.iter().map(|record| format!("{record}\n")).collect();
        std::fs::write(&self.journal, text).expect("written");
    }
}

async fn run(url: &str, sql: &str) {
    let connection = sea_orm::Database::connect(url).await.expect("a connection");
    connection.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    connection.close().await.expect("closed");
}

fn url(folder: &Path, service: &str) -> String {
    format!("sqlite://{}?mode=rwc", folder.join(format!("{service}.sqlite")).display())
}

/// Files and folders, as they are.
fn copy_all(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            std::fs::create_dir_all(&target).expect("a folder");
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("copied");
        }
    }
}

fn blob(bytes: &[u8]) -> String {
    blob_of_hex(&data_encoding::HEXLOWER.encode(bytes))
}

fn blob_of_hex(hex: &str) -> String {
    format!("x'{hex}'")
}
