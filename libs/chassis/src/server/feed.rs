//! The event feed: a service's log, for those who repair a gap or rebuild a projection (REL-40, REL-44).

use messaging::{Envelope, log};
use proto::messaging::event_feed_service_server::EventFeedService;
use proto::messaging::{GetHeadRequest, GetHeadResponse, ReadEventsRequest, ReadEventsResponse};
use tonic::{Request, Response, Status};

use super::{Units, unit};
use crate::status::status;

/// A page ends after so many bytes of payload, but never before its first event.
const PAGE_BYTES: usize = 1024 * 1024;

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
        let mut events = events.map_err(|error| status(messaging::database_fault(error)))?;
        events.truncate(within(&events, PAGE_BYTES));
        Ok(Response::new(ReadEventsResponse { events }))
    }
}

/// How many of the events make a page of this size.
fn within(events: &[Envelope], bytes: usize) -> usize {
    let mut sum = 0;
    let fits = events.iter().take_while(|event| {
        let fits = sum < bytes;
        sum += event.payload.len();
        fits
    });
    fits.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_by_its_bytes_but_holds_an_event_at_least() {
        let event = |bytes| Envelope { payload: vec![0; bytes], ..Envelope::default() };
        assert_eq!(within(&[], 10), 0);
        assert_eq!(within(&[event(100), event(1)], 10), 1);
        assert_eq!(within(&[event(4), event(4), event(4), event(4)], 10), 3);
    }
}
