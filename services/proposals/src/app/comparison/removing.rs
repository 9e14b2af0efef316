//! Taking an idea out of a round, and out of everybody's sight: it holds what must not be shown.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Fault, IdeaId, ProposalId, RoundId, Scope, Uuid};
use messaging::Tx;
use proto::proposals as pb;

use super::super::App;
use crate::domain::comparison::idea::{Idea, PlainReason};
use crate::domain::comparison::round::{Round, RoundEvent};
use crate::domain::moderation::{Moderated, Moderation, ModerationAct};
use crate::{convert, store};

struct Remove {
    /// Of the entry in the moderation log.
    entry: Uuid,
    scope: Scope,
    round: RoundId,
    idea: IdeaId,
    reason: PlainReason,
}

impl App {
    /// Takes an idea out of its round, whatever the round's state. No visit is shown it any more, and its text is erased.
    pub async fn remove_idea(
        &self,
        call: &Call,
        round: RoundId,
        idea: IdeaId,
        reason: PlainReason,
    ) -> Result<pb::RemoveIdeaResponse, Fault> {
        let input = Remove { entry: self.ids.uuid(), scope: call.scope, round, idea, reason };
        self.writer.run(call.command(), input, |tx, input| removed(tx, input).boxed()).await
    }
}

async fn removed(tx: &Tx, input: &Remove) -> Result<pb::RemoveIdeaResponse, Fault> {
    let round = store::comparison::rounds::load_in(tx.conn(), &input.scope, input.round).await?;
    let idea = store::comparison::ideas::load(tx.conn(), round.id, input.idea).await?;
    let Some(gone) = idea.remove(&input.reason)? else {
        return Ok(pb::RemoveIdeaResponse { round: Some(convert::comparisons::round(&round)) });
    };
    let entry = Moderation {
        id: input.entry,
        tenant: round.charter.tenant,
        what: Moderated::Idea,
        proposal: idea.proposal.unwrap_or(ProposalId::from_uuid(idea.id.as_uuid())),
        act: ModerationAct::Hidden,
        why: input.reason.as_str().into(),
        on: tx.now().helsinki_date(),
    };
    store::moderations::append(tx.conn(), &entry).await?;
    let round = take_out(tx, round, &gone).await?;
    Ok(pb::RemoveIdeaResponse { round: Some(convert::comparisons::round(&round)) })
}

/// Takes a proposal that is hidden out of the rounds it is in; why is in the moderation log with the proposal.
pub(in crate::app) async fn remove_hidden(tx: &Tx, proposal: ProposalId, reason: &str) -> Result<(), Fault> {
    let reason = PlainReason::stored(reason.to_owned());
    for (round, idea) in store::comparison::ideas::standing_for(tx.conn(), proposal).await? {
        if let Some(gone) = idea.remove(&reason)? {
            let round = store::comparison::rounds::load(tx.conn(), round).await?;
            take_out(tx, round, &gone).await?;
        }
    }
    Ok(())
}

async fn take_out(tx: &Tx, round: Round, gone: &Idea) -> Result<Round, Fault> {
    store::comparison::ideas::save(tx.conn(), round.id, gone).await?;
    if gone.number.is_none() {
        // It was never compared, so the round does not count it.
        return Ok(round);
    }
    let round = round.apply(RoundEvent::IdeaRemoved);
    store::comparison::rounds::save(tx.conn(), &round).await?;
    Ok(round)
}
