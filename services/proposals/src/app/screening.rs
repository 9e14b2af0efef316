//! Screening: by a human, within the policy's days (P1).

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Fault, ProposalId, TenantId};
use messaging::Tx;
use proto::proposals as pb;

use super::App;
use super::drafting::check_units;
use crate::domain::proposal::content::Addressed;
use crate::{convert, events, store};

struct Screen {
    tenant: TenantId,
    id: ProposalId,
    addressed: Option<Addressed>,
}

impl App {
    /// Finds a proposal fit to publish; with other units than those it was addressed to, if `addressed` names some.
    pub async fn screen_proposal(
        &self,
        call: &Call,
        id: ProposalId,
        addressed: Option<Addressed>,
    ) -> Result<pb::ScreenProposalResponse, Fault> {
        let input = Screen { tenant: call.scope.tenant()?, id, addressed };
        self.writer.run(call.command(), input, |tx, input| screened(tx, input).boxed()).await
    }
}

async fn screened(tx: &Tx, input: &Screen) -> Result<pb::ScreenProposalResponse, Fault> {
    let today = tx.now().helsinki_date();
    let mut proposal = store::proposals::load_in(tx.conn(), input.tenant, input.id).await?;
    if let Some(addressed) = &input.addressed {
        check_units(tx, input.tenant, addressed).await?;
        proposal = proposal.addressed_to(addressed.clone());
    }
    let policies = store::policies::of(tx.conn(), proposal.tenant).await?;
    let after = proposal.screened(today, &policies)?;
    store::proposals::save(tx.conn(), &after).await?;
    store::steps::append(tx.conn(), &after, today, "").await?;
    tx.publish(events::proposal::screened(&after, Vec::new()));
    Ok(pb::ScreenProposalResponse {
        proposal: Some(convert::proposals::proposal(&after, after.promise, today)),
    })
}
