//! Personal data in free text (P9, SEC-31): codes, numbers, addresses, names, illnesses, other people.
//!
//! What is found is a warning to the author and a hint to the human who screens; nothing is decided by it. So it leans
//! towards finding too much, and what it does not know it does not find: it replaces nobody's reading. It knows Finnish
//! and Swedish.

mod contacts;
mod names;
mod words;

#[cfg(test)]
mod tests;

/// The most that is told of one call; a text with more needs no longer list.
pub const MAX_FINDINGS: usize = 100;

/// What a piece of text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// A personal identity code, valid or nearly one.
    IdentityCode,
    /// A phone number.
    Phone,
    /// An e-mail address.
    Email,
    /// A street address, or a postal code with its place.
    Address,
    /// A person's name.
    Name,
    /// An illness or injury.
    Diagnosis,
    /// Another person: staff by name, or somebody near.
    ThirdPerson,
    /// The author's own decision or application, which belongs to their own worker (P9).
    OwnMatter,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::IdentityCode,
        Self::Phone,
        Self::Email,
        Self::Address,
        Self::Name,
        Self::Diagnosis,
        Self::ThirdPerson,
        Self::OwnMatter,
    ];

    /// Its name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IdentityCode => "identity_code",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Address => "address",
            Self::Name => "name",
            Self::Diagnosis => "diagnosis",
            Self::ThirdPerson => "third_person",
            Self::OwnMatter => "own_matter",
        }
    }
}

/// A piece of text that looks like personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// Which of the texts, from 0.
    pub text: usize,
    /// Where it begins, in bytes; always at the beginning of a character.
    pub start: usize,
    /// Where it ends, in bytes, not included.
    pub end: usize,
    /// What it looks like.
    pub kind: FindingKind,
}

/// A stretch of one text, before it is known which text.
type Span = (FindingKind, usize, usize);

/// Looks through texts for personal data. The findings are in the order of the texts and of where they begin; there
/// are at most [`MAX_FINDINGS`].
pub fn screen(texts: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (text, content) in texts.iter().enumerate() {
        let of_text = spans(content);
        findings.extend(of_text.into_iter().map(|(kind, start, end)| Finding { text, start, end, kind }));
    }
    findings.truncate(MAX_FINDINGS);
    findings
}

/// What is found in one text, each stretch once for a kind.
fn spans(text: &str) -> Vec<Span> {
    let words = words::of(text);
    let mut spans = contacts::find(text);
    spans.extend(names::find(&words));
    spans.extend(words::find(&words));
    spans.sort_unstable_by_key(|(kind, start, end)| (*start, std::cmp::Reverse(*end), *kind));
    let mut kept: Vec<Span> = Vec::new();
    for (kind, start, end) in spans {
        let within = |other: &Span| other.0 == kind && other.1 <= start && end <= other.2;
        if !kept.iter().any(within) {
            kept.push((kind, start, end));
        }
    }
    kept
}
