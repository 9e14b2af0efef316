//! What a human decides: fit to publish, refused, elsewhere, a part of another, several; out of sight (P1, P9).

use kernel::{Date, Fault, Policies, ProposalId};

use super::{
    Addressed, Category, Ending, Proposal, Redirection, ScreeningReason, Stage, StageKind, check_unit,
    wrong_stage,
};

/// Most parts of a split.
pub const MAX_PARTS: usize = 10;

impl Proposal {
    /// The proposal, found fit to publish by a human (P1).
    ///
    /// Conflict `proposals.stage` unless it waits for that; `proposals.no_unit` without a unit that leads the answer:
    /// it goes to the right place at once (S1.26).
    pub fn screened(&self, today: Date, policies: &Policies) -> Result<Self, Fault> {
        if self.stage != Stage::Submitted {
            return Err(wrong_stage(self.stage, StageKind::Open));
        }
        check_unit(self)?;
        let mut screened = self.go(Stage::Open, today, policies)?;
        screened.screened_on = Some(today);
        screened.is_public = true;
        Ok(screened)
    }

    /// The proposal, refused by a human with a reason from the closed list (P1).
    ///
    /// Conflict `proposals.stage` unless it waits for screening.
    pub fn reject(&self, reason: ScreeningReason, today: Date, policies: &Policies) -> Result<Self, Fault> {
        let mut rejected =
            self.go(Stage::Ended { how: Ending::RejectedAtScreening { reason } }, today, policies)?;
        rejected.screened_on = Some(today);
        Ok(rejected)
    }

    /// The proposal, which belongs elsewhere (P9).
    ///
    /// Conflict `proposals.stage` unless it waits for screening or is open.
    pub fn redirect(&self, kind: Redirection, today: Date, policies: &Policies) -> Result<Self, Fault> {
        let mut redirected = self.go(Stage::Ended { how: Ending::Redirected { kind } }, today, policies)?;
        redirected.screened_on = self.screened_on.or(Some(today));
        Ok(redirected)
    }

    /// The proposal, which goes on in another one.
    ///
    /// Conflict `proposals.stage` unless it waits for screening or is open, `proposals.merge_target` unless the other
    /// one is another, open one of the same county: so nothing is merged in a circle, as what was merged is not open.
    pub fn merge_into(&self, other: &Proposal, today: Date, policies: &Policies) -> Result<Self, Fault> {
        if other.id == self.id || other.tenant != self.tenant || other.stage != Stage::Open {
            return Err(Fault::conflict(
                "proposals.merge_target",
                "A proposal goes on in another one that is open, in the same county. Choose such a one.",
            ));
        }
        self.go(Stage::Ended { how: Ending::Merged { into: other.id } }, today, policies)
    }

    /// The proposal, which goes on as these parts.
    ///
    /// Conflict `proposals.stage` unless it waits for screening or is open.
    pub fn split(&self, today: Date, policies: &Policies) -> Result<Self, Fault> {
        self.go(Stage::Ended { how: Ending::Split }, today, policies)
    }

    /// A part of this proposal, with a receipt number of its own: it stands where the whole one stood, and its promise
    /// is that of the whole one.
    pub fn part(&self, id: ProposalId, number: usize, part: Part) -> Self {
        Self {
            id,
            receipt_no: format!("{}-{number:02}", self.receipt_no),
            category: part.category,
            units: part.addressed.units,
            lead_unit: part.addressed.lead,
            split_from: Some(self.id),
            reroutings: 0,
            // Each author and anonymous author finds the parts through the whole one.
            return_code_hash: None,
            to_recheck: false,
            ..self.clone()
        }
    }

    /// The proposal, out of the public's sight.
    ///
    /// Conflict `proposals.not_public` if it never was in sight.
    pub fn hide(&self) -> Result<Self, Fault> {
        if !self.is_public {
            return Err(Fault::conflict(
                "proposals.not_public",
                "The proposal is not public, so it is not hidden.",
            ));
        }
        Ok(Self { is_hidden: true, ..self.clone() })
    }

    /// The proposal, in the public's sight again.
    #[must_use]
    pub fn show(&self) -> Self {
        Self { is_hidden: false, ..self.clone() }
    }

    /// The proposal, of which a human has seen the author's correction.
    #[must_use]
    pub fn rechecked(&self) -> Self {
        Self { to_recheck: false, ..self.clone() }
    }
}

/// What a part of a split is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What kind of change it asks for.
    pub category: Category,
    /// The units it is addressed to.
    pub addressed: Addressed,
}
