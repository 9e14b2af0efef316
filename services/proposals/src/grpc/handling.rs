//! HandlingService.

use chassis::Call;
use proto::proposals as pb;
use proto::proposals::handling_service_server::HandlingService;
use tonic::Request;

use super::{Answer, answer};
use crate::app::App;
use crate::convert::requests::{read, read_all};
use crate::domain::proposal::content::Addressed;

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
        let screen = async {
            let pb::ScreenProposalRequest { tenant: _, proposal_id, unit_ids } = request.into_inner();
            let units = read_all("unit_ids", &unit_ids)?;
            let addressed = if units.is_empty() { None } else { Some(Addressed::new(&units, None)?) };
            self.0.screen_proposal(&call, read("proposal_id", &proposal_id)?, addressed).await
        };
        answer(screen.await)
    }
}
