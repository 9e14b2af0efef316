//! The event feed: a service's log, for those who repair a gap or rebuild a projection (REL-40, REL-44).

use messaging::log;
use proto::messaging::event_feed_service_server::EventFeedService;
use proto::messaging::{GetHeadRequest, GetHeadResponse, ReadEventsRequest, ReadEventsResponse};
use tonic::{Request, Response, Status};

use super::{Units, unit};
use crate::status::status;

/// The feeds of all services of the process.
pub(super) struct Feed {
    units: Units,
}

impl Feed {
    pub(super) fn new(units: Units) -> Self {
        Self { units }
    }
}

#[tonic::async_trait]
impl EventFeedService for Feed {
    async fn get_head(&self, request: Request<GetHeadRequest>) -> Result<Response<GetHeadResponse>, Status> {
        let request = request.into_inner();
        let unit = unit(&self.units, &request.service).map_err(status)?;
        let mut heads =
            log::heads(&unit.database).await.map_err(|error| status(messaging::database_fault(error)))?;
        heads.retain(|head| request.lane.is_empty() || head.lane == request.lane);
        Ok(Response::new(GetHeadResponse { heads }))
    }

    async fn read_events(
        &self,
        request: Request<ReadEventsRequest>,
    ) -> Result<Response<ReadEventsResponse>, Status> {
        let request = request.into_inner();
        let unit = unit(&self.units, &request.service).map_err(status)?;
        let limit = match request.limit {
            0 => log::PAGE,
            limit => u64::from(limit),
        };
        let events = log::events(&unit.database, &request.lane, request.from_seq.max(1), limit).await;
        let events = events.map_err(|error| status(messaging::database_fault(error)))?;
        Ok(Response::new(ReadEventsResponse { events }))
    }
}
