//! Words: illnesses, people of whom a text speaks, one's own decisions.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::{FindingKind, Span};

/// A word of a text.
#[derive(Debug)]
pub(super) struct Word<'a> {
    /// As it is written.
    pub(super) text: &'a str,
    /// In small letters.
    pub(super) lower: String,
    /// Where it begins, in bytes.
    pub(super) start: usize,
    /// Where it ends, in bytes.
    pub(super) end: usize,
    /// Whether a sentence begins with it.
    pub(super) first: bool,
    /// Whether only spaces stand between it and the word before.
    pub(super) joined: bool,
}

impl Word<'_> {
    /// Whether it begins with a capital and goes on with small letters.
    pub(super) fn is_capitalised(&self) -> bool {
        let mut letters = self.text.chars();
        letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(char::is_lowercase)
    }
}

/// The words of a text: letters and digits, with hyphens and colons between them.
pub(super) fn of(text: &str) -> Vec<Word<'_>> {
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut rest = text.char_indices().peekable();
    let mut first = true;
    while let Some((start, letter)) = rest.next() {
        if !letter.is_alphanumeric() {
            first = first || matches!(letter, '.' | '!' | '?' | '\n' | ':');
            continue;
        }
        let mut end = start + letter.len_utf8();
        while let Some((at, next)) = rest.next_if(|(_, next)| is_inner(*next)) {
            end = at + next.len_utf8();
        }
        let word = text[start..end].trim_end_matches(|last: char| !last.is_alphanumeric());
        let end = start + word.len();
        let joined =
            words.last().is_some_and(|before| text[before.end..start].chars().all(char::is_whitespace));
        words.push(Word { text: word, lower: word.to_lowercase(), start, end, first, joined });
        // What was cut off the end ends a sentence only if it is a colon before a space, which is no matter.
        first = false;
    }
    words
}

fn is_inner(letter: char) -> bool {
    letter.is_alphanumeric()
        || matches!(letter, '-' | ':' | '\u{2019}' | '\'' | '\u{301}' | '\u{308}' | '\u{30a}')
}

/// Beginnings of words, by their length for a quick look.
#[derive(Debug, Default)]
struct Beginnings {
    whole: HashSet<&'static str>,
    beginnings: HashSet<&'static str>,
}

impl Beginnings {
    fn add(&mut self, entry: &'static str) {
        match entry.strip_suffix('.') {
            Some(whole) => self.whole.insert(whole),
            None => self.beginnings.insert(entry),
        };
    }

    /// Whether a word is one of them or begins with one; a whole word may have an ending after a colon ("ADHD:n").
    fn has(&self, lower: &str) -> bool {
        let whole = lower.split(':').next().unwrap_or(lower);
        self.whole.contains(whole) || self.rest(lower).is_some()
    }

    /// What follows the longest beginning of a word.
    fn rest<'a>(&self, lower: &'a str) -> Option<&'a str> {
        let ends = lower.char_indices().map(|(at, letter)| at + letter.len_utf8());
        let longest = ends.rev().find(|end| self.beginnings.contains(&lower[..*end]))?;
        Some(&lower[longest..])
    }
}

struct People {
    staff: Beginnings,
    near: Beginnings,
    near_sv: HashSet<&'static str>,
}

static DIAGNOSES: LazyLock<Beginnings> = LazyLock::new(|| {
    let mut found = Beginnings::default();
    lines(include_str!("data/diagnoses.txt"))
        .flat_map(str::split_whitespace)
        .for_each(|entry| found.add(entry));
    found
});

static PEOPLE: LazyLock<People> = LazyLock::new(|| {
    let mut people =
        People { staff: Beginnings::default(), near: Beginnings::default(), near_sv: HashSet::new() };
    for line in lines(include_str!("data/people.txt")) {
        let Some((list, entries)) = line.split_once(':') else { continue };
        for entry in entries.split_whitespace() {
            match list {
                "staff" => people.staff.add(entry),
                "near" => people.near.add(entry),
                _ => {
                    people.near_sv.insert(entry);
                }
            }
        }
    }
    people
});

/// The lines of a list that are no comments.
pub(super) fn lines(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().filter(|line| !line.starts_with('#'))
}

/// Endings that say whose somebody is.
const POSSESSIVES: [&str; 6] = ["ni", "mme", "nsa", "nsä", "lleen", "ltaan"];
const OWNERS: [&str; 8] = ["minun", "mun", "mum", "meidän", "hänen", "heidän", "meijän", "miun"];
const OWNERS_SV: [&str; 11] =
    ["min", "mitt", "mina", "vår", "vårt", "våra", "hans", "hennes", "deras", "mins", "sin"];
/// Longest ending after the beginning of a word: case, plural and possessive together.
const LONGEST_ENDING: usize = 12;

/// Beginnings of one's own matters, and of what makes a word one's own.
const MATTERS: [&str; 13] = [
    "päätök",
    "päätös",
    "hakemuk",
    "hakemus",
    "valituk",
    "valitus",
    "asiakassuunnitelma",
    "palvelusuunnitelma",
    "oikaisuvaatimuk",
    "oikaisuvaatimus",
    "diagnoosi",
    "lääkity",
    "lääkitse",
];
const MATTERS_SV: [&str; 6] = ["beslut", "ansökan", "besvär", "klientplan", "serviceplan", "diagnos"];

pub(super) fn find(words: &[Word<'_>]) -> Vec<Span> {
    let mut spans = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| words.get(before)).filter(|_| word.joined);
        let after = words.get(index + 1).filter(|after| after.joined);
        if DIAGNOSES.has(&word.lower) {
            spans.push((FindingKind::Diagnosis, word.start, word.end));
        }
        if let Some(after) = after
            && after.is_capitalised()
            && is_ending(PEOPLE.staff.rest(&word.lower))
        {
            spans.push((FindingKind::ThirdPerson, word.start, after.end));
        }
        let owner = before.map(|before| before.lower.as_str());
        let owned = owner.is_some_and(|owner| OWNERS.contains(&owner));
        let owned_sv = owner.is_some_and(|owner| OWNERS_SV.contains(&owner));
        let possessed = owned || POSSESSIVES.iter().any(|ending| word.lower.ends_with(ending));
        let start = before.filter(|_| owned || owned_sv).map_or(word.start, |before| before.start);
        if (possessed && is_ending(PEOPLE.near.rest(&word.lower))) || (owned_sv && is_near_sv(&word.lower)) {
            spans.push((FindingKind::ThirdPerson, start, word.end));
        }
        let is_of =
            |beginnings: &[&str]| beginnings.iter().any(|beginning| word.lower.starts_with(beginning));
        if (possessed && is_of(&MATTERS)) || (owned_sv && is_of(&MATTERS_SV)) {
            spans.push((FindingKind::OwnMatter, start, word.end));
        }
    }
    spans
}

/// Whether what follows a beginning can be an ending; compounds are longer ("ohjaajakoulutus").
fn is_ending(rest: Option<&str>) -> bool {
    rest.is_some_and(|rest| rest.chars().count() <= LONGEST_ENDING)
}

fn is_near_sv(lower: &str) -> bool {
    let endings = ["", "s", "en", "ens", "ns", "n"];
    endings.iter().filter_map(|ending| lower.strip_suffix(ending)).any(|base| PEOPLE.near_sv.contains(base))
}
