//! ForumsService.

use chassis::Call;
use kernel::{Fault, PageSize};
use proto::forums as pb;
use proto::forums::forums_service_server::ForumsService;
use tonic::Request;

use super::{Answer, answer};
use crate::app::App;
use crate::convert::requests::{charter, quotas, read, vacancy_reason};

/// ForumsService over the app.
#[derive(Clone, Debug)]
pub struct Forums(pub App);

#[tonic::async_trait]
impl ForumsService for Forums {
    async fn found_forum(&self, request: Request<pb::FoundForumRequest>) -> Answer<pb::FoundForumResponse> {
        let call = Call::of(&request)?;
        let found = async { self.0.found_forum(&call, charter(request.into_inner())?).await };
        answer(found.await)
    }

    async fn confirm_joint_forum(
        &self,
        request: Request<pb::ConfirmJointForumRequest>,
    ) -> Answer<pb::ConfirmJointForumResponse> {
        let call = Call::of(&request)?;
        let confirm =
            async { self.0.confirm_joint_forum(&call, read("forum_id", &request.get_ref().forum_id)?).await };
        answer(confirm.await)
    }

    async fn approve_seat_plan(
        &self,
        request: Request<pb::ApproveSeatPlanRequest>,
    ) -> Answer<pb::ApproveSeatPlanResponse> {
        let call = Call::of(&request)?;
        let approve = async {
            let pb::ApproveSeatPlanRequest { tenant: _, forum_id, seats, total } = request.into_inner();
            self.0.approve_seat_plan(&call, read("forum_id", &forum_id)?, quotas(&seats)?, total).await
        };
        answer(approve.await)
    }

    async fn get_forum(&self, request: Request<pb::GetForumRequest>) -> Answer<pb::GetForumResponse> {
        answer(async { self.0.get_forum(read("forum_id", &request.get_ref().forum_id)?).await }.await)
    }

    async fn list_forums(&self, request: Request<pb::ListForumsRequest>) -> Answer<pb::ListForumsResponse> {
        let list = async {
            let pb::ListForumsRequest { tenant, page_size, page_token } = request.into_inner();
            self.0.list_forums(read("tenant", &tenant)?, size(page_size)?, &page_token).await
        };
        answer(list.await)
    }

    async fn list_seats(&self, request: Request<pb::ListSeatsRequest>) -> Answer<pb::ListSeatsResponse> {
        answer(async { self.0.list_seats(read("forum_id", &request.get_ref().forum_id)?).await }.await)
    }

    async fn list_seat_holders(
        &self,
        request: Request<pb::ListSeatHoldersRequest>,
    ) -> Answer<pb::ListSeatHoldersResponse> {
        let call = Call::of(&request)?;
        let list = async { self.0.list_seat_holders(&call).await };
        answer(list.await)
    }

    async fn get_my_seat(&self, request: Request<pb::GetMySeatRequest>) -> Answer<pb::GetMySeatResponse> {
        let call = Call::of(&request)?;
        answer(
            async { self.0.get_my_seat(&call, read("forum_id", &request.get_ref().forum_id)?).await }.await,
        )
    }

    async fn declare_vacancy(
        &self,
        request: Request<pb::DeclareVacancyRequest>,
    ) -> Answer<pb::DeclareVacancyResponse> {
        let call = Call::of(&request)?;
        let declare = async {
            let request = request.into_inner();
            let reason = vacancy_reason(request.reason())?;
            let municipality = read("municipality", &request.municipality)?;
            self.0.declare_vacancy(&call, municipality, request.seat_no, reason).await
        };
        answer(declare.await)
    }
}

/// Items of a page.
pub(super) fn size(asked: u32) -> Result<PageSize, Fault> {
    PageSize::new(asked).map_err(|invalid| invalid.in_field("page_size"))
}
