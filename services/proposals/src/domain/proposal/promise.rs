//! The promise of a proposal: at all times somebody's turn, a next step and a day.

use kernel::deadline::due_after_days;
use kernel::{Date, Policies, PolicyKey};

use super::stage::{Outcome, Stage};

/// Whose turn it is: a role, never a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OwnerRole {
    /// The area coordinator of the county.
    AreaCoordinator,
    /// The secretary of the forum.
    ForumSecretary,
    /// The manager of the lead unit.
    UnitManager,
}

impl OwnerRole {
    /// Every role.
    pub const ALL: [OwnerRole; 3] =
        [OwnerRole::AreaCoordinator, OwnerRole::ForumSecretary, OwnerRole::UnitManager];

    /// The name in databases, for example "area_coordinator".
    pub fn as_str(self) -> &'static str {
        match self {
            OwnerRole::AreaCoordinator => "area_coordinator",
            OwnerRole::ForumSecretary => "forum_secretary",
            OwnerRole::UnitManager => "unit_manager",
        }
    }
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NextStep {
    /// A human screens it (P1).
    Screen,
    /// The coordinator decides how it goes on.
    Decide,
    /// People compare it with others.
    Compare,
    /// It is taken to a forum (P2).
    SendToForum,
    /// The forum decides.
    ForumDecides,
    /// The unit answers (P3, P4).
    Answer,
    /// Those above the unit decide.
    HigherDecision,
    /// The change begins.
    StartChange,
    /// The change is finished.
    FinishChange,
    /// What the change brought about is measured (X2).
    MeasureImpact,
    /// The loop card is published (P7).
    PublishFeedback,
    /// It is closed.
    Close,
}

impl NextStep {
    /// Every step.
    pub const ALL: [NextStep; 12] = [
        NextStep::Screen,
        NextStep::Decide,
        NextStep::Compare,
        NextStep::SendToForum,
        NextStep::ForumDecides,
        NextStep::Answer,
        NextStep::HigherDecision,
        NextStep::StartChange,
        NextStep::FinishChange,
        NextStep::MeasureImpact,
        NextStep::PublishFeedback,
        NextStep::Close,
    ];

    /// The name in databases, for example "forum_decides".
    pub fn as_str(self) -> &'static str {
        match self {
            NextStep::Screen => "screen",
            NextStep::Decide => "decide",
            NextStep::Compare => "compare",
            NextStep::SendToForum => "send_to_forum",
            NextStep::ForumDecides => "forum_decides",
            NextStep::Answer => "answer",
            NextStep::HigherDecision => "higher_decision",
            NextStep::StartChange => "start_change",
            NextStep::FinishChange => "finish_change",
            NextStep::MeasureImpact => "measure_impact",
            NextStep::PublishFeedback => "publish_feedback",
            NextStep::Close => "close",
        }
    }
}

/// Whose turn it is, with what, by when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// Whose turn it is.
    pub owner: OwnerRole,
    /// What comes next.
    pub step: NextStep,
    /// The last day for it; never a day off (MAA-1).
    pub due: Date,
}

impl Promise {
    /// Whether the day has passed.
    pub fn is_late(&self, today: Date) -> bool {
        today > self.due
    }
}

/// What is promised when a proposal comes to `stage` on `today`; None for a draft and for what has ended. An act that
/// knows the day better (the end of a round, the day a unit named) promises that one instead.
pub fn promise(stage: Stage, today: Date, policies: &Policies) -> Option<Promise> {
    let (owner, step, key) = match stage {
        Stage::Draft | Stage::Ended { .. } => return None,
        Stage::Submitted => (OwnerRole::AreaCoordinator, NextStep::Screen, PolicyKey::ScreeningDays),
        Stage::Open => (OwnerRole::AreaCoordinator, NextStep::Decide, PolicyKey::OpenDays),
        Stage::InComparison { .. } => (OwnerRole::AreaCoordinator, NextStep::Compare, PolicyKey::OpenDays),
        Stage::Shortlisted => (OwnerRole::AreaCoordinator, NextStep::SendToForum, PolicyKey::OpenDays),
        Stage::BeforeForum { .. } => {
            (OwnerRole::ForumSecretary, NextStep::ForumDecides, PolicyKey::ForumDays)
        }
        Stage::AwaitingResponse => (OwnerRole::UnitManager, NextStep::Answer, PolicyKey::ResponseDays),
        // Who forwarded it brings the decision, as the answer.
        Stage::Forwarded | Stage::Answered { outcome: Outcome::NeedsHigherDecision } => {
            (OwnerRole::UnitManager, NextStep::HigherDecision, PolicyKey::ResponseDays)
        }
        Stage::Answered { outcome: Outcome::Accepted | Outcome::AcceptedInPart | Outcome::Trial } => {
            (OwnerRole::UnitManager, NextStep::StartChange, PolicyKey::OpenDays)
        }
        Stage::InImplementation => (OwnerRole::UnitManager, NextStep::FinishChange, PolicyKey::ImpactDays),
        Stage::Implemented => (OwnerRole::UnitManager, NextStep::MeasureImpact, PolicyKey::ImpactDays),
        Stage::NotEndorsed | Stage::Answered { outcome: Outcome::Rejected } | Stage::ImpactMeasured => {
            (OwnerRole::AreaCoordinator, NextStep::PublishFeedback, PolicyKey::FeedbackDays)
        }
    };
    Some(Promise { owner, step, due: due_after_days(today, policies.on(today, key)) })
}
