//! A database that somebody holds alone: nobody else writes to it meanwhile, and it is not had while anybody can write.

use std::path::{Path, PathBuf};
use std::time::Duration;

use messaging::backup::{BackupError, Snapshot, Tools};
use messaging::exclusive::{Exclusive, Raised};
use messaging::log::LaneHead;
use messaging::{Database, DatabaseKind, OpenError, log};
use sea_orm::ConnectionTrait as _;

use crate::support::{ENGINES, Note, PATIENCE, Place, World, migrations};

#[tokio::test]
async fn a_database_is_had_alone_only_when_nobody_can_write_to_it_and_then_nobody_can() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let world = World::open(&place).await;
        world.add("0123456789abcdef", Note::new("first")).await.unwrap();
        let refused = Exclusive::lock(&place.url, "notes").await.unwrap_err();
        assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
        world.close().await;

        let alone = Exclusive::lock(&place.url, "notes").await.unwrap();
        assert!(Exclusive::lock(&place.url, "notes").await.is_err(), "nor twice");
        let opening = Database::open(&place.url, "notes", migrations);
        let opened =
            tokio::time::timeout(Duration::from_secs(20), opening).await.expect("it does not wait for ever");
        let opened = opened.expect_err("nobody opens it to write");
        assert!(matches!(opened, OpenError::InUse(_)), "{opened}");
        alone.release().await.unwrap();
        let world = World::open(&place).await;
        world.add("0123456789abcdeg", Note::new("second")).await.unwrap();
        world.close().await;
    }
}

#[tokio::test]
async fn a_new_epoch_is_higher_than_any_before_in_lanes_without_events_too() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let world = World::open(&place).await;
        world.add("0123456789abcdef", Note::new("first")).await.unwrap();
        world.close().await;
        let counties = ["19", "21"].map(|code| kernel::TenantId::new(code).unwrap());
        for (at_least, expected) in [(7, 7), (7, 8), (0, 9)] {
            let alone = Exclusive::lock(&place.url, "notes").await.unwrap();
            let raised = alone.raise_epoch(&counties, at_least).await.unwrap();
            let epochs: Vec<(&str, u64, u64)> =
                raised.iter().map(|lane| (lane.lane.as_str(), lane.new_epoch, lane.seq)).collect();
            assert_eq!(epochs, [("19", expected, 1), ("21", expected, 0)]);
            alone.release().await.unwrap();
        }
        let world = World::open(&place).await;
        world.add("0123456789abcdeg", Note::new("second")).await.unwrap();
        world.add("0123456789abcdeh", Note::in_lane("third", "21")).await.unwrap();
        let heads = log::heads(&world.database).await.unwrap();
        assert!(heads.iter().all(|head| head.epoch == 9), "{heads:?}");
        assert!(log::verify(&world.database, |_| {}).await.unwrap().is_whole());
        world.close().await;
    }
}

#[tokio::test]
async fn a_database_that_was_looked_at_cannot_be_written_to() {
    let place = Place::new(DatabaseKind::Sqlite).await;
    World::open(&place).await.close().await;
    let looked = Database::look(&place.url, "notes").await.unwrap();
    assert!(Exclusive::lock(&place.url, "notes").await.is_ok(), "looking holds nobody up");
    looked.close().await.unwrap();
}

#[tokio::test]
async fn nobody_opens_or_copies_a_database_while_a_restore_of_it_is_not_finished() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        World::open(&place).await.close().await;
        let alone = Exclusive::lock(&place.url, "notes").await.unwrap();
        assert_eq!(alone.unfinished().await.unwrap(), None);
        alone.begin("first").await.unwrap();
        alone.begin("it's the second").await.unwrap();
        alone.release().await.unwrap();

        let opened = Database::open(&place.url, "notes", migrations).await.unwrap_err();
        assert!(matches!(opened, OpenError::Unfinished("notes")), "{opened}");
        let folder = tempfile::tempdir().unwrap();
        let copied = Snapshot::open(&place.url, "notes", &folder.path().join("copy")).await.unwrap_err();
        assert!(matches!(copied, BackupError::Open(OpenError::Unfinished("notes"))), "{copied}");
        let alone = Exclusive::lock(&place.url, "notes").await.unwrap();
        let raised = alone.raise_epoch(&[], 7).await.unwrap_err();
        assert!(matches!(raised, BackupError::Open(OpenError::Unfinished("notes"))), "{raised}");
        assert_eq!(alone.unfinished().await.unwrap().as_deref(), Some("it's the second"));
        alone.finish().await.unwrap();
        alone.release().await.unwrap();
        World::open(&place).await.close().await;
    }
}

#[tokio::test]
async fn who_has_lost_the_session_with_the_lock_changes_nothing_any_more() {
    let place = Place::new(DatabaseKind::Postgres).await;
    World::open(&place).await.close().await;
    let alone = Exclusive::lock(&place.url, "notes").await.unwrap();
    let other = sea_orm::Database::connect(place.url.as_str()).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() \
               AND application_name = 'notes-writer'";
    other.execute_unprepared(end).await.unwrap();
    // Another session takes its place in the pool, and it has no lock.
    let lost =
        |error: BackupError| assert!(matches!(error, BackupError::Open(OpenError::Lost("notes"))), "{error}");
    testkit::eventually(PATIENCE, async || alone.unfinished().await.is_err()).await;
    lost(alone.begin("").await.unwrap_err());
    lost(alone.raise_epoch(&[], 7).await.unwrap_err());
    lost(alone.finish().await.unwrap_err());
    World::open(&place).await.close().await;
}

/// A copy of the database of one note, and where its lanes end.
async fn copy(place: &Place, folder: &Path) -> (PathBuf, Vec<LaneHead>) {
    let world = World::open(place).await;
    world.add("0123456789abcdef", Note::new("first")).await.unwrap();
    world.close().await;
    let file = folder.join("copy");
    let snapshot = Snapshot::open(&place.url, "notes", &file).await.unwrap();
    let ends = snapshot.heads().to_vec();
    snapshot.write(&file, &Tools::default(), |_| {}).await.unwrap();
    (file, ends)
}

#[tokio::test]
async fn a_copy_takes_the_place_of_a_database_with_its_new_epoch_or_not_at_all() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let folder = tempfile::tempdir().unwrap();
        let (file, ends) = copy(&place, folder.path()).await;
        let world = World::open(&place).await;
        world.add("0123456789abcdeg", Note::new("second")).await.unwrap();
        world.close().await;
        let tools = Tools::default();

        let alone = Exclusive::lock(&place.url, "notes").await.unwrap();
        let before = alone.heads().await.unwrap();
        let no_copy = folder.path().join("none");
        std::fs::write(&no_copy, "no copy").unwrap();
        assert!(alone.stage(&no_copy, &ends, &tools, |_| {}).await.is_err());
        let mut epochs = Raised::all(&ends, &[], 7);
        if engine == DatabaseKind::Postgres {
            // What is put in is not what it is said to be.
            epochs[0].seq = 9;
            let staged = alone.stage(&file, &ends, &tools, |_| {}).await.unwrap();
            let failed = alone.put_back(staged, &epochs, &tools).await.unwrap_err();
            assert!(failed.to_string().contains("does not end where the manifest says"), "{failed}");
            epochs[0].seq = 1;
        } else {
            let others = [LaneHead { seq: 9, ..ends[0].clone() }];
            let failed = alone.stage(&file, &others, &tools, |_| {}).await.unwrap_err();
            assert!(matches!(failed, BackupError::Damaged(_)), "{failed}");
        }
        assert_eq!(alone.heads().await.unwrap(), before, "nothing was changed");

        let staged = alone.stage(&file, &ends, &tools, |_| {}).await.unwrap();
        alone.put_back(staged, &epochs, &tools).await.unwrap();
        alone.judge(|_| {}).await.unwrap();
        let after = alone.heads().await.unwrap();
        assert_eq!((after[0].epoch, after[0].seq, &after[0].hash), (7, 1, &ends[0].hash));
        alone.release().await.unwrap();
        let world = World::open(&place).await;
        assert_eq!(world.number("SELECT COUNT(*) FROM note").await, 1);
        world.add("0123456789abcdeg", Note::new("second")).await.unwrap();
        world.close().await;
    }
}

#[tokio::test]
async fn a_database_whose_log_is_broken_is_not_backed_up() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let world = World::open(&place).await;
        world.add("0123456789abcdef", Note::new("first")).await.unwrap();
        world.close().await;
        let doctor = sea_orm::Database::connect(place.url.as_str()).await.unwrap();
        doctor.execute_unprepared("UPDATE event_log SET correlation_id = 'forged'").await.unwrap();
        doctor.close().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("copy");
        let snapshot = Snapshot::open(&place.url, "notes", &file).await.unwrap();
        let refused = match snapshot.write(&file, &Tools::default(), |_| {}).await {
            Ok(copied) => copied.check(|_| {}).await.unwrap_err(),
            Err(refused) => refused,
        };
        assert!(refused.to_string().contains("its log is broken"), "{refused}");
    }
}

#[tokio::test]
async fn programs_newer_than_the_server_understands_are_refused_before_anything_is_changed() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new(DatabaseKind::Postgres).await;
    let folder = tempfile::tempdir().unwrap();
    let (file, ends) = copy(&place, folder.path()).await;
    let alone = Exclusive::lock(&place.url, "notes").await.unwrap();
    for (version, is_refused) in [(99, true), (15, false)] {
        let programs = tempfile::tempdir().unwrap();
        for name in ["psql", "pg_restore"] {
            let program = programs.path().join(name);
            std::fs::write(&program, format!("#!/bin/sh\necho '{name} (PostgreSQL) {version}.1'\n")).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let tools = Tools { folder: Some(programs.path().to_owned()) };
        let staged = alone.stage(&file, &ends, &tools, |_| {}).await;
        if is_refused && server_is_older_than_17(&place).await {
            let refused = staged.unwrap_err();
            assert!(refused.to_string().contains("install postgresql-client-"), "{refused}");
        } else {
            staged.unwrap();
        }
    }
    alone.release().await.unwrap();
}

async fn server_is_older_than_17(place: &Place) -> bool {
    let connection = sea_orm::Database::connect(place.url.as_str()).await.unwrap();
    let question = "SELECT current_setting('server_version_num')::int < 170000";
    let statement = sea_orm::Statement::from_string(connection.get_database_backend(), question);
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_process_that_lost_its_connection_does_not_write_into_a_restore_that_is_not_finished() {
    let place = Place::new(DatabaseKind::Postgres).await;
    let world = World::open(&place).await;
    world.add("0123456789abcdef", Note::new("first")).await.unwrap();
    let other = sea_orm::Database::connect(place.url.as_str()).await.unwrap();
    // A restore began while it had no connection, and was killed.
    other.execute_unprepared("CREATE TABLE unfinished_restore (note text NOT NULL)").await.unwrap();
    let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() \
               AND application_name = 'notes-writer'";
    other.execute_unprepared(end).await.unwrap();
    assert!(world.add("0123456789abcdeg", Note::new("second")).await.is_err());
    assert_eq!(world.number("SELECT COUNT(*) FROM note").await, 1);
    other.execute_unprepared("DROP TABLE unfinished_restore").await.unwrap();
    testkit::eventually(PATIENCE, async || world.add("0123456789abcdeg", Note::new("second")).await.is_ok())
        .await;
    world.close().await;
}
