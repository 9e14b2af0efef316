//! What has a form: identity codes, phone numbers, addresses.

use std::sync::LazyLock;

use regex::Regex;

use super::{FindingKind, Span};

/// Day, month, year, sign of the century, number, check character: the sign of 1.1.2023 and those of before (decree
/// 690/2022). Neither day nor check character is proved: a code with a slip of the pen tells as much as a right one. It
/// may have spaces around the sign, any dash for the sign, or lack its last character.
const IDENTITY_CODE: &str = r"(?i)\b\d{6}\s?[-\u{2010}-\u{2015}\u{2212}+a-fu-y]\s?\d{3}(?:[0-9a-z]\b|\b)";

/// From a country's code or a zero on; how many digits it has is counted by itself.
const PHONE: &str = r"(?:\+|\b00|\(0|\b0)[0-9()\-\u{2010}-\u{2015}\u{a0} ]{5,20}[0-9]\b";

/// Also with the at sign written out, as people do who do not want to be found by machines.
const EMAIL: &str = concat!(
    r"[A-Za-zÅÄÖåäö0-9._%+\-]+\s?(?:@|\((?:at|ät|miuku)\)|\[(?:at|ät)\]| at | ät )\s?",
    r"[A-Za-zÅÄÖåäö0-9\-]+(?:(?:\.|\(dot\)|\s?\(piste\)\s?| piste | punkt )[A-Za-zÅÄÖåäö0-9\-]+)+",
);

/// A street in any case with a number after it. The letters are those of street names, for all of Unicode would make
/// the pattern a hundred times larger.
const STREET: &str = concat!(
    r"\b[A-ZÅÄÖ][A-Za-zÅÄÖåäöé\-]*(?:[kK]atu|[kK]adu[a-zäö]{1,4}|[tT]ie(?:n|llä|ltä|lle|tä)?|[kK]uja[a-zä]{0,4}",
    r"|[pP]ol(?:ku|u[a-zä]{1,4})|[vV]äylä[a-zä]{0,4}|[kK]aar[ie][a-z]{0,4}|[rR]ai(?:tti|ti[a-z]{1,4})",
    r"|[rR]inne|[rR]intee[a-zä]{1,4}|[aA]ukio[a-z]{0,4}|[tT]ori[a-z]{0,4}|[rR]an(?:ta|na[a-z]{1,4})",
    r"|[pP]en(?:ger|kere[a-zä]{1,4})|[pP]uisto[a-z]{0,4}|[pP]iha[a-z]{0,4}|[pP]or(?:tti|ti[a-z]{1,4})",
    r"|[mM]ä(?:ki|e[a-zä]{1,4})|[kK]ulma[a-z]{0,4}|[eE]splanadi[a-z]{0,4}|[bB]ulevardi[a-z]{0,4}",
    r"|[gG]atan?|[vV]äg(?:en)?|[gG]ränd(?:en)?|[sS]tig(?:en)?|[aA]llén|[sS]tranden|[tT]orget|[bB]acken|[kK]roken)",
    r"\s+\d{1,4}\b(?:\s?[a-zA-Z]\b)?(?:\s?(?:as|bst|lgh)?\.?\s?\d{1,3}\b)?",
);

/// A postal code and its place.
const POSTAL: &str = r"\b\d{5}\s+[A-ZÅÄÖ][a-zåäö]+";

static PATTERNS: LazyLock<Vec<(FindingKind, Regex)>> = LazyLock::new(|| {
    let patterns = [
        (FindingKind::IdentityCode, IDENTITY_CODE),
        (FindingKind::Phone, PHONE),
        (FindingKind::Email, EMAIL),
        (FindingKind::Address, STREET),
        (FindingKind::Address, POSTAL),
    ];
    // Each of them is tested, so none is left out here.
    let compiled = patterns.into_iter().filter_map(|(kind, text)| Some((kind, Regex::new(text).ok()?)));
    compiled.collect()
});

/// Digits of a phone number, with and without a country's code.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 6..=15;

pub(super) fn find(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    for (kind, pattern) in PATTERNS.iter() {
        let found = pattern.find_iter(text);
        let spanned = found.filter(|found| *kind != FindingKind::Phone || is_phone(found.as_str()));
        spans.extend(spanned.map(|found| (*kind, found.start(), found.end())));
    }
    spans
}

fn is_phone(text: &str) -> bool {
    PHONE_DIGITS.contains(&text.chars().filter(char::is_ascii_digit).count())
}
