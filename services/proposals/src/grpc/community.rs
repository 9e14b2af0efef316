//! CommunityService.

use chassis::Call;
use proto::proposals as pb;
use proto::proposals::community_service_server::CommunityService;
use tonic::Request;

use super::{Answer, answer};
use crate::app::App;
use crate::convert::community::verdict;
use crate::convert::requests::{read, read_maybe, size};
use crate::domain::comment::Draft;

/// CommunityService over the app.
#[derive(Clone, Debug)]
pub struct Community(pub App);

#[tonic::async_trait]
impl CommunityService for Community {
    async fn give_support(
        &self,
        request: Request<pb::GiveSupportRequest>,
    ) -> Answer<pb::GiveSupportResponse> {
        let call = Call::of(&request)?;
        let give = async {
            let pb::GiveSupportRequest { proposal_id, conflict_accepted } = request.into_inner();
            self.0.give_support(&call, read("proposal_id", &proposal_id)?, conflict_accepted).await
        };
        answer(give.await)
    }

    async fn withdraw_support(
        &self,
        request: Request<pb::WithdrawSupportRequest>,
    ) -> Answer<pb::WithdrawSupportResponse> {
        let call = Call::of(&request)?;
        let withdraw = async {
            self.0.withdraw_support(&call, read("proposal_id", &request.get_ref().proposal_id)?).await
        };
        answer(withdraw.await)
    }

    async fn follow_proposal(
        &self,
        request: Request<pb::FollowProposalRequest>,
    ) -> Answer<pb::FollowProposalResponse> {
        let call = Call::of(&request)?;
        let follow = async {
            self.0.follow_proposal(&call, read("proposal_id", &request.get_ref().proposal_id)?).await
        };
        answer(follow.await)
    }

    async fn unfollow_proposal(
        &self,
        request: Request<pb::UnfollowProposalRequest>,
    ) -> Answer<pb::UnfollowProposalResponse> {
        let call = Call::of(&request)?;
        let unfollow = async {
            self.0.unfollow_proposal(&call, read("proposal_id", &request.get_ref().proposal_id)?).await
        };
        answer(unfollow.await)
    }

    async fn get_my_part(&self, request: Request<pb::GetMyPartRequest>) -> Answer<pb::GetMyPartResponse> {
        let call = Call::of(&request)?;
        let get =
            async { self.0.get_my_part(&call, read("proposal_id", &request.get_ref().proposal_id)?).await };
        answer(get.await)
    }

    async fn get_counts(&self, request: Request<pb::GetCountsRequest>) -> Answer<pb::GetCountsResponse> {
        answer(async { self.0.get_counts(read("proposal_id", &request.get_ref().proposal_id)?).await }.await)
    }

    async fn write_comment(
        &self,
        request: Request<pb::WriteCommentRequest>,
    ) -> Answer<pb::WriteCommentResponse> {
        let call = Call::of(&request)?;
        let write = async {
            let pb::WriteCommentRequest { proposal_id, parent_comment_id, body, conflict_accepted } =
                request.into_inner();
            let proposal = read("proposal_id", &proposal_id)?;
            let parent = read_maybe("parent_comment_id", &parent_comment_id)?;
            self.0.write_comment(&call, proposal, parent, Draft::new(&body)?, conflict_accepted).await
        };
        answer(write.await)
    }

    async fn delete_comment(
        &self,
        request: Request<pb::DeleteCommentRequest>,
    ) -> Answer<pb::DeleteCommentResponse> {
        let call = Call::of(&request)?;
        let delete =
            async { self.0.delete_comment(&call, read("comment_id", &request.get_ref().comment_id)?).await };
        answer(delete.await)
    }

    async fn list_comments(
        &self,
        request: Request<pb::ListCommentsRequest>,
    ) -> Answer<pb::ListCommentsResponse> {
        let list = async {
            let pb::ListCommentsRequest { proposal_id, page_size, page_token } = request.into_inner();
            self.0.list_comments(read("proposal_id", &proposal_id)?, size(page_size)?, &page_token).await
        };
        answer(list.await)
    }

    async fn list_my_comments(
        &self,
        request: Request<pb::ListMyCommentsRequest>,
    ) -> Answer<pb::ListMyCommentsResponse> {
        let call = Call::of(&request)?;
        let list = async {
            let pb::ListMyCommentsRequest { page_size, page_token } = request.into_inner();
            self.0.list_my_comments(&call, size(page_size)?, &page_token).await
        };
        answer(list.await)
    }

    async fn list_waiting_comments(
        &self,
        request: Request<pb::ListWaitingCommentsRequest>,
    ) -> Answer<pb::ListWaitingCommentsResponse> {
        let call = Call::of(&request)?;
        let list = async {
            let pb::ListWaitingCommentsRequest { tenant: _, purpose: _, page_size, page_token } =
                request.into_inner();
            self.0.list_waiting_comments(&call, size(page_size)?, &page_token).await
        };
        answer(list.await)
    }

    async fn moderate_comment(
        &self,
        request: Request<pb::ModerateCommentRequest>,
    ) -> Answer<pb::ModerateCommentResponse> {
        let call = Call::of(&request)?;
        let moderate = async {
            let request = request.into_inner();
            let verdict = verdict(request.verdict(), &request.reason)?;
            self.0.moderate_comment(&call, read("comment_id", &request.comment_id)?, verdict).await
        };
        answer(moderate.await)
    }
}
