//! The attacker: has everything that is stored or said, and tries every order there is.
//!
//! An attack pairs two orders of the same box: the voters, ordered by some column of some table (or by where their rows
//! lie, or by when they were first named in the log or the stream), and the ballots, ordered by some column or place where
//! they occur. Where somebody has no row, the others are ordered among themselves. The i-th voter is then said to have
//! cast the i-th ballot. Nothing here knows our tables: a table that is added tomorrow is attacked tomorrow.
//!
//! A second kind of attack looks for the ballot itself: its bytes, parts of them, or their hash in anything that belongs
//! to one voter.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::support::dump::{Row, Table};

/// Everything the attacker has.
#[derive(Debug, Clone, Default)]
pub(super) struct Loot {
    /// All tables of all services.
    pub(super) tables: Vec<Table>,
    /// All lines of the application's log.
    pub(super) log: Vec<String>,
    /// All messages of the stream: subject, headers, payload as hexadecimal text, one line each.
    pub(super) stream: Vec<String>,
}

/// One box as the attacker sees it.
#[derive(Debug, Clone)]
pub(super) struct BallotBox {
    /// What names each voter anywhere: register id, references, name.
    pub(super) voters: Vec<Vec<String>>,
    /// What each ballot is known by: its sealed bytes, or its content once counted, as stored.
    pub(super) ballots: Vec<String>,
}

/// An attack's name, and for each voter the ballot it says is theirs.
pub(super) type Linkings = BTreeMap<String, Vec<Option<usize>>>;

/// Everything the attacker can come up with for one box.
pub(super) fn linkings(text: &Searchable<'_>, ballot_box: &BallotBox) -> Linkings {
    let (voters, count) = (voter_orders(text, &ballot_box.voters), ballot_box.voters.len());
    let ballots = ballot_orders(text, &ballot_box.ballots);
    let mut linkings = Linkings::new();
    for (voter_name, voter_order) in &voters {
        for (ballot_name, ballot_order) in &ballots {
            linkings
                .insert(format!("{voter_name} × {ballot_name}"), paired(count, voter_order, ballot_order));
            let reversed: Vec<usize> = ballot_order.iter().rev().copied().collect();
            linkings.insert(
                format!("{voter_name} × {ballot_name}, reversed"),
                paired(count, voter_order, &reversed),
            );
        }
    }
    linkings.insert("ballot's bytes in a voter's rows".to_owned(), by_content(text, ballot_box));
    linkings
}

fn paired(count: usize, voters: &[usize], ballots: &[usize]) -> Vec<Option<usize>> {
    let mut linking = vec![None; count];
    for (voter, ballot) in voters.iter().zip(ballots) {
        linking[*voter] = Some(*ballot);
    }
    linking
}

/// The loot in a form in which ids are found however they are written: lower case, no hyphens.
pub(super) struct Searchable<'a> {
    tables: Vec<(&'a str, Vec<(&'a Row, String)>)>,
    lines: [(&'static str, Vec<String>); 2],
}

fn plain(text: &str) -> String {
    text.to_lowercase().replace('-', "")
}

impl<'a> Searchable<'a> {
    pub(super) fn new(loot: &'a Loot) -> Self {
        let row = |row: &'a Row| {
            let values: Vec<&str> = row.values().flatten().map(String::as_str).collect();
            (row, plain(&values.join(" ")))
        };
        let table = |table: &'a Table| (table.name.as_str(), table.rows.iter().map(row).collect());
        let lines = |lines: &[String]| lines.iter().map(|line| plain(line)).collect();
        Self {
            tables: loot.tables.iter().map(table).collect(),
            lines: [("log", lines(&loot.log)), ("stream", lines(&loot.stream))],
        }
    }
}

/// Orders of the voters: in each table of those who have rows there, in the log and the stream of those who are named.
/// Somebody without a row, who left or did not vote, does not save the others.
fn voter_orders(text: &Searchable<'_>, voters: &[Vec<String>]) -> BTreeMap<String, Vec<usize>> {
    let voters: Vec<Vec<String>> =
        voters.iter().map(|names| names.iter().map(|name| plain(name)).collect()).collect();
    let mut orders = BTreeMap::new();
    for (table, rows) in &text.tables {
        // Rows that name exactly one of the voters belong to that voter.
        let mut owned: Vec<Vec<(usize, &Row)>> = vec![Vec::new(); voters.len()];
        for (place, (row, text)) in rows.iter().enumerate() {
            let mut named =
                (0..voters.len()).filter(|voter| voters[*voter].iter().any(|name| text.contains(name)));
            if let (Some(voter), None) = (named.next(), named.next()) {
                owned[voter].push((place, *row));
            }
        }
        let present: Vec<usize> = (0..voters.len()).filter(|voter| !owned[*voter].is_empty()).collect();
        if present.len() < 2 {
            continue;
        }
        for (which, pick) in [("first", 0), ("last", usize::MAX)] {
            let pick = |voter: &usize| owned[*voter][pick.min(owned[*voter].len() - 1)];
            let rows: Vec<(usize, &Row)> = present.iter().map(pick).collect();
            for column in std::iter::once(PLACE).chain(rows[0].1.keys().map(String::as_str)) {
                let order = ordered(&rows, column).into_iter().map(|index| present[index]).collect();
                orders.insert(format!("{table}.{column} ({which})"), order);
            }
            if present.iter().all(|voter| owned[*voter].len() == 1) {
                break;
            }
        }
    }
    for (what, lines) in &text.lines {
        let first =
            |names: &Vec<String>| lines.iter().position(|line| names.iter().any(|name| line.contains(name)));
        let named = voters.iter().enumerate().filter_map(|(voter, names)| Some((first(names)?, voter)));
        let mut named: Vec<(usize, usize)> = named.collect();
        named.sort_unstable();
        if named.len() >= 2 {
            orders.insert((*what).to_owned(), named.into_iter().map(|(_, voter)| voter).collect());
        }
    }
    orders
}

/// Orders of all the ballots.
fn ballot_orders(text: &Searchable<'_>, ballots: &[String]) -> BTreeMap<String, Vec<usize>> {
    let mut orders = BTreeMap::new();
    let mut by_bytes: Vec<usize> = (0..ballots.len()).collect();
    by_bytes.sort_by_key(|ballot| &ballots[*ballot]);
    orders.insert("bytes".to_owned(), by_bytes);
    let mut by_hash: Vec<usize> = (0..ballots.len()).collect();
    by_hash.sort_by_key(|ballot| Sha256::digest(&ballots[*ballot]));
    orders.insert("hash".to_owned(), by_hash);
    if ballots.iter().any(|ballot| ballot.len() < TELLING) {
        // Too short to be looked for: they would be found everywhere.
        return orders;
    }
    for (table, rows) in &text.tables {
        let found: Option<Vec<(usize, usize, &Row)>> =
            ballots.iter().map(|ballot| place(rows, ballot)).collect();
        let Some(found) = found else { continue };
        let mut order: Vec<usize> = (0..ballots.len()).collect();
        order.sort_by_key(|ballot| (found[*ballot].0, found[*ballot].1));
        orders.insert(format!("{table} as it lies"), order);
        let one_row = found.windows(2).all(|pair| pair[0].0 == pair[1].0);
        if !one_row {
            let rows: Vec<(usize, &Row)> = found.iter().map(|(place, _, row)| (*place, *row)).collect();
            for column in rows[0].1.keys() {
                orders.insert(format!("{table}.{column}"), ordered(&rows, column));
            }
        }
    }
    for (what, lines) in &text.lines {
        let first = |ballot: &String| lines.iter().position(|line| line.contains(ballot.as_str()));
        let places: Option<Vec<usize>> = ballots.iter().map(first).collect();
        if let Some(places) = places {
            let mut order: Vec<usize> = (0..ballots.len()).collect();
            order.sort_by_key(|ballot| places[*ballot]);
            orders.insert((*what).to_owned(), order);
        }
    }
    orders
}

/// First row that holds the ballot, and where in it.
fn place<'a>(rows: &[(&'a Row, String)], ballot: &str) -> Option<(usize, usize, &'a Row)> {
    rows.iter().enumerate().find_map(|(place, (row, _))| {
        let at = row.values().flatten().find_map(|value| value.find(ballot))?;
        Some((place, at, *row))
    })
}

/// Name of the order in which rows lie.
const PLACE: &str = "(place)";

fn ordered(rows: &[(usize, &Row)], column: &str) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let value = |index: &usize| rows[*index].1.get(column).and_then(Option::as_deref).unwrap_or_default();
    order.sort_by(|a, b| {
        let by_value = if column == PLACE { Ordering::Equal } else { compare(value(a), value(b)) };
        by_value.then(rows[*a].0.cmp(&rows[*b].0))
    });
    order
}

/// Numbers as numbers, also those of a ctid like (0,12); else as text.
fn compare(a: &str, b: &str) -> Ordering {
    let numbers = |text: &str| -> Option<Vec<i128>> {
        let inner = text.trim_matches(['(', ')']);
        inner.split(',').map(|number| number.parse().ok()).collect()
    };
    match (numbers(a), numbers(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

/// Characters of a ballot's hexadecimal text that do not occur twice by accident: eight bytes.
const TELLING: usize = 16;

/// Links a voter to the ballot of which a part, or the hash, stands in a row of theirs.
fn by_content(text: &Searchable<'_>, ballot_box: &BallotBox) -> Vec<Option<usize>> {
    let owned = |names: &Vec<String>| -> String {
        let names: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let others = |row: &str| {
            let strangers = ballot_box.voters.iter().flatten().map(|name| plain(name));
            strangers.filter(|name| !names.contains(name)).any(|name| row.contains(&name))
        };
        let rows = text.tables.iter().flat_map(|(_, rows)| rows.iter().map(|(_, row)| row));
        let lines = text.lines.iter().flat_map(|(_, lines)| lines);
        let mine =
            rows.chain(lines).filter(|row| names.iter().any(|name| row.contains(name)) && !others(row));
        mine.cloned().collect::<Vec<_>>().join(" ")
    };
    let link = |names: &Vec<String>| {
        if ballot_box.ballots.iter().any(|ballot| ballot.len() < TELLING) {
            return None;
        }
        let mine = owned(names);
        ballot_box.ballots.iter().position(|ballot| parts(ballot).iter().any(|part| mine.contains(part)))
    };
    ballot_box.voters.iter().map(link).collect()
}

/// What gives a ballot away: any eight of its bytes, the beginning of its hash.
fn parts(ballot: &str) -> Vec<String> {
    let bytes: Vec<u8> = (0..ballot.len() / 2)
        .filter_map(|index| u8::from_str_radix(&ballot[2 * index..2 * index + 2], 16).ok())
        .collect();
    let digest = |input: &[u8]| data_encoding::HEXLOWER.encode(&Sha256::digest(input))[..TELLING].to_owned();
    let mut parts = vec![digest(&bytes), digest(ballot.as_bytes())];
    // Not every offset: a copy of a part at least twice as long as the window holds one of these.
    let last = ballot.len().saturating_sub(TELLING);
    parts.extend(
        (0..=last).step_by(TELLING).filter_map(|from| ballot.get(from..from + TELLING)).map(str::to_owned),
    );
    parts
}
