//! Names of people: known first names in any case, words that end like a surname, and two capitalised words in a row.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::words::{Word, lines};
use super::{FindingKind, Span};

/// Stems of first names, in small letters: the basic form and what is left of it before an ending.
static NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let names = lines(include_str!("data/first_names.txt")).flat_map(str::split_whitespace);
    names.flat_map(|name| stems(&name.to_lowercase())).collect()
});

/// Municipalities, in small letters, without their last letter, which changes: capitalised, but nobody.
static PLACES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let all = kernel::reference::municipalities().iter();
    let names = all.flat_map(|place| [place.name_fi.as_str(), place.swedish_name()]);
    let cut = |name: &str| {
        let mut name = name.to_lowercase();
        if name.chars().count() > 3 {
            name.pop();
        }
        name
    };
    names.filter(|name| !name.is_empty()).map(cut).collect()
});

/// Endings of a Finnish noun and of what is hung on it, and the Swedish genitive.
const ENDINGS: [&str; 36] = [
    "", "n", "a", "ä", "ta", "tä", "lla", "llä", "lta", "ltä", "lle", "ssa", "ssä", "sta", "stä", "na", "nä",
    "ksi", "an", "en", "in", "on", "un", "yn", "än", "ön", "iin", "een", "ien", "ia", "iä", "ille", "illa",
    "ita", "s", "tta",
];
const CLITICS: [&str; 8] = ["", "kin", "kaan", "kään", "ko", "kö", "han", "hän"];

/// Endings of Finnish surnames, in the cases in which they are written most, and of Swedish ones.
const SURNAMES: [&str; 22] = [
    "nen", "sen", "selle", "sella", "sellä", "selta", "seltä", "sesta", "sestä", "seen", "sta", "stä",
    "ström", "ströms", "berg", "bergs", "sson", "ssons", "kvist", "lund", "gren", "holm",
];

/// Capitalised words that often stand side by side and are no names.
const PUBLIC: [&str; 22] = [
    "pohjois",
    "etelä",
    "itä",
    "länsi",
    "keski",
    "hyvinvointialue",
    "pohde",
    "kela",
    "valvira",
    "suomi",
    "suome",
    "euroopa",
    "yle",
    "finland",
    "norra",
    "södra",
    "östra",
    "västra",
    "välfärdsområde",
    "oulunkaar",
    "osallisuus",
    "fpa",
];

pub(super) fn find(words: &[Word<'_>]) -> Vec<Span> {
    let mut spans = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if !word.is_capitalised() {
            continue;
        }
        let next = words.get(index + 1).filter(|next| next.joined && next.is_capitalised());
        let end = next.map_or(word.end, |next| next.end);
        if is_first_name(&word.lower) {
            spans.push((FindingKind::Name, word.start, end));
            continue;
        }
        if word.first || is_public(&word.lower) {
            continue;
        }
        let is_pair = next.is_some_and(|next| !is_public(&next.lower));
        if is_pair {
            spans.push((FindingKind::Name, word.start, end));
        } else if is_surname(&word.lower) {
            spans.push((FindingKind::Name, word.start, word.end));
        }
    }
    spans
}

fn is_first_name(lower: &str) -> bool {
    // A double name is known by its first part ("Anna-Liisan").
    let lower = lower.split(['-', ':', '\u{2019}', '\'']).next().unwrap_or(lower);
    let bare = CLITICS.iter().filter_map(|clitic| lower.strip_suffix(clitic));
    bare.flat_map(|bare| ENDINGS.iter().filter_map(move |ending| bare.strip_suffix(ending)))
        .any(|stem| NAMES.contains(stem))
}

fn is_surname(lower: &str) -> bool {
    lower.chars().count() >= 6 && SURNAMES.iter().any(|ending| lower.ends_with(ending))
}

fn is_public(lower: &str) -> bool {
    let begins = |beginning: &str| lower.starts_with(beginning);
    PUBLIC.iter().any(|word| begins(word)) || PLACES.iter().any(|place| begins(place))
}

/// What a name is before an ending: itself; with the weak grade of its last consonants (Pekka, Pekan; Antti, Antin);
/// with -kse- for -s (Rasmus, Rasmuksen).
fn stems(name: &str) -> Vec<String> {
    let mut stems = vec![name.to_owned()];
    for (strong, weak) in [("kk", "k"), ("pp", "p"), ("tt", "t")] {
        if let Some((vowel, before)) = last_letter(name)
            && let Some(root) = before.strip_suffix(strong)
        {
            stems.push(format!("{root}{weak}{vowel}"));
        }
    }
    if let Some(root) = name.strip_suffix('s') {
        stems.push(format!("{root}kse"));
    }
    stems
}

fn last_letter(name: &str) -> Option<(char, &str)> {
    let mut letters = name.chars();
    let last = letters.next_back()?;
    Some((last, letters.as_str()))
}
