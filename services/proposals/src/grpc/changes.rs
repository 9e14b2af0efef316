//! ChangesService.

use chassis::Call;
use proto::proposals as pb;
use proto::proposals::changes_service_server::ChangesService;
use tonic::Request;

use super::answers::give;
use super::{Answer, answer};
use crate::app::App;
use crate::convert::answers::maybe_day;
use crate::convert::changes::{baselines, measurements};
use crate::convert::requests::read;

/// ChangesService over the app.
#[derive(Clone, Debug)]
pub struct Changes(pub App);

#[tonic::async_trait]
impl ChangesService for Changes {
    async fn plan_change(&self, request: Request<pb::PlanChangeRequest>) -> Answer<pb::PlanChangeResponse> {
        let call = Call::of(&request)?;
        let plan = async {
            let pb::PlanChangeRequest { proposal_id, steps, due_on, .. } = request.into_inner();
            let due_on = maybe_day("due_on", &due_on)?;
            self.0.plan_change(&call, read("proposal_id", &proposal_id)?, steps, due_on).await
        };
        answer(plan.await)
    }

    async fn start_change(
        &self,
        request: Request<pb::StartChangeRequest>,
    ) -> Answer<pb::StartChangeResponse> {
        let call = Call::of(&request)?;
        let start =
            async { self.0.start_change(&call, read("proposal_id", &request.get_ref().proposal_id)?).await };
        answer(start.await)
    }

    async fn report_progress(
        &self,
        request: Request<pb::ReportProgressRequest>,
    ) -> Answer<pb::ReportProgressResponse> {
        let call = Call::of(&request)?;
        let report = async {
            let pb::ReportProgressRequest { proposal_id, percent, done, .. } = request.into_inner();
            self.0.report_progress(&call, read("proposal_id", &proposal_id)?, percent, done).await
        };
        answer(report.await)
    }

    async fn delay_change(
        &self,
        request: Request<pb::DelayChangeRequest>,
    ) -> Answer<pb::DelayChangeResponse> {
        let call = Call::of(&request)?;
        let delay = async {
            let pb::DelayChangeRequest { proposal_id, due_on, reason_plain, .. } = request.into_inner();
            let due_on = maybe_day("due_on", &due_on)?;
            self.0.delay_change(&call, read("proposal_id", &proposal_id)?, due_on, reason_plain).await
        };
        answer(delay.await)
    }

    async fn complete_change(
        &self,
        request: Request<pb::CompleteChangeRequest>,
    ) -> Answer<pb::CompleteChangeResponse> {
        let call = Call::of(&request)?;
        let complete = async {
            self.0.complete_change(&call, read("proposal_id", &request.get_ref().proposal_id)?).await
        };
        answer(complete.await)
    }

    async fn cancel_change(
        &self,
        request: Request<pb::CancelChangeRequest>,
    ) -> Answer<pb::CancelChangeResponse> {
        let call = Call::of(&request)?;
        let cancel = async {
            let pb::CancelChangeRequest { unit_id: _, proposal_id, answer, reviewed } = request.into_inner();
            self.0.cancel_change(&call, give(&proposal_id, answer, reviewed)?).await
        };
        answer(cancel.await)
    }

    async fn set_baseline(
        &self,
        request: Request<pb::SetBaselineRequest>,
    ) -> Answer<pb::SetBaselineResponse> {
        let call = Call::of(&request)?;
        let set = async {
            let pb::SetBaselineRequest { proposal_id, indicators, .. } = request.into_inner();
            self.0.set_baseline(&call, read("proposal_id", &proposal_id)?, baselines(indicators)?).await
        };
        answer(set.await)
    }

    async fn record_measurement(
        &self,
        request: Request<pb::RecordMeasurementRequest>,
    ) -> Answer<pb::RecordMeasurementResponse> {
        let call = Call::of(&request)?;
        let record = async {
            let pb::RecordMeasurementRequest { proposal_id, measurements: measured, .. } =
                request.into_inner();
            let measured = measurements(measured)?;
            self.0.record_measurement(&call, read("proposal_id", &proposal_id)?, measured).await
        };
        answer(record.await)
    }

    async fn publish_impact(
        &self,
        request: Request<pb::PublishImpactRequest>,
    ) -> Answer<pb::PublishImpactResponse> {
        let call = Call::of(&request)?;
        let publish = async {
            self.0.publish_impact(&call, read("proposal_id", &request.get_ref().proposal_id)?).await
        };
        answer(publish.await)
    }

    async fn get_change(&self, request: Request<pb::GetChangeRequest>) -> Answer<pb::GetChangeResponse> {
        let get = async { self.0.get_change(read("proposal_id", &request.get_ref().proposal_id)?).await };
        answer(get.await)
    }
}
