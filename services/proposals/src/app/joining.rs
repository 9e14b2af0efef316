//! Two proposals that say the same go on as one, and one that says two things goes on as several; authors, supporters and
//! followers come along.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Caller, Fault, ProposalId, Role, TenantId};
use messaging::Tx;
use proto::proposals as pb;

use super::drafting::{Words, check_units, store_draft, written};
use super::screening::publish_texts;
use super::searching::refresh_index;
use super::submitting::schedule_confirmation;
use super::upkeep::schedule_forgetting;
use super::{App, findings, moving};
use crate::domain::proposal::{Ending, MAX_PARTS, Part, Proposal, Reasons, Stage};
use crate::domain::text::{Owner, Texts, required_languages};
use crate::domain::timeline::Why;
use crate::{convert, events, store};

/// A part of a split, in the coordinator's wording; the person's own words stay with it.
#[derive(Debug, Clone)]
pub struct PartOf {
    /// Its texts.
    pub words: Words,
    /// What it is about.
    pub part: Part,
}

struct Merge {
    tenant: TenantId,
    id: ProposalId,
    into: ProposalId,
    reasons: Reasons,
}

struct Split {
    tenant: TenantId,
    id: ProposalId,
    caller: Caller,
    parts: Vec<(ProposalId, PartOf)>,
    reasons: Reasons,
}

impl App {
    /// Lets a proposal go on in another one.
    pub async fn merge_proposal(
        &self,
        call: &Call,
        id: ProposalId,
        into: ProposalId,
        reasons: Reasons,
    ) -> Result<pb::MergeProposalResponse, Fault> {
        let input = Merge { tenant: call.scope.tenant()?, id, into, reasons };
        self.writer.run(call.command(), input, |tx, input| merged(tx, input).boxed()).await
    }

    /// Lets a proposal go on as several.
    pub async fn split_proposal(
        &self,
        call: &Call,
        id: ProposalId,
        parts: Vec<PartOf>,
        reasons: Reasons,
    ) -> Result<pb::SplitProposalResponse, Fault> {
        if !(2..=MAX_PARTS).contains(&parts.len()) {
            return Err(kernel::Invalid::new(
                format!("a proposal is split into 2 to {MAX_PARTS} parts"),
                "send each part with its texts",
            )
            .in_field("parts"));
        }
        let parts = parts.into_iter().map(|part| (self.ids.new_id(), part)).collect();
        let (tenant, caller) = (call.scope.tenant()?, call.caller.clone());
        let input = Split { tenant, id, caller, parts, reasons };
        self.writer.run(call.command(), input, |tx, input| split(tx, input).boxed()).await
    }
}

async fn merged(tx: &Tx, input: &Merge) -> Result<pb::MergeProposalResponse, Fault> {
    let (before, today, policies) = moving::load(tx, input.tenant, input.id).await?;
    let texts = store::texts::load(tx.conn(), Owner::proposal(before.tenant, before.id)).await?;
    let other = store::proposals::load_in(tx.conn(), input.tenant, input.into).await?;
    let is_done = before.stage == (Stage::Ended { how: Ending::Merged { into: other.id } });
    let after = if is_done { before } else { before.merge_into(&other, today, &policies)? };
    if !is_done {
        input.reasons.check_languages(&required_languages([after.tenant]))?;
        moving::moved(tx, &after, &input.reasons).await?;
        store::authors::carry_over(tx.conn(), after.id, other.id, today).await?;
        store::supports::carry_over(tx.conn(), after.id, other.id).await?;
        store::follows::carry_over(tx.conn(), after.id, other.id).await?;
        refresh_index(tx, &after).await?;
        schedule_forgetting(tx, &after, &policies);
        tx.publish(events::proposal::merged(&after, other.id));
    }
    let promise = store::proposals::promise_of_way(tx.conn(), &after).await?;
    let proposal = convert::proposals::proposal(&after, &texts, promise, today);
    Ok(pb::MergeProposalResponse { proposal: Some(proposal) })
}

async fn split(tx: &Tx, input: &Split) -> Result<pb::SplitProposalResponse, Fault> {
    let (before, today, policies) = moving::load(tx, input.tenant, input.id).await?;
    if before.stage == (Stage::Ended { how: Ending::Split }) {
        return split_before(tx, &before).await;
    }
    let after = before.split(today, &policies)?;
    input.reasons.check_languages(&required_languages([after.tenant]))?;
    let mut parts = Vec::with_capacity(input.parts.len());
    for ((id, part), number) in input.parts.iter().zip(1..) {
        check_units(tx, input.tenant, &part.part.addressed).await?;
        let mut texts = written(Texts::default(), &part.words)?;
        let new = before.part(*id, number, part.part.clone());
        if new.is_public {
            publish_texts(input.caller.subject()?, Role::AreaCoordinator, new.tenant, &mut texts, today)?;
        }
        store_draft(tx, &new, &texts).await?;
        store::texts::save_and_queue(tx.conn(), Owner::proposal(new.tenant, new.id), &texts, today).await?;
        if !new.is_public {
            store::findings::replace(tx.conn(), new.id, &findings::found(&new, &texts)).await?;
        }
        store::steps::append(tx.conn(), &new, today, &Why::from(&input.reasons)).await?;
        schedule_confirmation(tx, &new);
        store::authors::copy(tx.conn(), before.id, new.id, today).await?;
        store::supports::copy(tx.conn(), before.id, new.id).await?;
        store::follows::copy(tx.conn(), before.id, new.id).await?;
        refresh_index(tx, &new).await?;
        parts.push((new, texts));
    }
    moving::moved(tx, &after, &input.reasons).await?;
    refresh_index(tx, &after).await?;
    schedule_forgetting(tx, &after, &policies);
    tx.publish(events::proposal::split(&after, parts.iter().map(|(part, _)| part.id)));
    let texts = store::texts::load(tx.conn(), Owner::proposal(after.tenant, after.id)).await?;
    Ok(pb::SplitProposalResponse {
        proposal: Some(convert::proposals::proposal(&after, &texts, after.promise, today)),
        parts: parts
            .iter()
            .map(|(part, texts)| convert::proposals::proposal(part, texts, part.promise, today))
            .collect(),
    })
}

/// The answer for what was split before: as it stands now.
async fn split_before(tx: &Tx, whole: &Proposal) -> Result<pb::SplitProposalResponse, Fault> {
    let today = tx.now().helsinki_date();
    let mut parts = Vec::new();
    for id in store::lists::parts_of(tx.conn(), whole.id).await? {
        let part = store::proposals::load(tx.conn(), id).await?;
        let texts = store::texts::load(tx.conn(), Owner::proposal(part.tenant, id)).await?;
        let promise = store::proposals::promise_of_way(tx.conn(), &part).await?;
        parts.push(convert::proposals::proposal(&part, &texts, promise, today));
    }
    let texts = store::texts::load(tx.conn(), Owner::proposal(whole.tenant, whole.id)).await?;
    let proposal = convert::proposals::proposal(whole, &texts, whole.promise, today);
    Ok(pb::SplitProposalResponse { proposal: Some(proposal), parts })
}
