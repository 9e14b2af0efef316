//! The way through units, lists and forums.

use kernel::{Date, Fault, ForumId, Policies};

use super::{Addressed, Proposal, Stage, StageKind, wrong_stage};

impl Proposal {
    /// The proposal with other units (S1.11); a change of what somebody had chosen is counted (S1.26).
    ///
    /// Conflict `proposals.already_asked` once a unit was asked, `proposals.stage` for a draft and for what has ended.
    pub fn addressed_to(&self, addressed: Addressed) -> Result<Self, Fault> {
        match self.stage.kind() {
            StageKind::Submitted
            | StageKind::Open
            | StageKind::InComparison
            | StageKind::Shortlisted
            | StageKind::BeforeForum
            | StageKind::NotEndorsed => {}
            kind if kind == StageKind::Draft || kind.is_ended() => {
                return Err(Fault::conflict(
                    "proposals.stage",
                    "A proposal is routed from submission until its answer. This one is a draft or has ended.",
                ));
            }
            _ => {
                return Err(Fault::conflict(
                    "proposals.already_asked",
                    "A unit was asked for its answer already, so the proposal stays with it.",
                ));
            }
        }
        let mut routed = self.clone();
        let is_other = self.units != addressed.units || self.lead_unit != addressed.lead;
        if is_other && !self.units.is_empty() {
            routed.reroutings += 1;
        }
        routed.units = addressed.units;
        routed.lead_unit = addressed.lead;
        Ok(routed)
    }

    /// The proposal, chosen for the table of a forum.
    ///
    /// Conflict `proposals.stage` unless it is open or in a comparison round.
    pub fn shortlist(&self, today: Date, policies: &Policies) -> Result<Self, Fault> {
        self.go(Stage::Shortlisted, today, policies)
    }

    /// The proposal, back among the open ones: off the shortlist, out of a round.
    ///
    /// Conflict `proposals.stage` unless it is on the shortlist or in a round.
    pub fn reopen(&self, today: Date, policies: &Policies) -> Result<Self, Fault> {
        match self.stage {
            Stage::Shortlisted | Stage::InComparison { .. } => self.go(Stage::Open, today, policies),
            other => Err(wrong_stage(other, StageKind::Open)),
        }
    }

    /// The proposal, on its way to a forum. Its texts are looked at by the caller (P2).
    ///
    /// Conflict `proposals.stage` unless it is on the shortlist.
    pub fn send_to_forum(&self, forum: ForumId, today: Date, policies: &Policies) -> Result<Self, Fault> {
        self.go(Stage::BeforeForum { forum }, today, policies)
    }
}
