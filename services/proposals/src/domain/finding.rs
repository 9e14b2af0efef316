//! What may be personal data in a proposal, and what a human said of it (P9).

use super::screening::FindingKind;

/// Where something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the title.
    Title,
    /// In the summary.
    Summary,
    /// In the body.
    Body,
    /// In the person's own words.
    OwnWords,
    /// In what the person wants to be able to do.
    Strength,
}

impl Place {
    /// Every place.
    pub const ALL: [Place; 5] = [Place::Title, Place::Summary, Place::Body, Place::OwnWords, Place::Strength];

    /// The name in requests and databases, for example "own_words".
    pub fn as_str(self) -> &'static str {
        match self {
            Place::Title => "title",
            Place::Summary => "summary",
            Place::Body => "body",
            Place::OwnWords => "own_words",
            Place::Strength => "strength",
        }
    }
}

/// What a human said of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing yet.
    Open,
    /// It was personal data, and it is out of the text.
    Removed,
    /// It is fine as it stands.
    Fine,
}

impl Decision {
    /// Every decision.
    pub const ALL: [Decision; 3] = [Decision::Open, Decision::Removed, Decision::Fine];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Open => "open",
            Decision::Removed => "removed",
            Decision::Fine => "fine",
        }
    }
}

/// Something in a text that may be personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its number within the proposal, from 1.
    pub finding_no: u32,
    /// What it may be.
    pub kind: FindingKind,
    /// The text it is in.
    pub place: Place,
    /// Where it starts, in characters.
    pub starts_at: u32,
    /// How long it is, in characters.
    pub length: u32,
    /// What a human said of it.
    pub decision: Decision,
}
