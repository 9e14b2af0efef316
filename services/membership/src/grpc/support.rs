//! Support persons and dictation.

use kernel::PageSize;
use proto::membership as pb;
use proto::membership::support_service_server::SupportService;
use tonic::{Request, Response, Status};

use super::{Api, answer, open};
use crate::convert::{date_in, field, parsed};
use crate::domain::support::Command;

#[async_trait::async_trait]
impl SupportService for Api {
    async fn offer_support(
        &self,
        request: Request<pb::OfferSupportRequest>,
    ) -> Result<Response<pb::OfferSupportResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let member = parsed("member_id", &message.member_id)?;
            let supporter = parsed("supporter_id", &message.supporter_id)?;
            self.0.offer_support(call.command(), call.scope, member, supporter).await
        };
        answer(run.await)
    }

    async fn ask_for_support(
        &self,
        request: Request<pb::AskForSupportRequest>,
    ) -> Result<Response<pb::AskForSupportResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let supporter = parsed("supporter_id", &message.supporter_id)?;
            self.0.ask_for_support(call.command(), &call.caller, supporter).await
        };
        answer(run.await)
    }

    async fn accept_support(
        &self,
        request: Request<pb::AcceptSupportRequest>,
    ) -> Result<Response<pb::AcceptSupportResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let id = parsed("support_id", &message.support_id)?;
            let out = |state: pb::SupportState| pb::AcceptSupportResponse { state: state.into() };
            self.0.change_support(call.command(), &call.caller, id, Command::Accept, out).await
        };
        answer(run.await)
    }

    async fn decline_support(
        &self,
        request: Request<pb::DeclineSupportRequest>,
    ) -> Result<Response<pb::DeclineSupportResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let id = parsed("support_id", &message.support_id)?;
            let out = |state: pb::SupportState| pb::DeclineSupportResponse { state: state.into() };
            self.0.change_support(call.command(), &call.caller, id, Command::Decline, out).await
        };
        answer(run.await)
    }

    async fn declare_independence(
        &self,
        request: Request<pb::DeclareIndependenceRequest>,
    ) -> Result<Response<pb::DeclareIndependenceResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let id = parsed("support_id", &message.support_id)?;
            let declare = Command::Declare { trained_on: date_in("trained_on", &message.trained_on)? };
            let out = |state: pb::SupportState| pb::DeclareIndependenceResponse { state: state.into() };
            self.0.change_support(call.command(), &call.caller, id, declare, out).await
        };
        answer(run.await)
    }

    async fn end_support(
        &self,
        request: Request<pb::EndSupportRequest>,
    ) -> Result<Response<pb::EndSupportResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let id = parsed("support_id", &message.support_id)?;
            let out = |state: pb::SupportState| pb::EndSupportResponse { state: state.into() };
            self.0.change_support(call.command(), &call.caller, id, Command::End, out).await
        };
        answer(run.await)
    }

    async fn list_my_support(
        &self,
        request: Request<pb::ListMySupportRequest>,
    ) -> Result<Response<pb::ListMySupportResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let size = field("page_size", PageSize::new(message.page_size))?;
            self.0.my_support(&call.caller, size, &message.page_token).await
        };
        answer(run.await)
    }

    async fn get_support_coverage(
        &self,
        request: Request<pb::GetSupportCoverageRequest>,
    ) -> Result<Response<pb::GetSupportCoverageResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let forum = parsed("forum_id", &message.forum_id)?;
            self.0.support_coverage(call.scope.tenant()?, forum).await
        };
        answer(run.await)
    }

    async fn issue_dictation_voucher(
        &self,
        request: Request<pb::IssueDictationVoucherRequest>,
    ) -> Result<Response<pb::IssueDictationVoucherResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let participant = parsed("participant_id", &message.participant_id)?;
            self.0.dictation_voucher(call.command(), &call.caller, call.scope.unit()?, participant).await
        };
        answer(run.await)
    }
}
