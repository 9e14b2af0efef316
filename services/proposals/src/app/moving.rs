//! What every step of a proposal does: the row, the step in its history, the event.

use kernel::{Date, Fault, Policies, ProposalId, TenantId};
use messaging::Tx;

use super::telling::came_to;
use crate::domain::proposal::Proposal;
use crate::domain::timeline::Why;
use crate::store;

/// A proposal of a county, the day, and the county's policy: what nearly every act begins with.
pub(crate) async fn load(
    tx: &Tx,
    tenant: TenantId,
    id: ProposalId,
) -> Result<(Proposal, Date, Policies), Fault> {
    let proposal = store::proposals::load_in(tx.conn(), tenant, id).await?;
    let policies = store::policies::of(tx.conn(), tenant).await?;
    Ok((proposal, tx.now().helsinki_date(), policies))
}

/// Stores a proposal that has come to another stage, and the step in its history; tells those whom it concerns.
/// `why` is in plain language; empty where nobody had to say why.
pub(crate) async fn moved(tx: &Tx, proposal: &Proposal, why: impl Into<Why>) -> Result<(), Fault> {
    store::proposals::save(tx.conn(), proposal).await?;
    came_to(tx, proposal, tx.now().helsinki_date(), why).await
}
