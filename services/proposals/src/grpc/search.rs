//! SearchService.

use proto::proposals as pb;
use proto::proposals::search_service_server::SearchService;
use tonic::Request;

use super::{Answer, answer};
use crate::app::App;
use crate::convert::requests::{read, size};

/// SearchService over the app.
#[derive(Clone, Debug)]
pub struct Search(pub App);

#[tonic::async_trait]
impl SearchService for Search {
    async fn search_proposals(
        &self,
        request: Request<pb::SearchProposalsRequest>,
    ) -> Answer<pb::SearchProposalsResponse> {
        let search = async {
            let pb::SearchProposalsRequest { tenant, query, page_size, page_token } = request.into_inner();
            self.0.search_proposals(read("tenant", &tenant)?, &query, size(page_size)?, &page_token).await
        };
        answer(search.await)
    }

    async fn find_similar_proposals(
        &self,
        request: Request<pb::FindSimilarProposalsRequest>,
    ) -> Answer<pb::FindSimilarProposalsResponse> {
        let find = async {
            let pb::FindSimilarProposalsRequest { tenant, title, summary, body } = request.into_inner();
            let text = [title, summary, body].join("\n");
            self.0.find_similar_proposals(read("tenant", &tenant)?, &text).await
        };
        answer(find.await)
    }
}
