//! The audit log: a row for every decision, which nobody changes afterwards (SEC-40, SEC-41).

use std::sync::Arc;

use futures::FutureExt as _;
use kernel::{Caller, Fault, FaultKind, Ids};
use messaging::audit::{Entry, Head, PAGE, Row, Whose, page, prune, verify};
use messaging::{Clocks, Command, Database, DatabaseKind, Writer, WriterSettings};
use sea_orm::{ConnectionTrait as _, DbErr};
use testkit::postgres::Cluster;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{ENGINES, Note, Place, World, add_note, command, migrations, noon, refuse};

/// A command that leaves a row about a county.
fn audited(key: &str, request: &str) -> Command {
    let mut entry = Entry::new(&Caller::service("reporting"), "AddNote", None);
    entry.about("tenant", "19");
    Command { audit: Some(Arc::new(entry)), ..command(key, request) }
}

async fn add(world: &World, command: &Command, note: &Note) -> Result<(), Fault> {
    world.writer.run(command, note.clone(), |tx, note| add_note(tx, note).boxed()).await.map(drop)
}

async fn rows(world: &World) -> Vec<Row> {
    let (rows, next) = page(&world.database, &Whose::All, 0, PAGE).await.unwrap();
    assert_eq!(next, None);
    verify(Head::genesis(), &rows).unwrap();
    rows
}

fn outcomes(rows: &[Row]) -> Vec<(&str, &str, &str)> {
    rows.iter().map(|row| (row.decision.as_str(), row.outcome.as_str(), row.code.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_40_every_decision_has_one_row_in_the_order_of_the_batch() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let world = World::open(&place).await;
        // All of these share a transaction.
        let gate = world.hold().await;
        let first = audited("key of the first", "a");
        let (writer, refused) = (world.writer.clone(), audited("key of the refused", "x"));
        let entry = first.audit.clone().unwrap();
        let denial = Fault::forbidden("access.scope", "You may not.");
        let (note, other) = (Note::new("a"), audited("key of the first", "b"));
        let ballot = audited("key of a ballot", "c");
        let (job, of_job) = (command("key of a job", "d"), Note::new("d"));
        let story = async {
            tokio::join!(
                biased;
                add(&world, &first, &note),
                writer.run(&refused, (), refuse),
                add(&world, &first, &note),
                add(&world, &other, &note),
                writer.audit(entry.clone(), None, "reading".to_owned(), None),
                writer.audit(entry.clone(), Some(&denial), "denial".to_owned(), None),
                writer.run_unlogged(&ballot, Note::new("c"), |tx, note| {
                    add_note(tx, note).boxed()
                }),
                add(&world, &job, &of_job),
                async {
                    world.queued(8).await;
                    gate.open();
                },
            )
        };
        let (done, by_rule, again, reused, reading, denied, ballot, job, ()) = story.await;
        assert!(
            done.is_ok()
                && again.is_ok()
                && ballot.is_ok()
                && job.is_ok()
                && reading.is_ok()
                && denied.is_ok()
        );
        assert_eq!(by_rule.unwrap_err().code(), "notes.closed");
        assert_eq!(reused.unwrap_err().code(), "idempotency_key_reused");
        // Later, alone, again: the answer is in the log.
        add(&world, &first, &note).await.unwrap();

        let rows = rows(&world).await;
        assert_eq!(
            outcomes(&rows),
            [
                ("allowed", "done", ""),
                ("allowed", "refused", "notes.closed"),
                ("allowed", "refused", "idempotency_key_reused"),
                ("allowed", "admitted", ""),
                ("denied", "refused", "access.scope"),
            ]
        );
        assert_eq!(rows[0].resource, "tenant=19");
        let event: String = world.value("SELECT causation_id FROM event_log WHERE seq = 1").await;
        assert_eq!(rows[0].causation_id, event, "row and event of a command know each other");
        assert_eq!(rows[0].causation_id, messaging::causation("tester", "key of the first"));
        assert_eq!((rows[3].correlation_id.as_str(), rows[3].causation_id.as_str()), ("reading", ""));
        let of_county =
            page(&world.database, &Whose::Tenant(kernel::TenantId::new("19").unwrap()), 0, 9).await;
        assert_eq!(of_county.unwrap(), (vec![], None), "naming a county is not acting for it");
        world.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_42_pages_follow_each_other_and_a_person_finds_what_names_them() {
    let world = World::open(&Place::new(DatabaseKind::Sqlite).await).await;
    let person = Caller::person(Ids::system().new_id());
    let (own, other) = (person.subject().unwrap().to_string(), Ids::system().uuid().to_string());
    for (number, caller) in [&person, &Caller::service("reporting"), &person].into_iter().enumerate() {
        let mut entry = Entry::new(caller, "/x", None);
        entry.about("participant_id", if number == 1 { &own } else { &other });
        world.writer.audit(Arc::new(entry), None, String::new(), None).await.unwrap();
    }
    let of = async |whose: &Whose, after: u64, limit: u64| {
        let (rows, next) = page(&world.database, whose, after, limit).await.unwrap();
        (rows.iter().map(|row| row.seq).collect::<Vec<u64>>(), next)
    };
    assert_eq!(of(&Whose::All, 0, 2).await, (vec![1, 2], Some(2)));
    assert_eq!(of(&Whose::All, 2, 2).await, (vec![3], None));
    assert_eq!(of(&Whose::Person(vec![own]), 0, 9).await, (vec![1, 2, 3], None));
    assert_eq!(
        of(&Whose::Person(vec![Ids::system().uuid().to_string(), other]), 0, 9).await,
        (vec![1, 3], None)
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_40_a_row_that_cannot_be_written_is_refused() {
    let world = World::open(&Place::new(DatabaseKind::Sqlite).await).await;
    let entry = audited("a key", "a").audit.unwrap();
    let past = std::time::Instant::now();
    let late = world.writer.audit(entry.clone(), None, String::new(), Some(past)).await.unwrap_err();
    assert_eq!(late.code(), "messaging.deadline_passed");
    world.stop.cancel();
    world.tracker.close();
    world.tracker.wait().await;
    let stopped = world.writer.audit(entry, None, String::new(), None).await.unwrap_err();
    assert_eq!(stopped.kind(), FaultKind::Unavailable);
    assert_eq!(rows(&world).await, []);
}

/// Whatever would change a row, by whoever owns the table.
const ATTACKS: [&str; 4] = [
    "UPDATE audit_log SET actor = 'somebody else'",
    "UPDATE audit_log SET actor = 'nobody' WHERE seq > 1000",
    "DELETE FROM audit_log",
    "DELETE FROM audit_log WHERE seq = 1",
];

fn is_append_only(attack: &str, outcome: Result<sea_orm::ExecResult, DbErr>, seq: u64) {
    // SQLite's triggers are of rows, so a statement that meets none does nothing.
    if let Err(error) = outcome {
        assert!(error.to_string().contains("audit_log is append-only"), "{attack}: {error}");
        return;
    }
    assert!(attack.contains("seq > 1000") && seq < 1000, "{attack} was let through");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_41_triggers_keep_rows_from_their_owner() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let world = World::open(&place).await;
        for key in ["key of the first", "key of the second"] {
            add(&world, &audited(key, key), &Note::new(key)).await.unwrap();
        }
        let before = rows(&world).await;
        let owner = sea_orm::Database::connect(&place.url).await.unwrap();
        for attack in ATTACKS {
            is_append_only(attack, owner.execute_unprepared(attack).await, 2);
        }
        let replace = match engine {
            DatabaseKind::Sqlite => {
                "INSERT OR REPLACE INTO audit_log SELECT seq, at, tenant, 'somebody else', actor_kind, mode, rpc, resource, \
                 purpose, decision, outcome, code, correlation_id, causation_id, prev_hash, hash FROM audit_log"
            }
            DatabaseKind::Postgres => "TRUNCATE audit_log",
        };
        is_append_only(replace, owner.execute_unprepared(replace).await, 2);
        owner.close().await.unwrap();
        assert_eq!(rows(&world).await, before);

        // Beside a running service the log is read as it is.
        let beside = Database::look(&place.url, "notes").await.unwrap();
        assert_eq!(page(&beside, &Whose::All, 0, PAGE).await.unwrap(), (before.clone(), None));
        assert_eq!(page(&beside, &Whose::All, 1, PAGE).await.unwrap(), (before[1..].to_vec(), None));
        beside.close().await.unwrap();
        world.close().await;
    }
}

/// A database of one role, used by another: their addresses.
async fn two_roles() -> (String, String) {
    let cluster = Cluster::shared();
    let database = cluster.create_database().await.unwrap();
    let name = database.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let address = |role: &str| {
        let (_, host) = database.rsplit_once('@').unwrap();
        format!("postgres://{role}:secret@{host}")
    };
    let (owner, service) = (format!("{name}_owner"), format!("{name}_service"));
    let administrator = sea_orm::Database::connect(&database).await.unwrap();
    for statement in [
        format!("CREATE ROLE {owner} LOGIN PASSWORD 'secret'"),
        format!("CREATE ROLE {service} LOGIN PASSWORD 'secret'"),
        format!("ALTER DATABASE {name} OWNER TO {owner}"),
    ] {
        administrator.execute_unprepared(&statement).await.unwrap();
    }
    administrator.close().await.unwrap();
    (address(&owner), address(&service))
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_41_the_role_of_a_running_service_adds_to_the_logs_and_changes_nothing_in_them() {
    let (owner, service) = two_roles().await;
    // Twice: the second start finds everything made.
    Database::open_owned(&service, Some(&owner), "notes", migrations).await.unwrap().close().await.unwrap();
    let database = Database::open_owned(&service, Some(&owner), "notes", migrations).await.unwrap();
    let clock = Arc::new(kernel::SystemClock);
    let clocks = Clocks { business: clock.clone(), real: clock };
    let settings = WriterSettings::for_kind(database.kind());
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let writer = Writer::start(&database, clocks, Ids::system(), settings, &tracker, stop.clone());
    for key in ["a key", "another key"] {
        let (command, note) = (audited(key, "a"), Note::new(key));
        writer.run(&command, note, |tx, note| add_note(tx, note).boxed()).await.unwrap();
    }

    let role = sea_orm::Database::connect(&service).await.unwrap();
    for table in ["audit_log", "event_log"] {
        for attack in [
            format!("UPDATE {table} SET hash = prev_hash"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
        ] {
            let error = role.execute_unprepared(&attack).await.unwrap_err().to_string();
            assert!(
                error.contains("permission denied") || error.contains("must be owner"),
                "{attack}: {error}"
            );
        }
    }
    for attack in ["DELETE FROM seaql_migrations", "CREATE TABLE mine (id int)"] {
        assert!(role.execute_unprepared(attack).await.is_err(), "{attack}");
    }
    role.execute_unprepared("DELETE FROM command_log").await.expect("what is no log may be tidied");
    role.close().await.unwrap();
    let far = noon() + time::Duration::days(9_999);
    assert!(prune(&service, "notes", far, far).await.is_err(), "nor forget rows whose time is over");
    // The owner may, but for the trigger.
    let owner = sea_orm::Database::connect(&owner).await.unwrap();
    for attack in ATTACKS.into_iter().chain(["TRUNCATE audit_log"]) {
        is_append_only(attack, owner.execute_unprepared(attack).await, 1_000);
    }
    owner.close().await.unwrap();
    let (rows, _) = page(&database, &Whose::All, 0, PAGE).await.unwrap();
    assert_eq!(verify(Head::genesis(), &rows).unwrap().seq, 2);
    stop.cancel();
    tracker.close();
    tracker.wait().await;
    database.close().await.unwrap();
}
