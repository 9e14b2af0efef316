//! What casting leaves behind, and that each person has one ballot whatever is sent at once.

use forums::app::App;
use forums::domain::lots::WitnessNumber;
use forums::domain::sealed::{BoardPrivateKey, BoardPublicKey, BoxLabel};
use forums::vault::Vault;
use futures::future::join_all;
use kernel::{ElectionId, Fault};
use messaging::DatabaseKind;
use proto::forums as pb;

use chassis::Call;

use crate::support::{blobs, dump, texts};
use crate::world::{Store, World, municipality, small};

#[tokio::test]
async fn f3_64_voters_cast_at_once_on_sqlite() {
    f3_64_voters_cast_at_once(Store::Sqlite).await;
}

#[tokio::test]
async fn f3_64_voters_cast_at_once_on_postgres() {
    f3_64_voters_cast_at_once(Store::Postgres).await;
}

/// Each sends the same command twice and another one besides, all at once: one ballot each is in the box.
async fn f3_64_voters_cast_at_once(store: Store) {
    let world = World::new(store, small()).await;
    let election = world.open_small().await;
    let casts = world.people[0].iter().take(64).enumerate().map(|(index, person)| {
        let world = &world;
        async move {
            let call = world.voter(person, election);
            let other = world.voter(person, election);
            let choice = [u32::try_from(index % 3).unwrap() + 1];
            let cast =
                |call: Call| async move { world.app.cast_ballot(&call, world.forum, &choice, false).await };
            let answers = join_all([cast(call.clone()), cast(call), cast(other)]).await;
            let refused: Vec<&str> =
                answers.iter().filter_map(|answer| answer.as_ref().err()).map(|fault| fault.code()).collect();
            assert!(
                refused == ["forums.already_voted"]
                    || refused == ["forums.already_voted", "forums.already_voted"],
                "one command won, the other was refused each time: {refused:?}"
            );
        }
    });
    join_all(casts).await;
    let marks = texts(&world.database, "SELECT CAST(count(*) AS text) FROM voter_mark").await;
    assert_eq!(marks, ["64"]);
    world.close_and_count(election).await.unwrap();
    let result = world.app.get_election_result(election).await.unwrap();
    assert_eq!(result.constituencies[0].ballots, 64);
}

#[tokio::test]
async fn f3_never_more_marks_than_people_on_the_roll() {
    let mut places = small();
    places[0].eligible = 4;
    let world = World::new(Store::Sqlite, places).await;
    let election = world.open_small().await;
    for person in &world.people[0] {
        world.cast(person, election, &[1]).await.unwrap();
    }
    // A token that should not exist.
    let fifth = crate::world::Person { subject: world.ids.new_id(), municipality: municipality("889") };
    assert_eq!(world.cast(&fifth, election, &[1]).await.unwrap_err().code(), "forums.roll_exhausted");
}

#[tokio::test]
async fn bal_11_casting_changes_the_box_and_adds_a_mark_and_nothing_else() {
    for store in [Store::Sqlite, Store::Postgres] {
        let world = World::new(store, small()).await;
        let election = world.open_small().await;
        let before = dump(&world.database).await;
        let voter = &world.people[0][10];
        let call = world.voter(voter, election);
        world.app.cast_ballot(&call, world.forum, &[1], false).await.unwrap();
        let once = dump(&world.database).await;
        let new: Vec<&String> = once.iter().filter(|line| !before.contains(line)).collect();
        let tables: Vec<&str> = new.iter().map(|line| line.split(':').next().unwrap()).collect();
        assert_eq!(tables, ["ballot_box", "voter_mark"], "{new:?}");
        // The same command again, with another choice even: nothing happens, and nothing tells.
        world.app.cast_ballot(&call, world.forum, &[2], false).await.unwrap();
        assert_eq!(dump(&world.database).await, once);
    }
}

/// Whoever reads the database could tell the seed to the witness, who could then choose.
#[tokio::test]
async fn f5_the_seed_of_the_lots_is_nowhere_in_the_tables_before_they_are_drawn() {
    for store in [Store::Sqlite, Store::Postgres] {
        let world = World::new(store, small()).await;
        let election = world.open_small().await;
        for (person, number) in world.people[0][5..7].iter().zip([1, 2]) {
            world.cast(person, election, &[number]).await.unwrap();
        }
        world.close_and_count(election).await.unwrap();
        let number = WitnessNumber::new("4163").unwrap();
        world.app.witness_lots(&world.officer(2), election, municipality("889"), number).await.unwrap();
        let before = dump(&world.database).await.join("\n").to_lowercase();
        let drawn = world.app.draw_lots(&world.officer(0), election, municipality("889")).await.unwrap();
        let lots = drawn.lots.unwrap();
        assert!(before.contains(&lots.commitment), "the commitment is, as anybody knows it");
        assert!(!before.contains(&lots.seed), "the seed lies readable");
        // From now on it is public, and does not go with the key.
        let shown = result_without_key(&world, election).await.unwrap().lots.unwrap();
        assert_eq!((shown.seed, shown.order), (lots.seed, lots.order));
    }
}

/// A result that needs no lots does not need the key of their seed either, and one with deputies' lots shows them.
#[tokio::test]
async fn a_result_is_readable_without_the_key_of_forums() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.open_small().await;
    world.cast(&world.people[0][5], election, &[1]).await.unwrap();
    assert!(result_without_key(&world, election).await.is_ok());
    world.close_and_count(election).await.unwrap();
    assert!(result_without_key(&world, election).await.unwrap().lots.is_none());
    world.app.confirm_result(&world.officer(0), election).await.unwrap();
    let with_key = world.app.get_election_result(election).await.unwrap().constituencies.remove(0);
    assert!(with_key.lots.is_some(), "two deputies have no approvals");
    assert_eq!(result_without_key(&world, election).await.unwrap(), with_key);
}

/// The result as a forums with another key shows it.
async fn result_without_key(world: &World, election: ElectionId) -> Result<pb::ConstituencyResult, Fault> {
    let (vault, database) = (Vault::new(world.ids.bytes()), world.database.clone());
    let (writer, clock) = (world.writer.clone(), world.clock.clone());
    let other = App::new(vault, database, writer, clock, world.ids.clone(), Vec::new());
    Ok(other.get_election_result(election).await?.constituencies.remove(0))
}

#[tokio::test]
async fn handing_paper_leaves_no_time_beside_the_voter() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.open_small().await;
    let before = dump(&world.database).await;
    let (call, voter) = (world.officer(0), &world.people[0][10]);
    let hand = || world.app.hand_paper_ballot(&call, election, voter.subject, voter.municipality);
    assert_eq!(hand().await.unwrap().handed, 1);
    let once = dump(&world.database).await;
    let new: Vec<&String> = once.iter().filter(|line| !before.contains(line)).collect();
    let tables: Vec<&str> = new.iter().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(tables, ["ballot_box", "voter_mark"], "{new:?}");
    // The mark is the idempotency record, after the boxes have closed too.
    world.on("2026-04-18");
    world.app.close_voting(&world.officer(0), election).await.unwrap();
    assert_eq!(hand().await.unwrap().handed, 1);
}

/// The attacker has all tables in every order that the engine knows, before the board's key is used.
#[tokio::test]
async fn bal_10_nothing_in_the_tables_follows_the_order_of_casting() {
    for store in [Store::Sqlite, Store::Postgres] {
        let world = World::new(store, small()).await;
        let election = world.open_small().await;
        let voters = &world.people[0][3..33];
        for (index, person) in voters.iter().enumerate() {
            // One in three approves candidate 1, in a pattern that an order would give away.
            world.cast(person, election, if index % 3 == 0 { &[1] } else { &[2] }).await.unwrap();
        }
        let sealed = blobs(&world.database, "SELECT sealed FROM ballot_box").await.remove(0);
        let ballots: Vec<&[u8]> = sealed.chunks(sealed.len() / voters.len()).collect();
        assert_eq!(ballots.len(), voters.len(), "all sealed ballots are equally long");
        assert!(ballots.is_sorted(), "the box is in the order of its bytes");
        assert_eq!(blobs(&world.database, "SELECT sealed FROM ballot_box").await.len(), 1, "one row");

        let public = BoardPublicKey::new(&world.board_public).unwrap();
        let key = BoardPrivateKey::new(&world.board_private, &public).unwrap();
        let label = BoxLabel { election, municipality: municipality("889") };
        // Even opened, the box's order is not that of casting: it is the order of fresh random points.
        let opened: Vec<Vec<u8>> = ballots.iter().map(|one| key.open(&label, one).unwrap()).collect();
        let cast: Vec<bool> = (0..voters.len()).map(|index| index % 3 == 0).collect();
        let found: Vec<bool> = opened.iter().map(|written| written[1] & 1 != 0).collect();
        assert_ne!(found, cast);

        world.on("2026-04-18");
        world.app.close_voting(&world.officer(0), election).await.unwrap();
        check_marks_after_close(&world).await;
        world.count(election).await.unwrap();
        let choices = blobs(&world.database, "SELECT choices FROM counted_choices").await.remove(0);
        assert!(choices.chunks(2).is_sorted(), "choices are kept by content");
    }
}

/// From the close on, marks lie in the order of their references by every order there is.
async fn check_marks_after_close(world: &World) {
    match world.database.kind() {
        DatabaseKind::Sqlite => {
            let sql = texts(&world.database, "SELECT sql FROM sqlite_master WHERE name = 'voter_mark'").await;
            assert!(sql[0].contains("WITHOUT ROWID"));
            let refs = blobs(&world.database, "SELECT voter_ref FROM voter_mark").await;
            assert!(refs.is_sorted());
        }
        DatabaseKind::Postgres => {
            let versions = texts(&world.database, "SELECT DISTINCT xmin::text FROM voter_mark").await;
            assert_eq!(versions.len(), 1, "one statement wrote all marks");
            let refs = texts(&world.database, "SELECT voter_ref::text FROM voter_mark ORDER BY ctid").await;
            assert!(refs.is_sorted());
        }
    }
    let columns =
        dump(&world.database).await.into_iter().filter(|line| line.starts_with("voter_mark")).count();
    assert_eq!(columns, 30);
}
