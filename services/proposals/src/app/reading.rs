//! Queries: what everybody may see, what is the caller's own, what staff has to do.

use kernel::{Fault, ProposalId};
use proto::proposals as pb;

use super::App;
use crate::{convert, store};

impl App {
    /// One public proposal.
    pub async fn get_proposal(&self, id: ProposalId) -> Result<pb::GetProposalResponse, Fault> {
        let found = store::proposals::load_public(self.database.read(), id).await?;
        let proposal = convert::proposals::proposal(&found, found.promise, self.today());
        Ok(pb::GetProposalResponse { proposal: Some(proposal) })
    }
}
