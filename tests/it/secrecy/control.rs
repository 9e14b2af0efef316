//! Proof that the attacker is good: what leaks is found.

use std::collections::BTreeMap;

use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

use super::attack::{self, BallotBox, Loot, Searchable};
use crate::support::dump::{Row, Table};

const VOTERS: usize = 16;

/// A box whose i-th voter cast the i-th ballot, cast in the order `cast`.
struct Case {
    ballot_box: BallotBox,
    cast: Vec<usize>,
    rng: ChaCha8Rng,
}

impl Case {
    fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut hex = |bytes: usize| {
            data_encoding::HEXLOWER.encode(&(0..bytes).map(|_| rng.random()).collect::<Vec<u8>>())
        };
        let voters = (0..VOTERS).map(|_| vec![hex(16)]).collect();
        let ballots = (0..VOTERS).map(|_| hex(50)).collect();
        let mut cast: Vec<usize> = (0..VOTERS).collect();
        cast.shuffle(&mut rng);
        Self { ballot_box: BallotBox { voters, ballots }, cast, rng }
    }

    fn voter(&self, index: usize) -> String {
        self.ballot_box.voters[index][0].clone()
    }

    fn ballot(&self, index: usize) -> String {
        self.ballot_box.ballots[index].clone()
    }

    /// A table with rows in the order of casting.
    fn table(&self, name: &str, row: impl Fn(usize, usize) -> Vec<(&'static str, String)>) -> Table {
        let rows = self.cast.iter().enumerate().map(|(place, voter)| columns(row(place, *voter))).collect();
        Table { name: name.to_owned(), rows }
    }

    /// How many links the best attack gets right.
    fn best(&self, loot: &Loot) -> usize {
        let linkings = attack::linkings(&Searchable::new(loot), &self.ballot_box);
        let right = |linking: &Vec<Option<usize>>| {
            (0..VOTERS).filter(|voter| linking[*voter] == Some(*voter)).count()
        };
        linkings.values().map(right).max().expect("an attack")
    }
}

fn columns(values: Vec<(&'static str, String)>) -> Row {
    values.into_iter().map(|(name, value)| (name.to_owned(), Some(value))).collect::<BTreeMap<_, _>>()
}

#[test]
fn rows_in_the_order_of_casting_are_found() {
    let case = Case::new();
    let marks = case.table("a.mark", |_, voter| vec![("voter", case.voter(voter))]);
    let ballots = case.table("a.ballot", |_, voter| vec![("sealed", case.ballot(voter))]);
    let loot = Loot { tables: vec![marks, ballots], ..Default::default() };
    assert_eq!(case.best(&loot), VOTERS);
}

#[test]
fn transactions_and_times_are_found_behind_shuffled_rows() {
    let mut case = Case::new();
    let mut marks = case.table("a.mark", |place, voter| {
        vec![("voter", case.voter(voter)), ("sys:xmin", (90 + place).to_string())]
    });
    let mut ballots = case.table("a.ballot", |place, voter| {
        vec![("sealed", case.ballot(voter)), ("at", format!("2026-04-13T09:00:{place:02}Z"))]
    });
    marks.rows.shuffle(&mut case.rng);
    ballots.rows.shuffle(&mut case.rng);
    let loot = Loot { tables: vec![marks, ballots], ..Default::default() };
    assert_eq!(case.best(&loot), VOTERS);
}

#[test]
fn one_row_that_is_only_appended_to_is_found() {
    let case = Case::new();
    let marks = case.table("a.mark", |_, voter| vec![("voter", case.voter(voter))]);
    let appended: String = case.cast.iter().map(|voter| case.ballot(*voter)).collect();
    let ballot_box = Table { name: "a.box".to_owned(), rows: vec![columns(vec![("sealed", appended)])] };
    let loot = Loot { tables: vec![marks, ballot_box], ..Default::default() };
    assert_eq!(case.best(&loot), VOTERS);
}

#[test]
fn a_voter_without_a_row_does_not_hide_the_others() {
    let case = Case::new();
    // The last one on the roll of those who voted has left since: their row is gone.
    let gone = *case.cast.last().expect("a voter");
    let mut marks = case.table("a.mark", |_, voter| vec![("voter", case.voter(voter))]);
    marks.rows.pop();
    let ballots = case.table("a.ballot", |_, voter| vec![("sealed", case.ballot(voter))]);
    let loot = Loot { tables: vec![marks, ballots], ..Default::default() };
    assert_eq!(case.best(&loot), VOTERS - 1);

    let log = case.cast.iter().filter(|voter| **voter != gone);
    let log = log.map(|voter| format!("voter {} has voted", case.voter(*voter))).collect();
    let stream =
        case.cast.iter().map(|voter| format!("a ballot was cast: {}", case.ballot(*voter))).collect();
    let loot = Loot { log, stream, ..Default::default() };
    assert_eq!(case.best(&loot), VOTERS - 1);
}

#[test]
fn log_lines_and_events_are_found() {
    let case = Case::new();
    let log = case.cast.iter().map(|voter| format!("voter {} has voted", case.voter(*voter))).collect();
    let stream =
        case.cast.iter().map(|voter| format!("a ballot was cast: {}", case.ballot(*voter))).collect();
    let loot = Loot { log, stream, ..Default::default() };
    assert_eq!(case.best(&loot), VOTERS);
}

#[test]
fn a_ballots_hash_in_a_voters_row_is_found() {
    let mut case = Case::new();
    let mut marks = case.table("a.mark", |_, voter| {
        let ballot = data_encoding::HEXLOWER.decode(case.ballot(voter).as_bytes()).expect("bytes");
        vec![("voter", case.voter(voter)), ("key", data_encoding::HEXLOWER.encode(&Sha256::digest(ballot)))]
    });
    marks.rows.shuffle(&mut case.rng);
    let loot = Loot { tables: vec![marks], ..Default::default() };
    assert_eq!(case.best(&loot), VOTERS);
}

#[test]
fn a_box_in_the_order_of_its_bytes_gives_nothing_away() {
    let case = Case::new();
    let marks = case.table("a.mark", |_, voter| vec![("voter", case.voter(voter))]);
    let mut sorted = case.ballot_box.ballots.clone();
    sorted.sort();
    let ballot_box =
        Table { name: "a.box".to_owned(), rows: vec![columns(vec![("sealed", sorted.concat())])] };
    let loot = Loot { tables: vec![marks, ballot_box], ..Default::default() };
    assert!(
        case.best(&loot) < VOTERS / 2,
        "{} of {VOTERS} voters were linked to their ballots",
        case.best(&loot)
    );
}
