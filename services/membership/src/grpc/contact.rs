//! Contact settings, letters, and what did not get through.

use kernel::{Invalid, NoticeId, PageSize};
use proto::membership as pb;
use proto::membership::contact_service_server::ContactService;
use tonic::{Request, Response, Status};

use super::{Api, answer, open};
use crate::convert::contact::contact_in;
use crate::convert::{field, parsed};

#[async_trait::async_trait]
impl ContactService for Api {
    async fn set_my_contact(
        &self,
        request: Request<pb::SetMyContactRequest>,
    ) -> Result<Response<pb::SetMyContactResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let tenant = parsed("tenant", &message.tenant)?;
            let contact = contact_in(message.contact)?;
            self.0.set_my_contact(call.command(), &call.caller, tenant, contact).await
        };
        answer(run.await)
    }

    async fn get_my_contact(
        &self,
        request: Request<pb::GetMyContactRequest>,
    ) -> Result<Response<pb::GetMyContactResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let tenant = parsed("tenant", &message.tenant)?;
            self.0.my_contact(&call.caller, tenant).await
        };
        answer(run.await)
    }

    async fn set_contact_for(
        &self,
        request: Request<pb::SetContactForRequest>,
    ) -> Result<Response<pb::SetContactForResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let participant = parsed("participant_id", &message.participant_id)?;
            let contact = contact_in(message.contact)?;
            self.0.set_contact_for(call.command(), call.scope, participant, contact).await
        };
        answer(run.await)
    }

    async fn list_letters(
        &self,
        request: Request<pb::ListLettersRequest>,
    ) -> Result<Response<pb::ListLettersResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let size = field("page_size", PageSize::new(message.page_size))?;
            self.0.letters(call.scope.tenant()?, size, &message.page_token).await
        };
        answer(run.await)
    }

    async fn mark_letters_printed(
        &self,
        request: Request<pb::MarkLettersPrintedRequest>,
    ) -> Result<Response<pb::MarkLettersPrintedResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            if message.letter_ids.len() > 200 {
                let invalid =
                    Invalid::new("at most 200 letters at a time", "send the rest with another call");
                return Err(invalid.in_field("letter_ids"));
            }
            let id = |id: &String| parsed::<NoticeId>("letter_ids", id);
            let letters = message.letter_ids.iter().map(id).collect::<Result<Vec<_>, _>>()?;
            self.0.letters_printed(call.command(), call.scope.tenant()?, letters).await
        };
        answer(run.await)
    }

    async fn get_delivery_counts(
        &self,
        request: Request<pb::GetDeliveryCountsRequest>,
    ) -> Result<Response<pb::GetDeliveryCountsResponse>, Status> {
        let (call, _) = open(request)?;
        let run = async { self.0.delivery_counts(call.scope.tenant()?).await };
        answer(run.await)
    }
}
