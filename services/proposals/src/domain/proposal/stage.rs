//! Where a proposal stands, and from where it may go where.
//!
//! ```text
//! Draft ─▶ Submitted ─┬▶ Open ─▶ InComparison ─▶ Shortlisted ─▶ BeforeForum ─┬▶ AwaitingResponse ─▶ Answered
//!                     ├▶ Redirected                                          ├▶ NotEndorsed ─▶ Closed
//!                     ├▶ RejectedAtScreening                                 └▶ Open (returned for work)
//!                     ├▶ Merged, Split
//!                     └▶ Withdrawn
//! Answered ─┬▶ InImplementation ─▶ Implemented ─▶ ImpactMeasured ─▶ Closed
//!           ├▶ Forwarded ─▶ Answered
//!           └▶ Closed
//! ```

use kernel::{ForumId, ProposalId, RoundId, Uuid};

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Being written; seen by its authors only.
    Draft,
    /// Waits for a human to screen it (P1).
    Submitted,
    /// Public: it is supported, commented, and taken further by the area coordinator.
    Open,
    /// One of the ideas of a comparison round.
    InComparison {
        /// The round.
        round: RoundId,
    },
    /// Chosen for the table of a forum.
    Shortlisted,
    /// Sent to a forum, which has not decided.
    BeforeForum {
        /// The forum.
        forum: ForumId,
    },
    /// The forum said no; feedback comes next.
    NotEndorsed,
    /// The forum endorsed it: the lead unit answers (P3).
    AwaitingResponse,
    /// Those who can decide have it.
    Forwarded,
    /// The unit, or those above it, answered (P4).
    Answered {
        /// What they said.
        outcome: Outcome,
    },
    /// The change is being made.
    InImplementation,
    /// The change is made.
    Implemented,
    /// What the change brought about is measured and published (P6).
    ImpactMeasured,
    /// It goes no further.
    Ended {
        /// How it ended.
        how: Ending,
    },
}

/// What a unit said (P4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It will be done.
    Accepted,
    /// Some of it will be done.
    AcceptedInPart,
    /// It will be tried, until a day (S1.18).
    Trial,
    /// It will not be done; what would have to change, or an alternative, is named.
    Rejected,
    /// Others must decide.
    NeedsHigherDecision,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 5] = [
        Outcome::Accepted,
        Outcome::AcceptedInPart,
        Outcome::Trial,
        Outcome::Rejected,
        Outcome::NeedsHigherDecision,
    ];

    /// The name in events and databases, for example "accepted_in_part".
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::AcceptedInPart => "accepted_in_part",
            Outcome::Trial => "trial",
            Outcome::Rejected => "rejected",
            Outcome::NeedsHigherDecision => "needs_higher",
        }
    }

    /// Whether something is going to change.
    pub fn leads_to_change(self) -> bool {
        matches!(self, Outcome::Accepted | Outcome::AcceptedInPart | Outcome::Trial)
    }
}

/// How a proposal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its feedback is published and nothing is left to do (P7).
    Closed,
    /// It goes on in another one, with its authors and supporters.
    Merged {
        /// The other one.
        into: ProposalId,
    },
    /// It goes on as several.
    Split,
    /// It belongs elsewhere (P9).
    Redirected {
        /// Where.
        kind: Redirection,
    },
    /// A human refused it, with a reason from the closed list (P1).
    RejectedAtScreening {
        /// The reason.
        reason: ScreeningReason,
    },
    /// Its author took it back before it was screened.
    Withdrawn,
}

/// Where a proposal that does not belong here goes (P9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Redirection {
    /// The county's system for feedback on a service.
    ServiceFeedback,
    /// Another authority.
    OtherAuthority,
    /// The person's own worker: it is about a decision on their own services.
    OwnWorker,
}

impl Redirection {
    /// Every kind.
    pub const ALL: [Redirection; 3] =
        [Redirection::ServiceFeedback, Redirection::OtherAuthority, Redirection::OwnWorker];

    /// The name in events and databases, for example "own_worker".
    pub fn as_str(self) -> &'static str {
        match self {
            Redirection::ServiceFeedback => "service_feedback",
            Redirection::OtherAuthority => "other_authority",
            Redirection::OwnWorker => "own_worker",
        }
    }
}

/// The closed list of reasons for which a human may refuse a proposal at screening (P1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScreeningReason {
    /// It is not about the county's services.
    NotAboutServices,
    /// Publishing it would break the law.
    Unlawful,
    /// It insults or threatens.
    Abusive,
}

impl ScreeningReason {
    /// Every reason.
    pub const ALL: [ScreeningReason; 3] =
        [ScreeningReason::NotAboutServices, ScreeningReason::Unlawful, ScreeningReason::Abusive];

    /// The name in events and databases, for example "not_about_services".
    pub fn as_str(self) -> &'static str {
        match self {
            ScreeningReason::NotAboutServices => "not_about_services",
            ScreeningReason::Unlawful => "unlawful",
            ScreeningReason::Abusive => "abusive",
        }
    }
}

/// A stage without its details: what lists are filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StageKind {
    /// See [`Stage::Draft`].
    Draft,
    /// See [`Stage::Submitted`].
    Submitted,
    /// See [`Stage::Open`].
    Open,
    /// See [`Stage::InComparison`].
    InComparison,
    /// See [`Stage::Shortlisted`].
    Shortlisted,
    /// See [`Stage::BeforeForum`].
    BeforeForum,
    /// See [`Stage::NotEndorsed`].
    NotEndorsed,
    /// See [`Stage::AwaitingResponse`].
    AwaitingResponse,
    /// See [`Stage::Forwarded`].
    Forwarded,
    /// See [`Stage::Answered`].
    Answered,
    /// See [`Stage::InImplementation`].
    InImplementation,
    /// See [`Stage::Implemented`].
    Implemented,
    /// See [`Stage::ImpactMeasured`].
    ImpactMeasured,
    /// See [`Ending::Closed`].
    Closed,
    /// See [`Ending::Merged`].
    Merged,
    /// See [`Ending::Split`].
    Split,
    /// See [`Ending::Redirected`].
    Redirected,
    /// See [`Ending::RejectedAtScreening`].
    RejectedAtScreening,
    /// See [`Ending::Withdrawn`].
    Withdrawn,
}

impl StageKind {
    /// Every kind, in the order of the way.
    pub const ALL: [StageKind; 19] = [
        StageKind::Draft,
        StageKind::Submitted,
        StageKind::Open,
        StageKind::InComparison,
        StageKind::Shortlisted,
        StageKind::BeforeForum,
        StageKind::NotEndorsed,
        StageKind::AwaitingResponse,
        StageKind::Forwarded,
        StageKind::Answered,
        StageKind::InImplementation,
        StageKind::Implemented,
        StageKind::ImpactMeasured,
        StageKind::Closed,
        StageKind::Merged,
        StageKind::Split,
        StageKind::Redirected,
        StageKind::RejectedAtScreening,
        StageKind::Withdrawn,
    ];

    /// The name in databases, for example "awaiting_response".
    pub fn as_str(self) -> &'static str {
        match self {
            StageKind::Draft => "draft",
            StageKind::Submitted => "submitted",
            StageKind::Open => "open",
            StageKind::InComparison => "in_comparison",
            StageKind::Shortlisted => "shortlisted",
            StageKind::BeforeForum => "before_forum",
            StageKind::NotEndorsed => "not_endorsed",
            StageKind::AwaitingResponse => "awaiting_response",
            StageKind::Forwarded => "forwarded",
            StageKind::Answered => "answered",
            StageKind::InImplementation => "in_implementation",
            StageKind::Implemented => "implemented",
            StageKind::ImpactMeasured => "impact_measured",
            StageKind::Closed => "closed",
            StageKind::Merged => "merged",
            StageKind::Split => "split",
            StageKind::Redirected => "redirected",
            StageKind::RejectedAtScreening => "rejected_at_screening",
            StageKind::Withdrawn => "withdrawn",
        }
    }

    /// Whether a proposal goes no further from there.
    pub fn is_ended(self) -> bool {
        use StageKind::{Closed, Merged, Redirected, RejectedAtScreening, Split, Withdrawn};
        matches!(self, Closed | Merged | Split | Redirected | RejectedAtScreening | Withdrawn)
    }

    /// From where a proposal may go where. Whether closing may be (P7) is decided by [`super::Proposal::go`].
    pub fn may_go_to(self, to: StageKind) -> bool {
        use StageKind::{
            Answered, AwaitingResponse, BeforeForum, Closed, Draft, Forwarded, ImpactMeasured, Implemented,
            InComparison, InImplementation, Merged, NotEndorsed, Open, Redirected, RejectedAtScreening,
            Shortlisted, Split, Submitted, Withdrawn,
        };
        match self {
            Draft => matches!(to, Submitted),
            Submitted => {
                matches!(to, Open | Merged | Split | Redirected | RejectedAtScreening | Withdrawn)
            }
            Open => matches!(to, InComparison | Shortlisted | Merged | Split | Redirected),
            InComparison => matches!(to, Open | Shortlisted),
            Shortlisted => matches!(to, Open | BeforeForum),
            BeforeForum => matches!(to, AwaitingResponse | NotEndorsed | Open),
            NotEndorsed | ImpactMeasured => matches!(to, Closed),
            AwaitingResponse | Forwarded => matches!(to, Answered),
            // Which of these it is depends on the outcome, see `Stage::may_go_to`.
            Answered => matches!(to, Answered | InImplementation | Forwarded | Closed),
            // A change that is given up is a rejection with its reasons (P4).
            InImplementation => matches!(to, Implemented | Answered),
            Implemented => matches!(to, ImpactMeasured | Closed),
            Closed | Merged | Split | Redirected | RejectedAtScreening | Withdrawn => false,
        }
    }
}

impl Stage {
    /// The stage without its details.
    pub fn kind(self) -> StageKind {
        match self {
            Stage::Draft => StageKind::Draft,
            Stage::Submitted => StageKind::Submitted,
            Stage::Open => StageKind::Open,
            Stage::InComparison { .. } => StageKind::InComparison,
            Stage::Shortlisted => StageKind::Shortlisted,
            Stage::BeforeForum { .. } => StageKind::BeforeForum,
            Stage::NotEndorsed => StageKind::NotEndorsed,
            Stage::AwaitingResponse => StageKind::AwaitingResponse,
            Stage::Forwarded => StageKind::Forwarded,
            Stage::Answered { .. } => StageKind::Answered,
            Stage::InImplementation => StageKind::InImplementation,
            Stage::Implemented => StageKind::Implemented,
            Stage::ImpactMeasured => StageKind::ImpactMeasured,
            Stage::Ended { how } => match how {
                Ending::Closed => StageKind::Closed,
                Ending::Merged { .. } => StageKind::Merged,
                Ending::Split => StageKind::Split,
                Ending::Redirected { .. } => StageKind::Redirected,
                Ending::RejectedAtScreening { .. } => StageKind::RejectedAtScreening,
                Ending::Withdrawn => StageKind::Withdrawn,
            },
        }
    }

    /// Whether a proposal goes no further.
    pub fn is_ended(self) -> bool {
        matches!(self, Stage::Ended { .. })
    }

    /// From where a proposal may go where, by the outcome of its answer too: what was rejected is closed, what others
    /// must decide is forwarded, the rest is done. An answer may be given again while it is not acted on (amended).
    pub fn may_go_to(self, to: Stage) -> bool {
        match (self, to.kind()) {
            (Stage::Answered { outcome }, StageKind::InImplementation) => outcome.leads_to_change(),
            (Stage::Answered { outcome }, StageKind::Forwarded) => outcome == Outcome::NeedsHigherDecision,
            (Stage::Answered { outcome }, StageKind::Closed) => outcome == Outcome::Rejected,
            (_, kind) => self.kind().may_go_to(kind),
        }
    }

    /// The word of the stage's detail, for the database: an outcome, a redirection, a reason; empty for none.
    pub fn detail(self) -> &'static str {
        match self {
            Stage::Answered { outcome } => outcome.as_str(),
            Stage::Ended { how: Ending::Redirected { kind } } => kind.as_str(),
            Stage::Ended { how: Ending::RejectedAtScreening { reason } } => reason.as_str(),
            _ => "",
        }
    }

    /// What the stage points to, for the database: a round, a forum, the proposal it goes on in.
    pub fn reference(self) -> Option<Uuid> {
        match self {
            Stage::InComparison { round } => Some(round.as_uuid()),
            Stage::BeforeForum { forum } => Some(forum.as_uuid()),
            Stage::Ended { how: Ending::Merged { into } } => Some(into.as_uuid()),
            _ => None,
        }
    }

    /// The stage of these parts; None if they do not belong together.
    pub fn from_parts(kind: StageKind, detail: &str, reference: Option<Uuid>) -> Option<Self> {
        let by_name = |name: &'static str| name == detail;
        Some(match kind {
            StageKind::Draft => Stage::Draft,
            StageKind::Submitted => Stage::Submitted,
            StageKind::Open => Stage::Open,
            StageKind::InComparison => Stage::InComparison { round: RoundId::from_uuid(reference?) },
            StageKind::Shortlisted => Stage::Shortlisted,
            StageKind::BeforeForum => Stage::BeforeForum { forum: ForumId::from_uuid(reference?) },
            StageKind::NotEndorsed => Stage::NotEndorsed,
            StageKind::AwaitingResponse => Stage::AwaitingResponse,
            StageKind::Forwarded => Stage::Forwarded,
            StageKind::Answered => {
                let outcome = Outcome::ALL.into_iter().find(|one| by_name(one.as_str()))?;
                Stage::Answered { outcome }
            }
            StageKind::InImplementation => Stage::InImplementation,
            StageKind::Implemented => Stage::Implemented,
            StageKind::ImpactMeasured => Stage::ImpactMeasured,
            StageKind::Closed => Stage::Ended { how: Ending::Closed },
            StageKind::Merged => {
                Stage::Ended { how: Ending::Merged { into: ProposalId::from_uuid(reference?) } }
            }
            StageKind::Split => Stage::Ended { how: Ending::Split },
            StageKind::Redirected => {
                let kind = Redirection::ALL.into_iter().find(|one| by_name(one.as_str()))?;
                Stage::Ended { how: Ending::Redirected { kind } }
            }
            StageKind::RejectedAtScreening => {
                let reason = ScreeningReason::ALL.into_iter().find(|one| by_name(one.as_str()))?;
                Stage::Ended { how: Ending::RejectedAtScreening { reason } }
            }
            StageKind::Withdrawn => Stage::Ended { how: Ending::Withdrawn },
        })
    }
}
