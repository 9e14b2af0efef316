//! Words of texts as the search sees them (S1.25): normalised, without stop words, cut to their stems, and weighed.
//!
//! Finnish, Swedish and English are stemmed with the Snowball algorithms (crate `frostem`, generated from upstream's
//! sources and pinned: other stems would not be found in an index that was made with these). A text of another language
//! is found by its words as they are. Nothing here depends on a database, so both find the same.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};
use kernel::{TenantId, TextVariant};
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

/// Letters of the longest word that is looked at; what is longer is no word.
const LONGEST_WORD: usize = 40;
/// Different words of a query that are looked at, in their order.
pub const MAX_QUERY_WORDS: usize = 60;

/// How much a word counts by where it stands.
const IN_TITLE: u32 = 4;
const IN_SUMMARY: u32 = 2;
const IN_BODY: u32 = 1;

/// Saturation of repeated words and share of the length of a text, as usual for BM25; the usual length of a proposal,
/// fixed, because an average that moves would make every weight wrong that is stored.
const SATURATION: f64 = 1.2;
const LENGTH_SHARE: f64 = 0.75;
const USUAL_LENGTH: f64 = 150.0;
/// Weights and rarities are whole numbers of thousandths, so that sums are exact and the order is the same everywhere.
const THOUSAND: f64 = 1000.0;

/// How words of a text are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Cut {
    Finnish,
    Swedish,
    English,
    /// Not at all.
    Whole,
}

impl Cut {
    const ALL: [Self; 4] = [Self::Finnish, Self::Swedish, Self::English, Self::Whole];

    fn of(variant: TextVariant) -> Self {
        match variant {
            TextVariant::Finnish | TextVariant::EasyFinnish => Self::Finnish,
            TextVariant::Swedish | TextVariant::EasySwedish => Self::Swedish,
            TextVariant::English => Self::English,
            TextVariant::NorthernSami | TextVariant::InariSami | TextVariant::SkoltSami => Self::Whole,
        }
    }

    fn tag(self) -> &'static str {
        match self {
            Self::Finnish => "fi",
            Self::Swedish => "sv",
            Self::English => "en",
            Self::Whole => "-",
        }
    }

    fn stem(self, word: &str) -> String {
        let algorithm = match self {
            Self::Finnish => Algorithm::Finnish,
            Self::Swedish => Algorithm::Swedish,
            Self::English => Algorithm::English,
            Self::Whole => return word.to_owned(),
        };
        Stemmer::new(algorithm).stem(word).into_owned()
    }
}

/// One form of the text of a proposal.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// Its language.
    pub variant: TextVariant,
    /// Title.
    pub title: &'a str,
    /// Summary; may be empty.
    pub summary: &'a str,
    /// The rest; may be empty.
    pub body: &'a str,
}

/// A stem in a county's index: a number made of county, language and stem. The index holds no word, so nobody can read
/// in it what a text said that is gone; two stems with one number would only be found together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StemId(i64);

impl StemId {
    fn new(tenant: TenantId, cut: Cut, stem: &str) -> Self {
        let hash = Sha256::digest(format!("{tenant}|{}|{stem}", cut.tag()));
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        Self(i64::from_be_bytes(first))
    }

    /// The stem that is stored as this number.
    pub const fn stored(number: i64) -> Self {
        Self(number)
    }

    /// The number, for storing.
    pub const fn number(self) -> i64 {
        self.0
    }
}

/// The stems of a proposal with their weights in thousandths: more for a word that is repeated, stands in the title, or
/// stands in a short text. Each form of the text counts by itself.
pub fn weigh(tenant: TenantId, texts: &[Text<'_>]) -> BTreeMap<StemId, i64> {
    let mut weights = BTreeMap::new();
    for text in texts {
        let cut = Cut::of(text.variant);
        let mut counts: BTreeMap<StemId, u32> = BTreeMap::new();
        let mut length = 0;
        for (part, worth) in [(text.title, IN_TITLE), (text.summary, IN_SUMMARY), (text.body, IN_BODY)] {
            for word in words(part) {
                *counts.entry(StemId::new(tenant, cut, &cut.stem(&word))).or_default() += worth;
                length += worth;
            }
        }
        for (stem, count) in counts {
            let weight = weight(count, length);
            let known: &mut i64 = weights.entry(stem).or_default();
            *known = weight.max(*known);
        }
    }
    weights
}

/// The words of a query, each as the stems by which it may be in the index: one for each language, because nobody says
/// in which language they ask.
pub fn query(tenant: TenantId, text: &str) -> Vec<Vec<StemId>> {
    let mut seen = HashSet::new();
    let different = words(text).filter(|word| seen.insert(word.clone())).take(MAX_QUERY_WORDS);
    let stems =
        |word: String| Cut::ALL.iter().map(|cut| StemId::new(tenant, *cut, &cut.stem(&word))).collect();
    different.map(stems).collect()
}

/// How much a word says that stands in so many of the proposals: a rare one more. In thousandths.
pub fn rarity(with_it: u64, proposals: u64) -> i64 {
    // A count of proposals is far below what a float holds exactly.
    #[expect(clippy::cast_precision_loss, reason = "counts of proposals are small")]
    let (with_it, proposals) = (with_it as f64, proposals.max(with_it) as f64);
    thousandths((1.0 + (proposals - with_it + 0.5) / (with_it + 0.5)).ln())
}

fn weight(count: u32, length: u32) -> i64 {
    let (count, length) = (f64::from(count), f64::from(length));
    let pull = SATURATION * (1.0 - LENGTH_SHARE + LENGTH_SHARE * length / USUAL_LENGTH);
    thousandths(count * (SATURATION + 1.0) / (count + pull))
}

#[expect(clippy::cast_possible_truncation, reason = "a few thousand at most")]
fn thousandths(value: f64) -> i64 {
    (value * THOUSAND).round() as i64
}

/// The words of a text that are worth finding, in their order: composed (ä is one letter, however it was typed), in
/// small letters, parts of a hyphenated word by themselves; å, ä and ö stay what they are.
fn words(text: &str) -> impl Iterator<Item = String> {
    let plain: String = text.nfc().collect::<String>().to_lowercase();
    let words: Vec<String> = plain
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| (2..=LONGEST_WORD).contains(&word.chars().count()) && !STOP_WORDS.contains(word))
        .map(str::to_owned)
        .collect();
    words.into_iter()
}

/// Words that stand in every text and tell nothing.
static STOP_WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let list = include_str!("stems/stop_words.txt");
    list.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect()
});

#[cfg(test)]
mod tests;
