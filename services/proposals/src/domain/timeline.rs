//! What happens to a proposal while it stays where it is: the smaller steps of its promise. The great ones are its
//! stages.

use crate::domain::proposal::{Reasons, StageKind};
use crate::domain::text::Form;

/// Why something happened, as everybody reads it; nothing where nobody had to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Why {
    /// In plain Finnish.
    pub plain: String,
    /// In plain language of the county's other languages.
    pub others: Vec<(Form, String)>,
}

impl From<&str> for Why {
    fn from(plain: &str) -> Self {
        Self { plain: plain.to_owned(), others: Vec::new() }
    }
}

impl From<&Reasons> for Why {
    fn from(reasons: &Reasons) -> Self {
        let others = reasons.others.iter().map(|(form, text)| (*form, text.as_str().to_owned()));
        Self { plain: reasons.plain.as_str().to_owned(), others: others.collect() }
    }
}

/// Something that happened within a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mark {
    /// The unit was reminded of its answer (P3).
    Reminded,
    /// The due day of the answer was moved.
    Extended,
    /// The due day passed without an answer.
    Overdue,
    /// The area coordinators were told that the answer is late.
    EscalatedToCoordinator,
    /// The manager was told that the answer is late.
    EscalatedToManager,
    /// The unit answered in other words.
    AnswerAmended,
    /// The change was planned.
    ChangePlanned,
    /// What is so before the change was measured (P6).
    BaselineSet,
    /// The change takes longer.
    ChangeDelayed,
    /// The change was given up.
    ChangeCancelled,
    /// What the change brought about was not measured in time: the area coordinator takes over (X2).
    ImpactOverdue,
    /// The loop card was published (P7).
    FeedbackPublished,
    /// Those who took part were told.
    FeedbackDelivered,
}

impl Mark {
    /// Every mark.
    pub const ALL: [Mark; 13] = [
        Mark::Reminded,
        Mark::Extended,
        Mark::Overdue,
        Mark::EscalatedToCoordinator,
        Mark::EscalatedToManager,
        Mark::AnswerAmended,
        Mark::ChangePlanned,
        Mark::BaselineSet,
        Mark::ChangeDelayed,
        Mark::ChangeCancelled,
        Mark::ImpactOverdue,
        Mark::FeedbackPublished,
        Mark::FeedbackDelivered,
    ];

    /// The name in databases and answers, for example "escalated_to_manager".
    pub fn as_str(self) -> &'static str {
        match self {
            Mark::Reminded => "reminded",
            Mark::Extended => "extended",
            Mark::Overdue => "overdue",
            Mark::EscalatedToCoordinator => "escalated_to_coordinator",
            Mark::EscalatedToManager => "escalated_to_manager",
            Mark::AnswerAmended => "answer_amended",
            Mark::ChangePlanned => "change_planned",
            Mark::BaselineSet => "baseline_set",
            Mark::ChangeDelayed => "change_delayed",
            Mark::ChangeCancelled => "change_cancelled",
            Mark::ImpactOverdue => "impact_overdue",
            Mark::FeedbackPublished => "feedback_published",
            Mark::FeedbackDelivered => "feedback_delivered",
        }
    }

    /// Whose act it was.
    pub fn by(self) -> By {
        match self {
            Mark::Extended => By::AreaCoordinator,
            Mark::AnswerAmended
            | Mark::ChangePlanned
            | Mark::BaselineSet
            | Mark::ChangeDelayed
            | Mark::ChangeCancelled => By::Unit,
            Mark::FeedbackPublished => By::Handler,
            Mark::Reminded
            | Mark::Overdue
            | Mark::EscalatedToCoordinator
            | Mark::EscalatedToManager
            | Mark::ImpactOverdue
            | Mark::FeedbackDelivered => By::Timer,
        }
    }

    /// Whether author and followers are told of it. They are not told of what unit and coordinators owe each other, and
    /// the card has a notice of its own.
    pub fn is_told(self) -> bool {
        matches!(self, Mark::AnswerAmended | Mark::ChangeDelayed | Mark::ChangeCancelled)
    }
}

/// Who took a step: a role, never a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Who proposed it.
    Author,
    /// An area coordinator.
    AreaCoordinator,
    /// The forum.
    Forum,
    /// The unit: its manager or staff.
    Unit,
    /// Whoever handles the proposal: coordinator, secretary or manager.
    Handler,
    /// The service by itself, when a day came.
    Timer,
}

impl By {
    /// The name in answers, for example "area_coordinator".
    pub fn as_str(self) -> &'static str {
        match self {
            By::Author => "author",
            By::AreaCoordinator => "area_coordinator",
            By::Forum => "forum",
            By::Unit => "unit",
            By::Handler => "handler",
            By::Timer => "timer",
        }
    }
}

/// Whose act brings a proposal to a stage.
pub fn brought_by(stage: StageKind) -> By {
    match stage {
        StageKind::Draft | StageKind::Submitted | StageKind::Withdrawn => By::Author,
        StageKind::Open
        | StageKind::InComparison
        | StageKind::Shortlisted
        | StageKind::BeforeForum
        | StageKind::Closed
        | StageKind::Merged
        | StageKind::Split
        | StageKind::Redirected
        | StageKind::RejectedAtScreening => By::AreaCoordinator,
        StageKind::NotEndorsed | StageKind::AwaitingResponse => By::Forum,
        StageKind::Forwarded
        | StageKind::Answered
        | StageKind::InImplementation
        | StageKind::Implemented
        | StageKind::ImpactMeasured => By::Unit,
    }
}

/// Whether author and followers are told that a proposal came to a stage. What the author did needs no telling, and
/// what ends it is told by its card.
pub fn is_told(stage: StageKind) -> bool {
    match stage {
        StageKind::Draft
        | StageKind::Submitted
        | StageKind::Withdrawn
        | StageKind::Closed
        | StageKind::Redirected
        | StageKind::RejectedAtScreening => false,
        StageKind::Open
        | StageKind::InComparison
        | StageKind::Shortlisted
        | StageKind::BeforeForum
        | StageKind::NotEndorsed
        | StageKind::AwaitingResponse
        | StageKind::Forwarded
        | StageKind::Answered
        | StageKind::InImplementation
        | StageKind::Implemented
        | StageKind::ImpactMeasured
        | StageKind::Merged
        | StageKind::Split => true,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_mark_cannot_be_mistaken_for_another_or_for_a_stage() {
        let marks = Mark::ALL.map(Mark::as_str);
        let stages = StageKind::ALL.map(StageKind::as_str);
        let names: BTreeSet<_> = marks.iter().chain(&stages).collect();
        assert_eq!(names.len(), marks.len() + stages.len());
    }

    #[test]
    fn people_are_told_of_what_people_did() {
        assert!(Mark::ALL.iter().all(|mark| !mark.is_told() || mark.by() != By::Timer));
    }
}
