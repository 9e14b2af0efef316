//! FeedbackService.

use chassis::Call;
use proto::proposals as pb;
use proto::proposals::feedback_service_server::FeedbackService;
use tonic::Request;

use super::{Answer, answer};
use crate::app::App;
use crate::convert::feedback::written;
use crate::convert::requests::read;

/// FeedbackService over the app.
#[derive(Clone, Debug)]
pub struct Feedback(pub App);

#[tonic::async_trait]
impl FeedbackService for Feedback {
    async fn draft_feedback(
        &self,
        request: Request<pb::DraftFeedbackRequest>,
    ) -> Answer<pb::DraftFeedbackResponse> {
        let call = Call::of(&request)?;
        let draft = async {
            let pb::DraftFeedbackRequest { proposal_id, lines, next_role, next_on, .. } =
                request.into_inner();
            let card = written(lines, next_role, &next_on)?;
            self.0.draft_feedback(&call, read("proposal_id", &proposal_id)?, card).await
        };
        answer(draft.await)
    }

    async fn approve_plain_feedback(
        &self,
        request: Request<pb::ApprovePlainFeedbackRequest>,
    ) -> Answer<pb::ApprovePlainFeedbackResponse> {
        let call = Call::of(&request)?;
        let approve = async {
            self.0.approve_plain_feedback(&call, read("proposal_id", &request.get_ref().proposal_id)?).await
        };
        answer(approve.await)
    }

    async fn publish_feedback(
        &self,
        request: Request<pb::PublishFeedbackRequest>,
    ) -> Answer<pb::PublishFeedbackResponse> {
        let call = Call::of(&request)?;
        let publish = async {
            self.0.publish_feedback(&call, read("proposal_id", &request.get_ref().proposal_id)?).await
        };
        answer(publish.await)
    }

    async fn close_proposal(
        &self,
        request: Request<pb::CloseProposalRequest>,
    ) -> Answer<pb::CloseProposalResponse> {
        let call = Call::of(&request)?;
        let close = async {
            self.0.close_proposal(&call, read("proposal_id", &request.get_ref().proposal_id)?).await
        };
        answer(close.await)
    }

    async fn get_feedback(
        &self,
        request: Request<pb::GetFeedbackRequest>,
    ) -> Answer<pb::GetFeedbackResponse> {
        let get = async {
            let pb::GetFeedbackRequest { proposal_id, return_code } = request.get_ref();
            if return_code.is_empty() {
                self.0.get_feedback(read("proposal_id", proposal_id)?).await
            } else {
                self.0.get_feedback_by_return_code(return_code).await
            }
        };
        answer(get.await)
    }

    async fn get_my_feedback(
        &self,
        request: Request<pb::GetMyFeedbackRequest>,
    ) -> Answer<pb::GetMyFeedbackResponse> {
        let call = Call::of(&request)?;
        let get = async {
            self.0.get_my_feedback(&call, read("proposal_id", &request.get_ref().proposal_id)?).await
        };
        answer(get.await)
    }
}
