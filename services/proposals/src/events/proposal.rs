//! What is told of a proposal on its way.

use kernel::{ForumId, ProposalId};
use messaging::NewEvent;
use proto::proposals as published;

use crate::domain::proposal::{Ending, Proposal};
use crate::domain::text::Texts;

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

/// A human found it fit to publish.
pub fn screened(proposal: &Proposal, texts: &Texts) -> NewEvent {
    let days = match (proposal.submitted_on, proposal.screened_on) {
        (Some(submitted), Some(screened)) => u32::try_from((screened - submitted).whole_days()).unwrap_or(0),
        _ => 0,
    };
    let (proposal_id, titles) = (proposal.id.to_string(), titles(texts));
    of(proposal, &published::ProposalScreened { proposal_id, days, titles })
}

/// It ended before its answer. What is told of closing is told where feedback is.
pub fn ended(proposal: &Proposal, how: Ending) -> Option<NewEvent> {
    let proposal_id = proposal.id.to_string();
    match how {
        Ending::RejectedAtScreening { reason } => {
            let reason = reason.as_str().to_owned();
            Some(of(proposal, &published::ProposalRejectedAtScreening { proposal_id, reason }))
        }
        Ending::Redirected { kind } => {
            let kind = kind.as_str().to_owned();
            Some(of(proposal, &published::ProposalRedirected { proposal_id, kind }))
        }
        Ending::Merged { into } => Some(merged(proposal, into)),
        // Nobody but its author knew of what was withdrawn but the fact that it came in.
        Ending::Withdrawn | Ending::Split | Ending::Closed => None,
    }
}

/// It goes on as a part of another one.
pub fn merged(proposal: &Proposal, into: ProposalId) -> NewEvent {
    let (proposal_id, into_proposal_id) = (proposal.id.to_string(), into.to_string());
    of(proposal, &published::ProposalMerged { proposal_id, into_proposal_id })
}

/// It goes on as these parts.
pub fn split(proposal: &Proposal, parts: impl Iterator<Item = ProposalId>) -> NewEvent {
    let part_ids = parts.map(|part| part.to_string()).collect();
    of(proposal, &published::ProposalSplit { proposal_id: proposal.id.to_string(), part_ids })
}

/// It was chosen for the table of a forum.
pub fn shortlisted(proposal: &Proposal) -> NewEvent {
    of(proposal, &published::ProposalShortlisted { proposal_id: proposal.id.to_string() })
}

/// It goes to a forum.
pub fn sent_to_forum(proposal: &Proposal, forum: ForumId, texts: &Texts) -> NewEvent {
    let (proposal_id, forum_id) = (proposal.id.to_string(), forum.to_string());
    of(proposal, &published::ProposalSentToForum { proposal_id, forum_id, titles: titles(texts) })
}

/// The approved titles.
fn titles(texts: &Texts) -> Vec<published::PublishedTitle> {
    let title = |(form, title): (kernel::TextVariant, &str)| published::PublishedTitle {
        language: form.to_string(),
        title: title.to_owned(),
    };
    texts.titles().map(title).collect()
}

/// An event of a proposal, in its county's lane.
pub(super) fn of<M: prost::Message + prost::Name>(proposal: &Proposal, message: &M) -> NewEvent {
    NewEvent::of(proposal.tenant, "proposal", proposal.id, message)
}
