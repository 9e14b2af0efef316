//! Secrecy of the ballot against somebody who has stolen everything but the key of the election board.
//!
//! The attacker has every table of every service with all columns of the system, in physical order, the application's
//! log at its finest, and the stream; see [`attack`] for what they do with it. The election is synthetic: everybody has
//! a choice of their own, so that the test, which has the board's key, knows which sealed ballot is whose and can count
//! how often the attacker is right. Chance alone must explain it ([`chance`]); and the same attacker must succeed where
//! something leaks ([`control`], and at the end of the test on the real election's own ballots).
//!
//! What the design does not cover is in `docs/ballots.md`.

mod attack;
mod chance;
mod control;
mod election;

use std::collections::BTreeMap;

use attack::{BallotBox, Loot, Searchable};
use election::{Election, Precinct};
use kernel::Ids;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use sea_orm::{ConnectionTrait as _, Database};
use testkit::system::Store;

use crate::support::world::World;
use crate::support::{dump, log, stream};

/// How often one look at the loot may fail without a fault, whatever the number of attacks it tries; a test looks four
/// times.
const FALSE_ALARM: f64 = 1e-6;

#[tokio::test(flavor = "multi_thread")]
async fn bal_10_nobody_without_the_boards_key_links_voters_to_ballots_on_sqlite() {
    secrecy(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bal_10_nobody_without_the_boards_key_links_voters_to_ballots_on_postgres() {
    secrecy(Store::Postgres).await;
}

async fn secrecy(store: Store) {
    log::catch();
    let seed = std::env::var("TESTKIT_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from_le_bytes(Ids::system().bytes()));
    say(&format!("TESTKIT_SEED={seed} deals the same choices in the same order again"));
    let world = World::start(store, &["19"]).await;
    let election = Election::open(&world, &mut ChaCha8Rng::seed_from_u64(seed)).await;

    let before_votes = loot(&world).await;
    election.vote().await;
    let voted = loot(&world).await;
    check_casting_left_no_trace(&before_votes, &voted);
    let sealed =
        |precinct: &Precinct| election.sealed(precinct, &voted.tables).expect("a box with all ballots");
    let boxes: Vec<BallotBox> = election.boxes.iter().map(sealed).collect();
    check_attacker_fails("boxes, while voting is open", &voted, &boxes);

    election.close().await;
    check_attacker_fails("boxes, when voting has closed", &loot(&world).await, &boxes);

    election.count().await;
    let counted = loot(&world).await;
    let choices: Vec<BallotBox> = election.boxes.iter().map(Precinct::written).collect();
    check_attacker_fails("boxes, after the count", &counted, &boxes);
    check_attacker_fails("choices, after the count", &counted, &choices);
    check_choices_are_sorted(&counted, &election.boxes);

    check_attacker_succeeds_on_a_leak(&world, &counted, &election, &boxes).await;
    world.finish().await;
}

/// For whoever looks at a failure, or wonders how sure a success is.
#[expect(clippy::print_stdout, reason = "the output of a test")]
fn say(text: &str) {
    println!("{text}");
}

/// Everything but the board's key.
async fn loot(world: &World) -> Loot {
    // What happened before belongs to what was taken before.
    world.settle().await;
    let messages = stream::all(&world.nats_url()).await;
    let line = |message: &stream::Message| {
        let headers: String =
            message.headers.iter().map(|(name, value)| format!("{name}: {value} ")).collect();
        format!("{} {headers}{}", message.subject, data_encoding::HEXLOWER.encode(&message.payload))
    };
    Loot { tables: world.tables().await, log: log::lines(), stream: messages.iter().map(line).collect() }
}

/// Casting writes marks and boxes, and nothing else grows: no event, no command, no job, no line of the log (BAL-11).
fn check_casting_left_no_trace(before: &Loot, after: &Loot) {
    let size = |loot: &Loot| -> BTreeMap<String, usize> {
        loot.tables.iter().map(|table| (table.name.clone(), table.rows.len())).collect()
    };
    let (before_sizes, after_sizes) = (size(before), size(after));
    let grown: Vec<&String> = after_sizes
        .iter()
        .filter(|(name, rows)| before_sizes[*name] < **rows)
        .map(|(name, _)| name)
        .collect();
    for name in grown {
        let logs = ["command_log", "event_log", "job", "audit", "parked"];
        let is_log = name.starts_with("forums.") && logs.iter().any(|log| name.contains(log));
        assert!(!is_log, "casting ballots has added rows to {name}");
    }
    let new_lines = &after.log[before.log.len()..];
    let cast =
        new_lines.iter().find(|line| line.contains("CastBallot") || line.to_lowercase().contains("ballot"));
    assert_eq!(cast, None, "casting a ballot is in the log");
    let mut new_messages = after.stream.iter().filter(|line| !before.stream.contains(line));
    // A lane that has been quiet for a minute says how long it is.
    let told = new_messages.find(|line| !line.contains("messaging.v1.Watermark"));
    assert_eq!(told, None, "casting ballots is in the stream");
}

/// No attack is right more often than chance may be.
fn check_attacker_fails(what: &str, loot: &Loot, boxes: &[BallotBox]) {
    let totals = attack_all(loot, boxes);
    let strategies = totals.len();
    assert!(strategies > 20, "only {strategies} attacks were possible: the loot is not the whole");
    let tried = |table: &str| totals.keys().any(|name| name.starts_with(table));
    assert!(tried("forums.voter_mark"), "the marks of who has voted were not among what was attacked");
    let bounds = |tried: usize| chance::bound(tried, strategies, FALSE_ALARM);
    let (best, (hits, tried)) = totals.iter().max_by_key(|(_, (hits, _))| *hits).expect("an attack");
    say(&format!(
        "{what}: {strategies} attacks on {} boxes; the best, {best:?}, was right {hits} times; chance is right {tried} \
         times on average and fewer than {} times but in one of {:.0} runs",
        boxes.len(),
        bounds(*tried),
        1.0 / FALSE_ALARM
    ));
    for (name, (hits, tried)) in &totals {
        let bound = bounds(*tried);
        assert!(
            *hits < bound,
            "{what}: {name:?} was right {hits} times in {tried} boxes; chance stays under {bound}"
        );
    }
}

/// For each attack: right links, and boxes in which it was possible.
fn attack_all(loot: &Loot, boxes: &[BallotBox]) -> BTreeMap<String, (usize, usize)> {
    let text = Searchable::new(loot);
    let mut totals: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for ballot_box in boxes {
        for (name, linking) in attack::linkings(&text, ballot_box) {
            let hits = linking.iter().enumerate().filter(|(voter, ballot)| **ballot == Some(*voter)).count();
            let total = totals.entry(name).or_default();
            *total = (total.0 + hits, total.1 + 1);
        }
    }
    totals
}

/// The choices that the count leaves behind lie in the order of their content, which is nobody's order.
fn check_choices_are_sorted(loot: &Loot, precincts: &[Precinct]) {
    let values: Vec<&String> =
        loot.tables.iter().flat_map(|table| &table.rows).flat_map(|row| row.values().flatten()).collect();
    for precinct in precincts {
        let written = precinct.written().ballots;
        let mut by_content: Vec<(&Vec<u32>, String)> =
            precinct.voters.iter().map(|voter| &voter.approvals).zip(written).collect();
        by_content.sort();
        let sorted: String = by_content.into_iter().map(|(_, written)| written).collect();
        assert!(
            values.iter().any(|value| value.contains(&sorted)),
            "choices of {} do not lie sorted",
            precinct.code
        );
    }
}

/// The same attacker on a variant that stores the real ballots one row each as they come, beside marks with no order of
/// their own: in a real database, so that what its system columns tell is tried as well.
async fn check_attacker_succeeds_on_a_leak(
    world: &World,
    loot: &Loot,
    election: &Election,
    boxes: &[BallotBox],
) {
    let url = world.new_database("leaky").await;
    let connection = Database::connect(url.as_str()).await.expect("a database");
    let tables =
        "CREATE TABLE mark (voter VARCHAR(36) PRIMARY KEY); CREATE TABLE ballot (sealed TEXT PRIMARY KEY)";
    connection.execute_unprepared(tables).await.expect("tables");
    for (precinct, ballot_box) in election.boxes.iter().zip(boxes) {
        for turn in &precinct.turns {
            let (voter, sealed) = (&precinct.voters[*turn].names[0], &ballot_box.ballots[*turn]);
            let mark = format!("INSERT INTO mark VALUES ('{voter}')");
            connection.execute_unprepared(&mark).await.expect("a mark");
            let ballot = format!("INSERT INTO ballot VALUES ('{sealed}')");
            connection.execute_unprepared(&ballot).await.expect("a ballot");
        }
    }
    connection.close().await.expect("closed");
    let mut leaky = loot.clone();
    leaky.tables.extend(dump::all("leaky", &url).await);
    let totals = attack_all(&leaky, boxes);
    let all = boxes.iter().map(|ballot_box| ballot_box.voters.len()).sum::<usize>();
    let best = totals.values().map(|(hits, _)| *hits).max().expect("an attack");
    assert_eq!(best, all, "the attacker must link everybody where rows lie in the order of casting");
}
