//! ProposalsService.

use chassis::{Call, Purpose, Verifier};
use proto::proposals as pb;
use proto::proposals::proposals_service_server::ProposalsService;
use tonic::Request;

use super::{Answer, answer};
use crate::app::{App, CreateDraft, Filter, Incoming};
use crate::convert;
use crate::convert::requests::{
    own_channel, read, read_maybe, size, staff_channel, stage_kind, words_answer, writing,
};
use crate::domain::proposal::Goal;

/// ProposalsService over the app; vouchers are verified here.
#[derive(Clone, Debug)]
pub struct Proposals {
    /// The app.
    pub app: App,
    /// Verifies vouchers.
    pub verifier: Verifier,
}

#[tonic::async_trait]
impl ProposalsService for Proposals {
    async fn create_draft(
        &self,
        request: Request<pb::CreateDraftRequest>,
    ) -> Answer<pb::CreateDraftResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let create = CreateDraft {
                tenant: read("tenant", &request.tenant)?,
                channel: own_channel(request.channel())?,
                writing: writing(request.content, request.conflict_accepted)?,
            };
            self.app.create_draft(&call, create).await
        };
        answer(run.await)
    }

    async fn edit_draft(&self, request: Request<pb::EditDraftRequest>) -> Answer<pb::EditDraftResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            self.app.edit_draft(&call, id, writing(request.content, request.conflict_accepted)?).await
        };
        answer(run.await)
    }

    async fn delete_draft(
        &self,
        request: Request<pb::DeleteDraftRequest>,
    ) -> Answer<pb::DeleteDraftResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            self.app.delete_draft(&call, id).await
        };
        answer(run.await)
    }

    async fn submit_proposal(
        &self,
        request: Request<pb::SubmitProposalRequest>,
    ) -> Answer<pb::SubmitProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            self.app.submit_proposal(&call, id, request.conflict_accepted).await
        };
        answer(run.await)
    }

    async fn submit_anonymously(
        &self,
        request: Request<pb::SubmitAnonymouslyRequest>,
    ) -> Answer<pb::SubmitAnonymouslyResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let incoming = Incoming {
                tenant: read("tenant", &request.tenant)?,
                channel: own_channel(request.channel())?,
                writing: writing(request.content, false)?,
            };
            self.app.submit_anonymously(&call, incoming).await
        };
        answer(run.await)
    }

    async fn record_dictated_proposal(
        &self,
        request: Request<pb::RecordDictatedProposalRequest>,
    ) -> Answer<pb::RecordDictatedProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let incoming = Incoming {
                tenant: read("tenant", &request.tenant)?,
                channel: staff_channel(request.channel())?,
                writing: writing(request.content, request.conflict_accepted)?,
            };
            let voucher = self.verifier.voucher_for(&request.voucher, Purpose::Dictation).await?;
            self.app.record_dictated(&call, &voucher, incoming).await
        };
        answer(run.await)
    }

    async fn withdraw_proposal(
        &self,
        request: Request<pb::WithdrawProposalRequest>,
    ) -> Answer<pb::WithdrawProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            self.app.withdraw_proposal(&call, id).await
        };
        answer(run.await)
    }

    async fn confirm_my_words(
        &self,
        request: Request<pb::ConfirmMyWordsRequest>,
    ) -> Answer<pb::ConfirmMyWordsResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            let words = words_answer(request.answer(), request.correction)?;
            self.app.confirm_my_words(&call, id, words, request.helper_accepted).await
        };
        answer(run.await)
    }

    async fn invite_co_author(
        &self,
        request: Request<pb::InviteCoAuthorRequest>,
    ) -> Answer<pb::InviteCoAuthorResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            self.app.invite_co_author(&call, id).await
        };
        answer(run.await)
    }

    async fn join_as_co_author(
        &self,
        request: Request<pb::JoinAsCoAuthorRequest>,
    ) -> Answer<pb::JoinAsCoAuthorResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            self.app.join_as_co_author(&call, &request.code).await
        };
        answer(run.await)
    }

    async fn get_my_proposal(
        &self,
        request: Request<pb::GetMyProposalRequest>,
    ) -> Answer<pb::GetMyProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            self.app.get_my_proposal(&call, id).await
        };
        answer(run.await)
    }

    async fn list_my_proposals(
        &self,
        request: Request<pb::ListMyProposalsRequest>,
    ) -> Answer<pb::ListMyProposalsResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            self.app.list_my_proposals(&call, size(request.page_size)?, &request.page_token).await
        };
        answer(run.await)
    }

    async fn get_by_return_code(
        &self,
        request: Request<pb::GetByReturnCodeRequest>,
    ) -> Answer<pb::GetByReturnCodeResponse> {
        let run = async {
            let request = request.into_inner();
            self.app.get_by_return_code(&request.return_code).await
        };
        answer(run.await)
    }

    async fn get_proposal(
        &self,
        request: Request<pb::GetProposalRequest>,
    ) -> Answer<pb::GetProposalResponse> {
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            self.app.get_proposal(id).await
        };
        answer(run.await)
    }

    async fn list_proposals(
        &self,
        request: Request<pb::ListProposalsRequest>,
    ) -> Answer<pb::ListProposalsResponse> {
        let run = async {
            let request = request.into_inner();
            let filter = Filter {
                unit: read_maybe("unit_id", &request.unit_id)?,
                stage: stage_kind(request.stage()),
                municipality: read_maybe("municipality", &request.municipality)?,
                late_on: request.late_only.then(|| self.app.today()),
            };
            let (tenant, size) = (read("tenant", &request.tenant)?, size(request.page_size)?);
            self.app.list_proposals(tenant, filter, size, &request.page_token).await
        };
        answer(run.await)
    }

    async fn get_moderation_log(
        &self,
        request: Request<pb::GetModerationLogRequest>,
    ) -> Answer<pb::GetModerationLogResponse> {
        let run = async {
            let request = request.into_inner();
            let (tenant, size) = (read("tenant", &request.tenant)?, size(request.page_size)?);
            self.app.get_moderation_log(tenant, size, &request.page_token).await
        };
        answer(run.await)
    }

    async fn list_goals(&self, _: Request<pb::ListGoalsRequest>) -> Answer<pb::ListGoalsResponse> {
        let goals = Goal::ALL.into_iter().map(convert::proposals::goal).collect();
        answer(Ok(pb::ListGoalsResponse { goals }))
    }
}
