//! What is moderated, and what everybody may know of it.

use kernel::{Date, ProposalId, TenantId, Uuid};

use super::timeline::Why;

/// Kind of thing that was moderated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moderated {
    /// A proposal.
    Proposal,
    /// A comment on it.
    Comment,
    /// A file attached to it.
    Attachment,
    /// An own idea of a comparison round.
    Idea,
}

impl Moderated {
    /// Every kind.
    pub const ALL: [Moderated; 4] =
        [Moderated::Proposal, Moderated::Comment, Moderated::Attachment, Moderated::Idea];

    /// The name in databases, for example "comment".
    pub fn as_str(self) -> &'static str {
        match self {
            Moderated::Proposal => "proposal",
            Moderated::Comment => "comment",
            Moderated::Attachment => "attachment",
            Moderated::Idea => "idea",
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModerationAct {
    /// Refused before anybody saw it.
    Refused,
    /// Taken out of sight.
    Hidden,
    /// Brought back into sight.
    Shown,
}

impl ModerationAct {
    /// Every act.
    pub const ALL: [ModerationAct; 3] = [ModerationAct::Refused, ModerationAct::Hidden, ModerationAct::Shown];

    /// The name in databases, for example "hidden".
    pub fn as_str(self) -> &'static str {
        match self {
            ModerationAct::Refused => "refused",
            ModerationAct::Hidden => "hidden",
            ModerationAct::Shown => "shown",
        }
    }
}

/// An entry of the public moderation log: what, when and why; never who, and never the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moderation {
    /// Id, in order of time.
    pub id: Uuid,
    /// The county.
    pub tenant: TenantId,
    /// Kind of thing.
    pub what: Moderated,
    /// The proposal that it is, or belongs to; of an own idea, which belongs to none, the id of the idea.
    pub proposal: ProposalId,
    /// What was done.
    pub act: ModerationAct,
    /// Why.
    pub why: Why,
    /// Day.
    pub on: Date,
}
