//! TextsService.

use chassis::Call;
use proto::proposals as pb;
use proto::proposals::texts_service_server::TextsService;
use tonic::Request;

use super::{Answer, answer};
use crate::app::{App, ReviewForm, WriteForm};
use crate::convert;
use crate::convert::requests::{choice, read, read_all, size};
use crate::convert::texts::{asked_field, method, whose};
use crate::domain::text::Symbol;

/// TextsService over the app.
#[derive(Clone, Debug)]
pub struct Texts(pub App);

#[tonic::async_trait]
impl TextsService for Texts {
    async fn list_forms(&self, request: Request<pb::ListFormsRequest>) -> Answer<pb::ListFormsResponse> {
        let request = request.into_inner();
        let list = async {
            let whose = whose(&request.proposal_id, request.owner(), &request.owner_id)?;
            self.0.list_forms(whose).await
        };
        answer(list.await)
    }

    async fn list_my_forms(
        &self,
        request: Request<pb::ListMyFormsRequest>,
    ) -> Answer<pb::ListMyFormsResponse> {
        let call = Call::of(&request)?;
        let list =
            async { self.0.list_my_forms(&call, read("proposal_id", &request.get_ref().proposal_id)?).await };
        answer(list.await)
    }

    async fn list_forms_in_work(
        &self,
        request: Request<pb::ListFormsInWorkRequest>,
    ) -> Answer<pb::ListFormsInWorkResponse> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let list = async {
            let whose = whose(&request.proposal_id, request.owner(), &request.owner_id)?;
            self.0.list_forms_in_work(&call, whose).await
        };
        answer(list.await)
    }

    async fn list_waiting_texts(
        &self,
        request: Request<pb::ListWaitingTextsRequest>,
    ) -> Answer<pb::ListWaitingTextsResponse> {
        let call = Call::of(&request)?;
        let list = async {
            let pb::ListWaitingTextsRequest { tenant: _, page_size, page_token } = request.into_inner();
            self.0.list_waiting_texts(&call, size(page_size)?, &page_token).await
        };
        answer(list.await)
    }

    async fn list_symbols(&self, _: Request<pb::ListSymbolsRequest>) -> Answer<pb::ListSymbolsResponse> {
        let symbols = Symbol::all().map(convert::texts::symbol).collect();
        answer(Ok(pb::ListSymbolsResponse { symbols }))
    }

    async fn write_my_form(
        &self,
        request: Request<pb::WriteMyFormRequest>,
    ) -> Answer<pb::WriteMyFormResponse> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let write = async {
            let (id, field) = (read("proposal_id", &request.proposal_id)?, asked_field(request.field())?);
            self.0.write_my_form(&call, id, field, read("form", &request.form)?, request.content).await
        };
        answer(write.await)
    }

    async fn set_my_symbols(
        &self,
        request: Request<pb::SetMySymbolsRequest>,
    ) -> Answer<pb::SetMySymbolsResponse> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let set = async {
            let symbols = read_all("symbols", &request.symbols)?;
            self.0.set_my_symbols(&call, read("proposal_id", &request.proposal_id)?, symbols).await
        };
        answer(set.await)
    }

    async fn write_form(&self, request: Request<pb::WriteFormRequest>) -> Answer<pb::WriteFormResponse> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let write = async {
            let write = WriteForm {
                whose: whose(&request.proposal_id, request.owner(), &request.owner_id)?,
                field: asked_field(request.field())?,
                form: read("form", &request.form)?,
                automatic: request.automatic,
                checked: method(request.reviewed()),
                content: request.content,
            };
            self.0.write_form(&call, write).await
        };
        answer(write.await)
    }

    async fn review_form(&self, request: Request<pb::ReviewFormRequest>) -> Answer<pb::ReviewFormResponse> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let review = async {
            let review = ReviewForm {
                whose: whose(&request.proposal_id, request.owner(), &request.owner_id)?,
                field: asked_field(request.field())?,
                form: read("form", &request.form)?,
                revision: request.revision,
                method: method(request.method()).ok_or_else(|| choice("method"))?,
            };
            self.0.review_form(&call, review).await
        };
        answer(review.await)
    }

    async fn set_symbols(&self, request: Request<pb::SetSymbolsRequest>) -> Answer<pb::SetSymbolsResponse> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let set = async {
            let whose = whose(&request.proposal_id, request.owner(), &request.owner_id)?;
            self.0.set_symbols(&call, whose, read_all("symbols", &request.symbols)?).await
        };
        answer(set.await)
    }

    async fn attach_audio(
        &self,
        request: Request<pb::AttachAudioRequest>,
    ) -> Answer<pb::AttachAudioResponse> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let attach = async {
            let whose = whose(&request.proposal_id, request.owner(), &request.owner_id)?;
            let attachment = read("attachment_id", &request.attachment_id)?;
            self.0.attach_audio(&call, whose, attachment, read("form", &request.form)?).await
        };
        answer(attach.await)
    }

    async fn remove_audio(
        &self,
        request: Request<pb::RemoveAudioRequest>,
    ) -> Answer<pb::RemoveAudioResponse> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let remove = async {
            let whose = whose(&request.proposal_id, request.owner(), &request.owner_id)?;
            self.0.remove_audio(&call, whose, read("attachment_id", &request.attachment_id)?).await
        };
        answer(remove.await)
    }
}
