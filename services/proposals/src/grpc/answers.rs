//! AnswersService.

use chassis::Call;
use kernel::Fault;
use proto::proposals as pb;
use proto::proposals::answers_service_server::AnswersService;
use tonic::Request;

use super::{Answer, answer};
use crate::app::{App, GiveAnswer};
use crate::convert::answers::{needed, written};
use crate::convert::requests::{day, read, size};

/// AnswersService over the app.
#[derive(Clone, Debug)]
pub struct Answers(pub App);

/// An answer to give, from the parts of a request.
pub(super) fn give(
    proposal_id: &str,
    answer: Option<pb::Answer>,
    reviewed: bool,
) -> Result<GiveAnswer, Fault> {
    let proposal = read("proposal_id", proposal_id)?;
    Ok(GiveAnswer { proposal, written: answer.map(written).transpose()?, reviewed })
}

#[tonic::async_trait]
impl AnswersService for Answers {
    async fn extend_response(
        &self,
        request: Request<pb::ExtendResponseRequest>,
    ) -> Answer<pb::ExtendResponseResponse> {
        let call = Call::of(&request)?;
        let extend = async {
            let request = request.get_ref();
            self.0.extend_response(&call, read("proposal_id", &request.proposal_id)?, request.days).await
        };
        answer(extend.await)
    }

    async fn declare_disqualified(
        &self,
        request: Request<pb::DeclareDisqualifiedRequest>,
    ) -> Answer<pb::DeclareDisqualifiedResponse> {
        let call = Call::of(&request)?;
        let declare = async {
            self.0.declare_disqualified(&call, read("proposal_id", &request.get_ref().proposal_id)?).await
        };
        answer(declare.await)
    }

    async fn draft_response(
        &self,
        request: Request<pb::DraftResponseRequest>,
    ) -> Answer<pb::DraftResponseResponse> {
        let call = Call::of(&request)?;
        let draft = async {
            let pb::DraftResponseRequest { unit_id: _, proposal_id, answer } = request.into_inner();
            let answer = written(needed("answer", answer)?)?;
            self.0.draft_response(&call, read("proposal_id", &proposal_id)?, answer).await
        };
        answer(draft.await)
    }

    async fn get_draft_response(
        &self,
        request: Request<pb::GetDraftResponseRequest>,
    ) -> Answer<pb::GetDraftResponseResponse> {
        let call = Call::of(&request)?;
        let get = async {
            self.0.get_draft_response(&call, read("proposal_id", &request.get_ref().proposal_id)?).await
        };
        answer(get.await)
    }

    async fn contribute_to_response(
        &self,
        request: Request<pb::ContributeToResponseRequest>,
    ) -> Answer<pb::ContributeToResponseResponse> {
        let call = Call::of(&request)?;
        let contribute = async {
            let pb::ContributeToResponseRequest { unit_id: _, proposal_id, text } = request.get_ref();
            self.0.contribute_to_response(&call, read("proposal_id", proposal_id)?, text).await
        };
        answer(contribute.await)
    }

    async fn give_response(
        &self,
        request: Request<pb::GiveResponseRequest>,
    ) -> Answer<pb::GiveResponseResponse> {
        let call = Call::of(&request)?;
        let gives = async {
            let pb::GiveResponseRequest { unit_id: _, proposal_id, answer, reviewed } = request.into_inner();
            self.0.give_response(&call, give(&proposal_id, answer, reviewed)?).await
        };
        answer(gives.await)
    }

    async fn amend_response(
        &self,
        request: Request<pb::AmendResponseRequest>,
    ) -> Answer<pb::AmendResponseResponse> {
        let call = Call::of(&request)?;
        let amend = async {
            let pb::AmendResponseRequest { unit_id: _, proposal_id, answer, reviewed } = request.into_inner();
            self.0.amend_response(&call, give(&proposal_id, answer, reviewed)?).await
        };
        answer(amend.await)
    }

    async fn get_response(
        &self,
        request: Request<pb::GetResponseRequest>,
    ) -> Answer<pb::GetResponseResponse> {
        let get = async { self.0.get_response(read("proposal_id", &request.get_ref().proposal_id)?).await };
        answer(get.await)
    }

    async fn get_promise(&self, request: Request<pb::GetPromiseRequest>) -> Answer<pb::GetPromiseResponse> {
        let get = async { self.0.get_promise(read("proposal_id", &request.get_ref().proposal_id)?).await };
        answer(get.await)
    }

    async fn get_timeline(
        &self,
        request: Request<pb::GetTimelineRequest>,
    ) -> Answer<pb::GetTimelineResponse> {
        let get = async {
            let pb::GetTimelineRequest { proposal_id, page_size, page_token } = request.get_ref();
            self.0.get_timeline(read("proposal_id", proposal_id)?, size(*page_size)?, page_token).await
        };
        answer(get.await)
    }

    async fn list_late_responses(
        &self,
        request: Request<pb::ListLateResponsesRequest>,
    ) -> Answer<pb::ListLateResponsesResponse> {
        let call = Call::of(&request)?;
        let list = async {
            let pb::ListLateResponsesRequest { tenant: _, page_size, page_token } = request.get_ref();
            self.0.list_late_responses(&call, size(*page_size)?, page_token).await
        };
        answer(list.await)
    }

    async fn list_my_unit_answers(
        &self,
        request: Request<pb::ListMyUnitAnswersRequest>,
    ) -> Answer<pb::ListMyUnitAnswersResponse> {
        let call = Call::of(&request)?;
        let list = async {
            let pb::ListMyUnitAnswersRequest { unit_id: _, page_size, page_token } = request.get_ref();
            self.0.list_my_unit_answers(&call, size(*page_size)?, page_token).await
        };
        answer(list.await)
    }

    async fn get_response_figures(
        &self,
        request: Request<pb::GetResponseFiguresRequest>,
    ) -> Answer<pb::GetResponseFiguresResponse> {
        let get = async {
            let pb::GetResponseFiguresRequest { tenant, from, to } = request.get_ref();
            self.0.get_response_figures(read("tenant", tenant)?, day("from", from)?, day("to", to)?).await
        };
        answer(get.await)
    }
}
