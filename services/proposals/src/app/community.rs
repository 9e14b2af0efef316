//! What people bring to a proposal of others: support and following.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{ActingMode, Fault, FaultKind, ProposalId, Subject};
use messaging::Tx;
use proto::proposals as pb;

use super::App;
use crate::domain::comment::{check_support_is_here, check_takes_part};
use crate::domain::proposal::{Acting, Proposal};
use crate::{convert, store};

/// Somebody's act on a proposal of others.
pub(super) struct Part {
    pub(super) caller: kernel::Caller,
    pub(super) person: Subject,
    pub(super) proposal: ProposalId,
    pub(super) conflict_accepted: bool,
}

impl Part {
    pub(super) fn of(call: &Call, proposal: ProposalId, conflict_accepted: bool) -> Result<Self, Fault> {
        Ok(Self { caller: call.caller.clone(), person: call.scope.subject()?, proposal, conflict_accepted })
    }

    /// The proposal, if it takes part in what is going on and the caller's helper is independent in it (M3).
    pub(super) async fn open(&self, tx: &Tx) -> Result<Proposal, Fault> {
        let proposal = store::proposals::load(tx.conn(), self.proposal).await?;
        check_takes_part(&proposal)?;
        Acting::check_independence(&self.caller, &proposal.units, self.conflict_accepted)?;
        Ok(proposal)
    }

    pub(super) fn mode(&self) -> ActingMode {
        self.caller.mode
    }
}

impl App {
    /// Supports a proposal. One support a person; the caller's own, whoever helps (M4).
    pub async fn give_support(
        &self,
        call: &Call,
        proposal: ProposalId,
        conflict_accepted: bool,
    ) -> Result<pb::GiveSupportResponse, Fault> {
        let input = Part::of(call, proposal, conflict_accepted)?;
        self.writer.run(call.command(), input, |tx, input| supported(tx, input).boxed()).await
    }

    /// Takes the caller's support back, also after the proposal has ended.
    pub async fn withdraw_support(
        &self,
        call: &Call,
        proposal: ProposalId,
    ) -> Result<pb::WithdrawSupportResponse, Fault> {
        let input = Part::of(call, proposal, true)?;
        self.writer.run(call.command(), input, |tx, input| withdrawn(tx, input).boxed()).await
    }

    /// Follows a proposal.
    pub async fn follow_proposal(
        &self,
        call: &Call,
        proposal: ProposalId,
    ) -> Result<pb::FollowProposalResponse, Fault> {
        let input = Part::of(call, proposal, true)?;
        self.writer.run(call.command(), input, |tx, input| followed(tx, input).boxed()).await
    }

    /// Ends the caller's following; of any proposal, whatever has become of it.
    pub async fn unfollow_proposal(
        &self,
        call: &Call,
        proposal: ProposalId,
    ) -> Result<pb::UnfollowProposalResponse, Fault> {
        let input = Part::of(call, proposal, true)?;
        self.writer.run(call.command(), input, |tx, input| unfollowed(tx, input).boxed()).await
    }

    /// Whether the caller supports and follows a proposal.
    pub async fn get_my_part(
        &self,
        call: &Call,
        proposal: ProposalId,
    ) -> Result<pb::GetMyPartResponse, Fault> {
        let (conn, person) = (self.database.read(), call.scope.subject()?);
        Ok(pb::GetMyPartResponse {
            supports: store::supports::is_given(conn, proposal, person).await?,
            follows: store::follows::is_followed(conn, proposal, person).await?,
        })
    }

    /// How many take part in a public proposal.
    pub async fn get_counts(&self, proposal: ProposalId) -> Result<pb::GetCountsResponse, Fault> {
        let proposal = store::proposals::load_public(self.database.read(), proposal).await?;
        let counts = store::counts::of(self.database.read(), proposal.id).await?;
        Ok(pb::GetCountsResponse { counts: Some(convert::community::counts(counts)) })
    }
}

async fn supported(tx: &Tx, input: &Part) -> Result<pb::GiveSupportResponse, Fault> {
    let proposal = input.open(tx).await?;
    let today = tx.now().helsinki_date();
    let is_new = store::supports::give(tx.conn(), proposal.id, input.person, today, input.mode()).await?;
    Ok(pb::GiveSupportResponse { already: !is_new, counts: Some(counts(tx, proposal.id).await?) })
}

async fn withdrawn(tx: &Tx, input: &Part) -> Result<pb::WithdrawSupportResponse, Fault> {
    let proposal = store::proposals::load(tx.conn(), input.proposal).await?;
    check_support_is_here(&proposal)?;
    let was_given = store::supports::withdraw(tx.conn(), proposal.id, input.person).await?;
    Ok(pb::WithdrawSupportResponse { already: !was_given, counts: public_counts(tx, proposal.id).await? })
}

async fn followed(tx: &Tx, input: &Part) -> Result<pb::FollowProposalResponse, Fault> {
    let proposal = input.open(tx).await?;
    let today = tx.now().helsinki_date();
    let is_new = store::follows::follow(tx.conn(), proposal.id, input.person, today).await?;
    Ok(pb::FollowProposalResponse { already: !is_new, counts: Some(counts(tx, proposal.id).await?) })
}

async fn unfollowed(tx: &Tx, input: &Part) -> Result<pb::UnfollowProposalResponse, Fault> {
    let followed = store::follows::unfollow(tx.conn(), input.proposal, input.person).await?;
    Ok(pb::UnfollowProposalResponse { already: !followed, counts: public_counts(tx, input.proposal).await? })
}

/// The counts of a proposal that everybody may read; none of another one, or of one that there is not.
async fn public_counts(tx: &Tx, proposal: ProposalId) -> Result<Option<pb::Counts>, Fault> {
    match store::proposals::load_public(tx.conn(), proposal).await {
        Ok(proposal) => Ok(Some(counts(tx, proposal.id).await?)),
        Err(fault) if fault.kind() == FaultKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

async fn counts(tx: &Tx, proposal: ProposalId) -> Result<pb::Counts, Fault> {
    Ok(convert::community::counts(store::counts::of(tx.conn(), proposal).await?))
}
