//! Whether a log is whole, asked of real databases while they are written to, and after somebody was at them.

use messaging::log::{BreakKind, verify};
use messaging::{Database, OpenError};
use sea_orm::ConnectionTrait as _;

use crate::support::{ENGINES, Note, Place, World};

async fn look(place: &Place) -> Database {
    Database::look(&place.url, "notes").await.unwrap()
}

#[tokio::test]
async fn a_log_is_whole_while_it_is_written_and_every_wrong_done_to_it_is_found() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let world = World::open_with(&place, |settings| settings.watermark_events = 5).await;
        for number in 0..12 {
            let lane = if number % 4 == 0 { "21" } else { "19" };
            world.add(&format!("key-{number:016}"), Note::in_lane(number, lane)).await.unwrap();
        }
        // Nobody waits for the other: the lock on the file is the writer's, and looking takes none.
        let writing = async {
            for number in 100..140 {
                world.add(&format!("key-{number:016}"), Note::new(number)).await.unwrap();
            }
        };
        let looking = async {
            for _ in 0..10 {
                let verdict = verify(&look(&place).await, |_| {}).await.unwrap();
                assert!(verdict.is_whole(), "{verdict:?}");
            }
        };
        tokio::join!(writing, looking);
        let mut events = 0;
        let verdict = verify(&look(&place).await, |more| events += more).await.unwrap();
        let lanes: Vec<(&str, u64)> =
            verdict.whole.iter().map(|lane| (lane.lane.as_str(), lane.events)).collect();
        assert!(matches!(lanes[..], [("19", 49..), ("21", 3..)]), "{lanes:?}");
        assert_eq!(events, lanes.iter().map(|(_, events)| events).sum::<u64>());
        world.close().await;

        let wrongs = [
            ("DELETE FROM event_log WHERE lane = '21' AND seq = 2", 2, BreakKind::Missing),
            ("UPDATE event_log SET aggregate_id = 'x' WHERE lane = '21' AND seq = 1", 1, BreakKind::Altered),
            ("DELETE FROM event_head WHERE lane = '21'", 1, BreakKind::Altered),
            ("UPDATE event_head SET next_seq = 70 WHERE lane = '19'", 0, BreakKind::Head),
        ];
        let connection = sea_orm::Database::connect(&place.url).await.unwrap();
        for (wrong, seq, kind) in wrongs {
            connection.execute_unprepared(wrong).await.unwrap();
            let verdict = verify(&look(&place).await, |_| {}).await.unwrap();
            let found =
                verdict.broken.iter().any(|broken| broken.kind == kind && (seq == 0 || broken.seq == seq));
            assert!(found, "{wrong}: {verdict:?}");
        }
        connection.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_that_is_looked_at_is_neither_made_nor_written() {
    let place = Place::new(messaging::DatabaseKind::Sqlite).await;
    let refused = Database::look(&place.url, "notes").await.unwrap_err();
    assert!(matches!(refused, OpenError::Database(_)) && !place.file().exists(), "{refused}");
    let world = World::open(&place).await;
    let looked = look(&place).await;
    assert!(looked.read().execute_unprepared("INSERT INTO note VALUES ('x')").await.is_err());
    world.close().await;
}
