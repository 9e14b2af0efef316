//! Whose text it is, and which of the owner's texts.

use kernel::{FeedbackId, Invalid, ProposalId, TenantId, Uuid};

/// Kind of thing that has texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerKind {
    /// A proposal.
    Proposal,
    /// A unit's answer.
    Response,
    /// A loop card.
    Feedback,
}

impl OwnerKind {
    /// Every kind.
    pub const ALL: [OwnerKind; 3] = [OwnerKind::Proposal, OwnerKind::Response, OwnerKind::Feedback];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            OwnerKind::Proposal => "proposal",
            OwnerKind::Response => "response",
            OwnerKind::Feedback => "feedback",
        }
    }
}

/// A thing that has texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Its county.
    pub tenant: TenantId,
    /// Kind.
    pub kind: OwnerKind,
    /// Its id.
    pub id: Uuid,
}

impl Owner {
    /// A proposal.
    pub fn proposal(tenant: TenantId, id: ProposalId) -> Self {
        Self { tenant, kind: OwnerKind::Proposal, id: id.as_uuid() }
    }

    /// A unit's answer, by its id.
    pub fn response(tenant: TenantId, id: Uuid) -> Self {
        Self { tenant, kind: OwnerKind::Response, id }
    }

    /// A loop card.
    pub fn feedback(tenant: TenantId, id: FeedbackId) -> Self {
        Self { tenant, kind: OwnerKind::Feedback, id: id.as_uuid() }
    }
}

/// Which of an owner's texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Title of a proposal.
    Title,
    /// What a proposal says, in short.
    Summary,
    /// What a proposal says.
    Body,
    /// Why an answer is as it is (P4).
    Reasons,
    /// What happens next, after an answer (P4).
    NextSteps,
    /// What would have to change, or an alternative, in an answer that says no (P4).
    Alternative,
    /// Loop card: you said (sinä kerroit).
    YouSaid,
    /// Loop card: we did (me teimme).
    WeDid,
    /// Loop card: we could not (emme voineet).
    WeCouldNot,
    /// Loop card: next (seuraavaksi).
    Next,
}

impl Field {
    /// Every field.
    pub const ALL: [Field; 10] = [
        Field::Title,
        Field::Summary,
        Field::Body,
        Field::Reasons,
        Field::NextSteps,
        Field::Alternative,
        Field::YouSaid,
        Field::WeDid,
        Field::WeCouldNot,
        Field::Next,
    ];

    /// The name in requests and databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Field::Title => "title",
            Field::Summary => "summary",
            Field::Body => "body",
            Field::Reasons => "reasons",
            Field::NextSteps => "next_steps",
            Field::Alternative => "alternative",
            Field::YouSaid => "you_said",
            Field::WeDid => "we_did",
            Field::WeCouldNot => "we_could_not",
            Field::Next => "next",
        }
    }

    /// The kinds of things that have it.
    pub fn belongs_to(self, kind: OwnerKind) -> bool {
        match self {
            Field::Title | Field::Summary | Field::Body => kind == OwnerKind::Proposal,
            Field::Reasons | Field::NextSteps | Field::Alternative => kind == OwnerKind::Response,
            Field::YouSaid | Field::WeDid | Field::WeCouldNot | Field::Next => kind == OwnerKind::Feedback,
        }
    }

    /// The most characters of it, in any form.
    pub fn longest(self) -> usize {
        match self {
            Field::Title => 120,
            Field::Summary => 600,
            // As long as the reason of a decision, which may be all that a card says.
            Field::YouSaid | Field::WeDid | Field::WeCouldNot | Field::Next => 1_000,
            Field::NextSteps | Field::Alternative => 2_000,
            Field::Body | Field::Reasons => 5_000,
        }
    }

    /// The words to store: trimmed, not empty, no longer than allowed. A title has one line.
    pub fn check(self, content: &str) -> Result<String, Invalid> {
        let content = content.trim().replace("\r\n", "\n");
        let length = content.chars().count();
        let strange = |c: char| c.is_control() && (c != '\n' || self == Field::Title);
        if (1..=self.longest()).contains(&length) && !content.chars().any(strange) {
            return Ok(content);
        }
        let (longest, lines) = (self.longest(), if self == Field::Title { " on one line" } else { "" });
        Err(Invalid::new(
            format!("a {} has 1 to {longest} characters{lines}", self.as_str()),
            "send a shorter text without control characters, or leave the field out",
        ))
    }
}

impl std::str::FromStr for Field {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        Field::ALL.into_iter().find(|field| field.as_str() == name).ok_or_else(|| {
            Invalid::new("the field must be one that a text has", "send for example \"title\" or \"reasons\"")
        })
    }
}
