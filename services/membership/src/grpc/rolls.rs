//! Rolls, vouchers, nomination codes.

use kernel::{Invalid, PageSize};
use proto::membership as pb;
use proto::membership::rolls_service_server::RollsService;
use tonic::{Request, Response, Status};

use super::{Api, answer, open, references};
use crate::convert::{self, field, parsed};

#[async_trait::async_trait]
impl RollsService for Api {
    async fn list_electoral_roll(
        &self,
        request: Request<pb::ListElectoralRollRequest>,
    ) -> Result<Response<pb::ListElectoralRollResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let election = parsed("election_id", &message.election_id)?;
            let municipality = parsed("municipality", &message.municipality)?;
            let size = field("page_size", PageSize::new(message.page_size))?;
            self.0.list_roll(call.scope.forum()?, election, municipality, size, &message.page_token).await
        };
        answer(run.await)
    }

    async fn get_roll_summary(
        &self,
        request: Request<pb::GetRollSummaryRequest>,
    ) -> Result<Response<pb::GetRollSummaryResponse>, Status> {
        let run = async {
            let election = parsed("election_id", &request.get_ref().election_id)?;
            self.0.roll_summary(election).await
        };
        answer(run.await)
    }

    async fn create_nomination_code(
        &self,
        request: Request<pb::CreateNominationCodeRequest>,
    ) -> Result<Response<pb::CreateNominationCodeResponse>, Status> {
        let (call, _) = open(request)?;
        let run = async { self.0.create_nomination_code(call.command(), &call.caller).await };
        answer(run.await)
    }

    async fn exchange_nomination_code(
        &self,
        request: Request<pb::ExchangeNominationCodeRequest>,
    ) -> Result<Response<pb::ExchangeNominationCodeResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let election = parsed("election_id", &message.election_id)?;
            self.0.exchange_nomination_code(call.command(), &call.caller, &message.code, election).await
        };
        answer(run.await)
    }

    async fn issue_paper_ballot_voucher(
        &self,
        request: Request<pb::IssuePaperBallotVoucherRequest>,
    ) -> Result<Response<pb::IssuePaperBallotVoucherResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let election = parsed("election_id", &message.election_id)?;
            let participant = parsed("participant_id", &message.participant_id)?;
            self.0.paper_voucher(call.command(), call.scope.forum()?, election, participant).await
        };
        answer(run.await)
    }

    async fn record_voting_assistance(
        &self,
        request: Request<pb::RecordVotingAssistanceRequest>,
    ) -> Result<Response<pb::RecordVotingAssistanceResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let election = parsed("election_id", &message.election_id)?;
            let helper = convert::helper_kind_in(message.helper_kind())?;
            self.0.record_assistance(call.command(), &call.caller, election, helper).await
        };
        answer(run.await)
    }

    async fn resolve_references(
        &self,
        request: Request<pb::ResolveReferencesRequest>,
    ) -> Result<Response<pb::ResolveReferencesResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            if message.references.is_empty() {
                let invalid = Invalid::new("at least one reference is resolved", "send 1 to 200 references");
                return Err(invalid.in_field("references"));
            }
            self.0.resolve_references(call.scope.forum()?, &references(&message.references)?).await
        };
        answer(run.await)
    }
}
