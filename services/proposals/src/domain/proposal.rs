//! A proposal: from somebody's words to what came of them.

pub mod content;
pub mod promise;
mod routing;
mod screening;
pub mod stage;
pub mod tags;
mod writing;

#[cfg(test)]
mod tests;

use kernel::{ActingMode, Date, Fault, ForumId, Policies, ProposalId, RoundId, Subject, TenantId, UnitId};

pub use content::{Addressed, Content, Explained, Explanation, Reasons};
pub use promise::{NextStep, OwnerRole, Promise};
pub use screening::{MAX_PARTS, Part};
pub use stage::{Ending, Outcome, Redirection, ScreeningReason, Stage, StageKind};
pub use tags::{Category, Channel, Goal, Perspective};
pub use writing::Answer;

/// Who acted how (domain.md 5.1): kept with the proposal, shown to nobody but the author and those whose work it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    /// How the act came about.
    pub mode: ActingMode,
    /// Who wrote it down, by the reference of this service; for dictated proposals.
    pub recorder: Option<Subject>,
    /// Who helped, or acted by a mandate.
    pub helper: Option<Subject>,
    /// The member chose this helper although the helper works where the proposal goes (M3).
    pub conflict_accepted: bool,
}

impl Acting {
    /// The person alone.
    pub fn alone() -> Self {
        Self { mode: ActingMode::Alone, recorder: None, helper: None, conflict_accepted: false }
    }
}

/// What the person said to "was this what you said?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Confirmation {
    /// Not answered, or nothing to ask: the person wrote it alone.
    Unasked,
    /// It was.
    Yes,
    /// It was not; the correction has become the person's own words.
    No,
    /// They do not know.
    DontKnow,
}

impl Confirmation {
    /// Every answer.
    pub const ALL: [Confirmation; 4] =
        [Confirmation::Unasked, Confirmation::Yes, Confirmation::No, Confirmation::DontKnow];

    /// The name in databases, for example "dont_know".
    pub fn as_str(self) -> &'static str {
        match self {
            Confirmation::Unasked => "unasked",
            Confirmation::Yes => "yes",
            Confirmation::No => "no",
            Confirmation::DontKnow => "dont_know",
        }
    }
}

/// A proposal without its texts, authors, supporters and comments, which are rows of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Id.
    pub id: ProposalId,
    /// The county.
    pub tenant: TenantId,
    /// What the author gets at submission, for example "2026-7K3M9"; empty for a draft.
    pub receipt_no: String,
    /// Where it stands.
    pub stage: Stage,
    /// Whose turn it is; None for a draft and for what has ended.
    pub promise: Option<Promise>,
    /// What kind of change it asks for.
    pub category: Category,
    /// The perspective of the strategy it belongs to.
    pub perspective: Option<Perspective>,
    /// The goals it serves, in the order of the list, each once.
    pub goals: Vec<Goal>,
    /// The units it is addressed to, by id (S1.11); none until the coordinator routes it, if the author knew none.
    pub units: Vec<UnitId>,
    /// The one of them that leads the one coordinated answer.
    pub lead_unit: Option<UnitId>,
    /// The forum it was sent to last.
    pub forum: Option<ForumId>,
    /// The comparison round it was in last.
    pub round: Option<RoundId>,
    /// How it came in.
    pub channel: Channel,
    /// Who acted how.
    pub acting: Acting,
    /// What the person said themselves, apart from any helper's wording.
    pub own_words: String,
    /// What the person wants to do or be able to do (S1.15); may be empty.
    pub strength: String,
    /// Whether the person found their words in it.
    pub confirmation: Confirmation,
    /// Hash of the return code of an author who gave no name (P8).
    pub return_code_hash: Option<Vec<u8>>,
    /// Day it was submitted.
    pub submitted_on: Option<Date>,
    /// Day a human screened it.
    pub screened_on: Option<Date>,
    /// Day the forum endorsed it.
    pub endorsed_on: Option<Date>,
    /// Day its feedback was published (P7): feedback on where it stands now, so it is empty again after each step.
    pub feedback_on: Option<Date>,
    /// How often its units were changed (S1.26).
    pub reroutings: u32,
    /// The one it is a part of, if it came from a split.
    pub split_from: Option<ProposalId>,
    /// Whether a human found it fit for everybody to read.
    pub is_public: bool,
    /// Whether it was taken out of the public's sight afterwards, for a reason in the moderation log.
    pub is_hidden: bool,
    /// Whether its author corrected their words after a human had screened it, so that a human looks again.
    pub to_recheck: bool,
    /// Last day on which somebody changed the draft.
    pub touched_on: Date,
}

impl Proposal {
    /// Whether everybody may read it.
    pub fn is_visible(&self) -> bool {
        self.is_public && !self.is_hidden
    }

    /// Whether the promised day has passed.
    pub fn is_late(&self, today: Date) -> bool {
        self.promise.is_some_and(|promise| promise.is_late(today))
    }

    /// The proposal at another stage, with the promise of that stage.
    ///
    /// Conflict `proposals.stage` if no way leads there, `proposals.no_feedback` if it would close without published
    /// feedback (P7), `proposals.no_unit` if a unit should answer and there is none.
    pub fn go(&self, to: Stage, today: Date, policies: &Policies) -> Result<Self, Fault> {
        if to == (Stage::Ended { how: Ending::Closed }) && self.feedback_on.is_none() {
            return Err(Fault::conflict(
                "proposals.no_feedback",
                "A proposal is closed when its people have been told what came of it (P7). Publish its feedback first.",
            ));
        }
        if !self.stage.may_go_to(to) {
            return Err(wrong_stage(self.stage, to.kind()));
        }
        if to == Stage::AwaitingResponse {
            check_unit(self)?;
        }
        let mut moved = self.clone();
        moved.stage = to;
        moved.promise = promise::promise(to, today, policies);
        if !to.is_ended() {
            moved.feedback_on = None;
        }
        match to {
            Stage::InComparison { round } => moved.round = Some(round),
            Stage::BeforeForum { forum } => moved.forum = Some(forum),
            _ => {}
        }
        Ok(moved)
    }

    /// The same with another day promised: the end of a round, the day that a unit named.
    #[must_use]
    pub fn due_on(mut self, due: Date) -> Self {
        if let Some(promise) = &mut self.promise {
            promise.due = due;
        }
        self
    }
}

/// Conflict `proposals.no_unit` unless a unit leads the answer.
fn check_unit(proposal: &Proposal) -> Result<(), Fault> {
    if proposal.lead_unit.is_some() {
        return Ok(());
    }
    Err(Fault::conflict(
        "proposals.no_unit",
        "No unit leads the answer. Name the units of the proposal first (S1.11).",
    ))
}

/// Conflict `proposals.stage`.
pub fn wrong_stage(from: Stage, to: StageKind) -> Fault {
    let (from, to) = (from.kind().as_str(), to.as_str());
    Fault::conflict(
        "proposals.stage",
        format!("The proposal is at the stage {from}, from where it does not go to {to}. Look at it again."),
    )
}
