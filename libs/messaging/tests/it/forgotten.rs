//! Rows of the audit log whose time is over are deleted by whoever owns the tables, and the log says so (TIHA-12).

use std::sync::Arc;

use futures::FutureExt as _;
use kernel::{Caller, Timestamp};
use messaging::audit::{Break, Broken, Entry, Head, PAGE, Row, Whose, beginning, page, prune, verify};
use messaging::{Command, DatabaseKind};
use sea_orm::ConnectionTrait as _;

use crate::support::{ENGINES, Note, Place, World, add_note, command, noon};

/// Adds a row, so many days after the beginning.
async fn add(world: &World, day: i64) {
    world.real.set(after(day)).unwrap();
    let key = format!("key of day {day}");
    let entry = Entry::new(&Caller::service("reporting"), "AddNote", None);
    let command = Command { audit: Some(Arc::new(entry)), ..command(&key, "a") };
    let note = Note::new(format!("note {day}"));
    world.writer.run(&command, note, |tx, note| add_note(tx, note).boxed()).await.unwrap();
}

fn after(day: i64) -> Timestamp {
    noon() + time::Duration::days(day)
}

/// The rows there are, and whether they are a whole log.
async fn checked(world: &World) -> (Vec<Row>, Result<Head, Broken>) {
    let (rows, _) = page(&world.database, &Whose::All, 0, PAGE).await.unwrap();
    let outcome = verify(beginning(&world.database).await.unwrap(), &rows);
    (rows, outcome)
}

fn numbers(rows: &[Row]) -> Vec<u64> {
    rows.iter().map(|row| row.seq).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tiha_12_old_rows_of_the_audit_log_go_and_what_stays_is_a_chain_that_says_so() {
    for engine in ENGINES {
        let place = Place::new(engine).await;
        let world = World::open(&place).await;
        for day in 0..4 {
            add(&world, day).await;
        }
        let (before, whole) = checked(&world).await;
        assert_eq!((numbers(&before), whole), (vec![1, 2, 3, 4], Ok(before[3].head())));

        // Beside the running writer, which goes on after the row that tells of it.
        let pruned = prune(&place.url, "notes", after(2), after(10)).await.unwrap();
        assert_eq!((pruned.rows, pruned.kept_from), (2, 3));
        add(&world, 11).await;
        let (rows, whole) = checked(&world).await;
        assert_eq!((numbers(&rows), whole), (vec![3, 4, 5, 6], Ok(rows[3].head())));
        assert_eq!(rows[..2], before[2..], "what stays is as it was, and joins on to a copy outside");
        let told = (rows[2].rpc.as_str(), rows[2].resource.as_str(), rows[2].at_us);
        assert_eq!(told, ("osallisuus audit prune", "kept_from=3", after(10).as_micros()));
        let again = prune(&place.url, "notes", after(2), after(12)).await.unwrap();
        assert_eq!((again.rows, again.kept_from), (0, 3), "nothing is added where nothing goes");

        // Later the row that told of it goes too, and its successor tells.
        let pruned = prune(&place.url, "notes", after(11), after(20)).await.unwrap();
        assert_eq!((pruned.rows, pruned.kept_from), (3, 6));
        let (rows, whole) = checked(&world).await;
        assert_eq!((numbers(&rows), whole), (vec![6, 7], Ok(rows[1].head())));
        // The last row stays, however old: without it nobody knows where the log goes on.
        prune(&place.url, "notes", after(1_000), after(1_000)).await.unwrap();
        assert_eq!(numbers(&checked(&world).await.0), [7, 8]);

        // The guards are back; who takes them away and tells nobody is found out.
        let owner = sea_orm::Database::connect(&place.url).await.unwrap();
        let refused = owner.execute_unprepared("DELETE FROM audit_log WHERE seq = 7").await.unwrap_err();
        assert!(refused.to_string().contains("audit_log is append-only"), "{refused}");
        let off = match engine {
            DatabaseKind::Sqlite => "DROP TRIGGER audit_log_no_delete",
            DatabaseKind::Postgres => "ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only",
        };
        for statement in [off, "DELETE FROM audit_log WHERE seq = 7"] {
            owner.execute_unprepared(statement).await.unwrap();
        }
        owner.close().await.unwrap();
        let (_, whole) = checked(&world).await;
        assert_eq!(whole, Err(Broken { seq: 1, what: Break::Gap }));
        world.close().await;
    }
}
