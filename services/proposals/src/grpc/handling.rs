//! HandlingService.

use chassis::Call;
use proto::proposals as pb;
use proto::proposals::handling_service_server::HandlingService;
use tonic::Request;

use super::{Answer, answer};
use crate::app::{App, Filter};
use crate::convert::requests::{
    addressed, decisions, explanations, part, read, read_maybe, reasons, redirection, screening_reason, size,
    stage_kind,
};
use crate::domain::proposal::{Explained, Explanation, Reasons};

/// HandlingService over the app.
#[derive(Clone, Debug)]
pub struct Handling(pub App);

#[tonic::async_trait]
impl HandlingService for Handling {
    async fn screen_proposal(
        &self,
        request: Request<pb::ScreenProposalRequest>,
    ) -> Answer<pb::ScreenProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let (tenant, id) = (read("tenant", &request.tenant)?, read("proposal_id", &request.proposal_id)?);
            let (units, lead) = (&request.unit_ids, &request.lead_unit_id);
            let addressed = if units.is_empty() { None } else { Some(addressed("", units, lead)?) };
            self.0.screen_proposal(&call, tenant, id, addressed, decisions(&request.findings)?).await
        };
        answer(run.await)
    }

    async fn reject_proposal(
        &self,
        request: Request<pb::RejectProposalRequest>,
    ) -> Answer<pb::RejectProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let (tenant, id) = (read("tenant", &request.tenant)?, read("proposal_id", &request.proposal_id)?);
            let reason = screening_reason(request.reason())?;
            let plain = Explanation::new("explanation", &request.explanation)?;
            let explained = Explained {
                reasons: Reasons::new(plain, explanations(&request.other_languages)?)?,
                reviewed: request.reviewed,
            };
            self.0.reject_proposal(&call, tenant, id, reason, explained).await
        };
        answer(run.await)
    }

    async fn redirect_proposal(
        &self,
        request: Request<pb::RedirectProposalRequest>,
    ) -> Answer<pb::RedirectProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let (tenant, id) = (read("tenant", &request.tenant)?, read("proposal_id", &request.proposal_id)?);
            let kind = redirection(request.kind())?;
            let plain = Explanation::new("advice", &request.advice)?;
            let advice = Explained {
                reasons: Reasons::new(plain, explanations(&request.other_languages)?)?,
                reviewed: request.reviewed,
            };
            self.0.redirect_proposal(&call, tenant, id, kind, advice).await
        };
        answer(run.await)
    }

    async fn merge_proposal(
        &self,
        request: Request<pb::MergeProposalRequest>,
    ) -> Answer<pb::MergeProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            let into = read("into_proposal_id", &request.into_proposal_id)?;
            let reasons = reasons(&request.explanation, &request.other_languages)?;
            self.0.merge_proposal(&call, id, into, reasons).await
        };
        answer(run.await)
    }

    async fn split_proposal(
        &self,
        request: Request<pb::SplitProposalRequest>,
    ) -> Answer<pb::SplitProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            let reasons = reasons(&request.explanation, &request.other_languages)?;
            let parts = request.parts.into_iter().enumerate().map(part).collect::<Result<_, _>>()?;
            self.0.split_proposal(&call, id, parts, reasons).await
        };
        answer(run.await)
    }

    async fn route_proposal(
        &self,
        request: Request<pb::RouteProposalRequest>,
    ) -> Answer<pb::RouteProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            let addressed = addressed("", &request.unit_ids, &request.lead_unit_id)?;
            self.0.route_proposal(&call, id, addressed).await
        };
        answer(run.await)
    }

    async fn shortlist_proposal(
        &self,
        request: Request<pb::ShortlistProposalRequest>,
    ) -> Answer<pb::ShortlistProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            self.0.shortlist_proposal(&call, id).await
        };
        answer(run.await)
    }

    async fn reopen_proposal(
        &self,
        request: Request<pb::ReopenProposalRequest>,
    ) -> Answer<pb::ReopenProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            self.0.reopen_proposal(&call, id).await
        };
        answer(run.await)
    }

    async fn send_to_forum(
        &self,
        request: Request<pb::SendToForumRequest>,
    ) -> Answer<pb::SendToForumResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            self.0.send_to_forum(&call, id, read("forum_id", &request.forum_id)?).await
        };
        answer(run.await)
    }

    async fn hide_proposal(
        &self,
        request: Request<pb::HideProposalRequest>,
    ) -> Answer<pb::HideProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            let reasons = reasons(&request.explanation, &request.other_languages)?;
            self.0.hide_proposal(&call, id, reasons).await
        };
        answer(run.await)
    }

    async fn show_proposal(
        &self,
        request: Request<pb::ShowProposalRequest>,
    ) -> Answer<pb::ShowProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            let reasons = reasons(&request.explanation, &request.other_languages)?;
            self.0.show_proposal(&call, id, reasons).await
        };
        answer(run.await)
    }

    async fn settle_correction(
        &self,
        request: Request<pb::SettleCorrectionRequest>,
    ) -> Answer<pb::SettleCorrectionResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let id = read("proposal_id", &request.proposal_id)?;
            self.0.settle_correction(&call, id, decisions(&request.findings)?).await
        };
        answer(run.await)
    }

    async fn get_handled_proposal(
        &self,
        request: Request<pb::GetHandledProposalRequest>,
    ) -> Answer<pb::GetHandledProposalResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let (tenant, id) = (read("tenant", &request.tenant)?, read("proposal_id", &request.proposal_id)?);
            self.0.get_handled_proposal(&call, tenant, id).await
        };
        answer(run.await)
    }

    async fn list_to_screen(
        &self,
        request: Request<pb::ListToScreenRequest>,
    ) -> Answer<pb::ListToScreenResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let (tenant, size) = (read("tenant", &request.tenant)?, size(request.page_size)?);
            self.0.list_to_screen(&call, tenant, size, &request.page_token).await
        };
        answer(run.await)
    }

    async fn list_handling(
        &self,
        request: Request<pb::ListHandlingRequest>,
    ) -> Answer<pb::ListHandlingResponse> {
        let call = Call::of(&request)?;
        let run = async {
            let request = request.into_inner();
            let filter = Filter {
                unit: read_maybe("unit_id", &request.unit_id)?,
                stage: stage_kind(request.stage()),
                municipality: None,
                late_on: request.late_only.then(|| self.0.today()),
            };
            let (recheck, size) = (request.to_recheck_only, size(request.page_size)?);
            self.0.list_handling(&call, filter, recheck, size, &request.page_token).await
        };
        answer(run.await)
    }
}
