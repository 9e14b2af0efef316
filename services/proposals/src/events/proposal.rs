//! What is told of a proposal on its way.

use messaging::NewEvent;
use proto::proposals as published;

use crate::domain::proposal::Proposal;

/// It was submitted; its text is not public yet.
pub fn submitted(proposal: &Proposal) -> NewEvent {
    of(
        proposal,
        &published::ProposalSubmitted {
            proposal_id: proposal.id.to_string(),
            unit_ids: proposal.units.iter().map(ToString::to_string).collect(),
            category: proposal.category.as_str().to_owned(),
            channel: proposal.channel.as_str().to_owned(),
        },
    )
}

/// A human found it fit to publish, with these approved titles.
pub fn screened(proposal: &Proposal, titles: Vec<published::PublishedTitle>) -> NewEvent {
    let days = match (proposal.submitted_on, proposal.screened_on) {
        (Some(submitted), Some(screened)) => u32::try_from((screened - submitted).whole_days()).unwrap_or(0),
        _ => 0,
    };
    of(proposal, &published::ProposalScreened { proposal_id: proposal.id.to_string(), days, titles })
}

/// An event of a proposal, in its county's lane.
pub(super) fn of<M: prost::Message + prost::Name>(proposal: &Proposal, message: &M) -> NewEvent {
    NewEvent::of(proposal.tenant, "proposal", proposal.id, message)
}
