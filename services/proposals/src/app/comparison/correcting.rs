//! A prepared round that nobody has seen: corrected or dropped.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Fault, RoundId, Scope, TenantId};
use messaging::Tx;
use proto::proposals as pb;

use super::super::App;
use super::rounds::{Prepare, PrepareRound, charter_of, check_forum, prepared_ideas};
use crate::{convert, store};

struct Correct {
    scope: Scope,
    prepare: Prepare,
}

struct OfRound {
    scope: Scope,
    round: RoundId,
}

impl App {
    /// Prepares a round anew, with other ideas, days or another name.
    pub async fn correct_round(
        &self,
        call: &Call,
        tenant: TenantId,
        id: RoundId,
        prepare: PrepareRound,
    ) -> Result<pb::CorrectRoundResponse, Fault> {
        self.check_served(tenant)?;
        let idea_ids = prepare.ideas.iter().map(|_| self.ids.new_id()).collect();
        let forum = call.scope.forum().ok().or(prepare.forum);
        let input = Correct { scope: call.scope, prepare: Prepare { id, tenant, forum, prepare, idea_ids } };
        self.writer.run(call.command(), input, |tx, input| corrected(tx, input).boxed()).await
    }

    /// Deletes a prepared round.
    pub async fn drop_round(&self, call: &Call, round: RoundId) -> Result<pb::DropRoundResponse, Fault> {
        let input = OfRound { scope: call.scope, round };
        self.writer.run(call.command(), input, |tx, input| dropped(tx, input).boxed()).await
    }
}

async fn corrected(tx: &Tx, input: &Correct) -> Result<pb::CorrectRoundResponse, Fault> {
    let prepare = &input.prepare;
    let before = store::comparison::rounds::load_in(tx.conn(), &input.scope, prepare.id).await?;
    check_forum(tx, prepare.tenant, prepare.forum).await?;
    let round = before.correct(charter_of(prepare), prepare.prepare.ideas.len())?;
    let ideas = prepared_ideas(tx, prepare, &round).await?;
    store::comparison::rounds::save(tx.conn(), &round).await?;
    store::comparison::ideas::delete_of(tx.conn(), round.id).await?;
    store::comparison::ideas::insert(tx.conn(), round.id, &ideas, &[]).await?;
    Ok(pb::CorrectRoundResponse {
        round: Some(convert::comparisons::round(&round)),
        ideas: ideas.iter().map(convert::comparisons::idea).collect(),
    })
}

async fn dropped(tx: &Tx, input: &OfRound) -> Result<pb::DropRoundResponse, Fault> {
    let round = store::comparison::rounds::load_in(tx.conn(), &input.scope, input.round).await?;
    round.check_prepared()?;
    store::comparison::ideas::delete_of(tx.conn(), round.id).await?;
    store::comparison::rounds::delete(tx.conn(), round.id).await?;
    Ok(pb::DropRoundResponse {})
}
