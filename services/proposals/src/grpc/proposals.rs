//! ProposalsService.

use chassis::Call;
use proto::proposals as pb;
use proto::proposals::proposals_service_server::ProposalsService;
use tonic::Request;

use super::{Answer, answer};
use crate::app::{App, CreateDraft};
use crate::convert::requests::{content, own_channel, read};

/// ProposalsService over the app.
#[derive(Clone, Debug)]
pub struct Proposals(pub App);

#[tonic::async_trait]
impl ProposalsService for Proposals {
    async fn create_draft(
        &self,
        request: Request<pb::CreateDraftRequest>,
    ) -> Answer<pb::CreateDraftResponse> {
        let call = Call::of(&request)?;
        let create = async {
            let request = request.into_inner();
            let create = CreateDraft {
                tenant: read("tenant", &request.tenant)?,
                channel: own_channel(request.channel())?,
                conflict_accepted: request.conflict_accepted,
                content: content(&request.content.unwrap_or_default())?,
            };
            self.0.create_draft(&call, create).await
        };
        answer(create.await)
    }

    async fn submit_proposal(
        &self,
        request: Request<pb::SubmitProposalRequest>,
    ) -> Answer<pb::SubmitProposalResponse> {
        let call = Call::of(&request)?;
        let submit = async {
            let pb::SubmitProposalRequest { proposal_id, conflict_accepted } = request.into_inner();
            self.0.submit_proposal(&call, read("proposal_id", &proposal_id)?, conflict_accepted).await
        };
        answer(submit.await)
    }

    async fn get_proposal(
        &self,
        request: Request<pb::GetProposalRequest>,
    ) -> Answer<pb::GetProposalResponse> {
        let get = async { self.0.get_proposal(read("proposal_id", &request.get_ref().proposal_id)?).await };
        answer(get.await)
    }
}
