//! Submitting: from here on there is a promise to keep.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Fault, ProposalId, Subject};
use messaging::Tx;
use proto::proposals as pb;

use super::App;
use crate::domain::code;
use crate::domain::proposal::{Proposal, Stage};
use crate::{convert, events, store};

/// Characters of a receipt number after the year.
const RECEIPT_LENGTH: usize = 8;

struct Submit {
    id: ProposalId,
    author: Subject,
    receipt: String,
}

impl App {
    /// Submits a draft.
    pub async fn submit_proposal(
        &self,
        call: &Call,
        id: ProposalId,
        _conflict_accepted: bool,
    ) -> Result<pb::SubmitProposalResponse, Fault> {
        let receipt = code::from_bytes(&self.ids.bytes::<RECEIPT_LENGTH>(), RECEIPT_LENGTH);
        let input = Submit { id, author: call.scope.subject()?, receipt };
        self.writer.run(call.command(), input, |tx, input| submitted(tx, input).boxed()).await
    }
}

async fn submitted(tx: &Tx, input: &Submit) -> Result<pb::SubmitProposalResponse, Fault> {
    let today = tx.now().helsinki_date();
    let before = authored(tx, input.id, input.author).await?;
    if before.stage == Stage::Submitted {
        return Ok(submission(&before, today));
    }
    let policies = store::policies::of(tx.conn(), before.tenant).await?;
    let after = before.submit(&input.receipt, today, &policies)?;
    store::proposals::save(tx.conn(), &after).await?;
    store::steps::append(tx.conn(), &after, today, "").await?;
    tx.publish(events::proposal::submitted(&after));
    Ok(submission(&after, today))
}

fn submission(proposal: &Proposal, today: kernel::Date) -> pb::SubmitProposalResponse {
    pb::SubmitProposalResponse {
        proposal: Some(convert::proposals::proposal(proposal, proposal.promise, today)),
        receipt_no: proposal.receipt_no.clone(),
    }
}

/// A proposal of which this person is an author. NotFound `proposals.no_such_proposal`.
pub(super) async fn authored(tx: &Tx, id: ProposalId, person: Subject) -> Result<Proposal, Fault> {
    if !store::authors::is_author(tx.conn(), id, person).await? {
        return Err(store::proposals::no_such_proposal());
    }
    store::proposals::load(tx.conn(), id).await
}
