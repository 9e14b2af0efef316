//! A database that somebody holds alone: nobody else writes to it meanwhile, and it is not had while anybody can write.

use std::time::Duration;

use messaging::exclusive::Exclusive;
use messaging::{Database, DatabaseKind, OpenError, log};

use crate::support::{ENGINES, Note, Place, World, migrations};

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
        assert!(opened.is_err(), "nobody opens it to write");
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
async fn what_a_copy_is_put_in_the_place_of_goes_as_a_whole() {
    let place = Place::new(DatabaseKind::Postgres).await;
    let world = World::open(&place).await;
    world.close().await;
    let no_copy = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(no_copy.path(), "no copy").unwrap();
    let alone = Exclusive::lock(&place.url, "notes").await.unwrap();
    assert!(!alone.is_empty().await.unwrap());
    let failed = alone.restore(no_copy.path(), true, &messaging::backup::Tools::default()).await.unwrap_err();
    assert!(matches!(failed, messaging::backup::BackupError::Tool(_)), "{failed}");
    assert!(alone.is_empty().await.unwrap(), "all tables went in one transaction");
    alone.release().await.unwrap();
}
