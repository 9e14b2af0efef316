//! What a search found, to its message.

use kernel::Date;
use proto::proposals as pb;

use super::proposals::{promise, stage};
use crate::domain::proposal::Proposal;
use crate::domain::response::Answer;
use crate::domain::text::Texts;

/// A proposal that was found, with the latest answer to it.
pub fn found(
    proposal: &Proposal,
    texts: &Texts,
    supports: u64,
    answer: Option<(&Answer, &Texts)>,
    today: Date,
) -> pb::FoundProposal {
    let titles = texts.titles();
    let title = |(form, title): (kernel::TextVariant, &str)| pb::PublishedTitle {
        language: form.as_str().to_owned(),
        title: title.to_owned(),
    };
    pb::FoundProposal {
        proposal_id: proposal.id.to_string(),
        titles: titles.map(title).collect(),
        stage: Some(stage(proposal.stage)),
        promise: proposal.promise.map(|of| promise(of, today)),
        submitted_on: proposal.submitted_on.map(|day| day.to_string()).unwrap_or_default(),
        supports,
        answer: answer.map(|(answer, texts)| super::answers::answer(answer, texts, true)),
    }
}
