//! AttachmentsService.

use std::pin::Pin;

use chassis::{Call, status};
use futures::{Stream, StreamExt as _};
use kernel::Fault;
use proto::proposals as pb;
use proto::proposals::attachments_service_server::AttachmentsService;
use tonic::{Request, Response, Status};

use super::{Answer, answer};
use crate::app::App;
use crate::convert::community::verdict;
use crate::convert::requests::{read, size};
use crate::domain::attachment::description;

/// AttachmentsService over the app.
#[derive(Clone, Debug)]
pub struct Attachments(pub App);

/// Answers that come piece by piece.
type Pieces<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl AttachmentsService for Attachments {
    type ReadAttachmentStream = Pieces<pb::ReadAttachmentResponse>;
    type ReadWaitingAttachmentStream = Pieces<pb::ReadWaitingAttachmentResponse>;

    async fn begin_attachment(
        &self,
        request: Request<pb::BeginAttachmentRequest>,
    ) -> Answer<pb::BeginAttachmentResponse> {
        let call = Call::of(&request)?;
        let begin = async {
            let pb::BeginAttachmentRequest { proposal_id, description: text, language } =
                request.into_inner();
            let (proposal, language) = (read("proposal_id", &proposal_id)?, read("language", &language)?);
            self.0.begin_attachment(&call, proposal, description(&text)?, language).await
        };
        answer(begin.await)
    }

    async fn append_chunk(
        &self,
        request: Request<pb::AppendChunkRequest>,
    ) -> Answer<pb::AppendChunkResponse> {
        let call = Call::of(&request)?;
        let append = async {
            let pb::AppendChunkRequest { attachment_id, position, data } = request.into_inner();
            self.0.append_chunk(&call, read("attachment_id", &attachment_id)?, position, data).await
        };
        answer(append.await)
    }

    async fn finish_attachment(
        &self,
        request: Request<pb::FinishAttachmentRequest>,
    ) -> Answer<pb::FinishAttachmentResponse> {
        let call = Call::of(&request)?;
        let finish = async {
            let pb::FinishAttachmentRequest { attachment_id, sha256 } = request.into_inner();
            self.0.finish_attachment(&call, read("attachment_id", &attachment_id)?, sha256).await
        };
        answer(finish.await)
    }

    async fn delete_attachment(
        &self,
        request: Request<pb::DeleteAttachmentRequest>,
    ) -> Answer<pb::DeleteAttachmentResponse> {
        let call = Call::of(&request)?;
        let delete = async {
            self.0.delete_attachment(&call, read("attachment_id", &request.get_ref().attachment_id)?).await
        };
        answer(delete.await)
    }

    async fn list_attachments(
        &self,
        request: Request<pb::ListAttachmentsRequest>,
    ) -> Answer<pb::ListAttachmentsResponse> {
        let list =
            async { self.0.list_attachments(read("proposal_id", &request.get_ref().proposal_id)?).await };
        answer(list.await)
    }

    async fn list_my_attachments(
        &self,
        request: Request<pb::ListMyAttachmentsRequest>,
    ) -> Answer<pb::ListMyAttachmentsResponse> {
        let call = Call::of(&request)?;
        let list = async {
            self.0.list_my_attachments(&call, read("proposal_id", &request.get_ref().proposal_id)?).await
        };
        answer(list.await)
    }

    async fn read_attachment(
        &self,
        request: Request<pb::ReadAttachmentRequest>,
    ) -> Answer<Self::ReadAttachmentStream> {
        let reading =
            async { self.0.read_attachment(read("attachment_id", &request.get_ref().attachment_id)?).await };
        let reading = reading.await.map_err(status)?;
        let message = |media_type, data| pb::ReadAttachmentResponse { media_type, data };
        Ok(Response::new(pieces(reading.kind.as_str(), reading.pieces, message)))
    }

    async fn list_waiting_attachments(
        &self,
        request: Request<pb::ListWaitingAttachmentsRequest>,
    ) -> Answer<pb::ListWaitingAttachmentsResponse> {
        let call = Call::of(&request)?;
        let list = async {
            let pb::ListWaitingAttachmentsRequest { tenant: _, purpose: _, page_size, page_token } =
                request.into_inner();
            self.0.list_waiting_attachments(&call, size(page_size)?, &page_token).await
        };
        answer(list.await)
    }

    async fn read_waiting_attachment(
        &self,
        request: Request<pb::ReadWaitingAttachmentRequest>,
    ) -> Answer<Self::ReadWaitingAttachmentStream> {
        let call = Call::of(&request)?;
        let reading = async {
            self.0
                .read_waiting_attachment(&call, read("attachment_id", &request.get_ref().attachment_id)?)
                .await
        };
        let reading = reading.await.map_err(status)?;
        let message = |media_type, data| pb::ReadWaitingAttachmentResponse { media_type, data };
        Ok(Response::new(pieces(reading.kind.as_str(), reading.pieces, message)))
    }

    async fn moderate_attachment(
        &self,
        request: Request<pb::ModerateAttachmentRequest>,
    ) -> Answer<pb::ModerateAttachmentResponse> {
        let call = Call::of(&request)?;
        let moderate = async {
            let request = request.into_inner();
            let verdict = verdict(request.verdict(), &request.reason)?;
            self.0.moderate_attachment(&call, read("attachment_id", &request.attachment_id)?, verdict).await
        };
        answer(moderate.await)
    }
}

/// Pieces as messages; the first one says what the bytes are.
fn pieces<T: 'static>(
    media_type: &'static str,
    pieces: impl Stream<Item = Result<Vec<u8>, Fault>> + Send + 'static,
    message: impl Fn(String, Vec<u8>) -> T + Send + 'static,
) -> Pieces<T> {
    let messages = pieces.enumerate().map(move |(place, piece)| {
        let media_type = if place == 0 { media_type } else { "" };
        piece.map(|data| message(media_type.to_owned(), data)).map_err(status)
    });
    Box::pin(messages)
}
