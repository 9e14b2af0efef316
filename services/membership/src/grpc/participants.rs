//! The register of participants.

use kernel::{Fault, Invalid, MunicipalityCode, PageSize, Role, ScopeRef, TenantId};
use proto::membership as pb;
use proto::membership::participants_service_server::ParticipantsService;
use tonic::{Request, Response, Status};

use super::{Api, answer, open};
use crate::app::{Eligibility, NewParticipant, NewRole};
use crate::convert::{self, date_in, field, optional_date_in, parsed};
use crate::domain::import::{MOST_ROWS, RawRow};
use crate::domain::{PersonId, text};

#[async_trait::async_trait]
impl ParticipantsService for Api {
    async fn register_participant(
        &self,
        request: Request<pb::RegisterParticipantRequest>,
    ) -> Result<Response<pb::RegisterParticipantResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let link = field("identity_link", text::identity_link(&message.identity_link))?;
            let new = NewParticipant {
                id: self.0.new_id(),
                person: self.0.new_id::<PersonId>(),
                tenant: call.scope.tenant()?,
                register_key: field("register_key", text::register_key(&message.register_key))?,
                profile: convert::profile_in(&message)?,
                link_hash: link.map(|link| self.0.link_hash(&link)),
            };
            self.0.register(call.command(), new).await
        };
        answer(run.await)
    }

    async fn get_participant(
        &self,
        request: Request<pb::GetParticipantRequest>,
    ) -> Result<Response<pb::GetParticipantResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let id = parsed("participant_id", &message.participant_id)?;
            self.0.participant(call.scope.tenant()?, id).await
        };
        answer(run.await)
    }

    async fn list_participants(
        &self,
        request: Request<pb::ListParticipantsRequest>,
    ) -> Result<Response<pb::ListParticipantsResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let municipality: Option<MunicipalityCode> = match message.municipality.as_str() {
                "" => None,
                code => Some(parsed("municipality", code)?),
            };
            let size = field("page_size", PageSize::new(message.page_size))?;
            self.0.participants(call.scope.tenant()?, municipality, size, &message.page_token).await
        };
        answer(run.await)
    }

    async fn get_myself(
        &self,
        request: Request<pb::GetMyselfRequest>,
    ) -> Result<Response<pb::GetMyselfResponse>, Status> {
        let (call, _) = open(request)?;
        let run = async { self.0.myself(&call.caller).await };
        answer(run.await)
    }

    async fn attest_eligibility(
        &self,
        request: Request<pb::AttestEligibilityRequest>,
    ) -> Result<Response<pb::AttestEligibilityResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let asked = Eligibility {
                unit: call.scope.unit()?,
                by: call.caller.subject()?,
                participant: parsed("participant_id", &message.participant_id)?,
                group: field("group", text::group(&message.group))?,
                municipality: parsed("municipality", &message.municipality)?,
            };
            self.0.attest(call.command(), asked).await
        };
        answer(run.await)
    }

    async fn revoke_attestation(
        &self,
        request: Request<pb::RevokeAttestationRequest>,
    ) -> Result<Response<pb::RevokeAttestationResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let id = parsed("attestation_id", &message.attestation_id)?;
            self.0.revoke_attestation(call.command(), call.scope.unit()?, id).await
        };
        answer(run.await)
    }

    async fn assign_role(
        &self,
        request: Request<pb::AssignRoleRequest>,
    ) -> Result<Response<pb::AssignRoleResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let new = NewRole {
                tenant: call.scope.tenant()?,
                participant: parsed("participant_id", &message.participant_id)?,
                held: convert::held_role_in(message.role.as_ref())?,
                starts_on: optional_date_in("starts_on", &message.starts_on)?,
                ends_on: optional_date_in("ends_on", &message.ends_on)?,
                by_operator: call.caller.holds(&[Role::Operator], &ScopeRef::Cell),
            };
            self.0.assign_role(call.command(), new).await
        };
        answer(run.await)
    }

    async fn end_role(
        &self,
        request: Request<pb::EndRoleRequest>,
    ) -> Result<Response<pb::EndRoleResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let id = parsed("assignment_id", &message.assignment_id)?;
            self.0.end_role(call.command(), call.scope.tenant()?, id).await
        };
        answer(run.await)
    }

    async fn issue_code_card(
        &self,
        request: Request<pb::IssueCodeCardRequest>,
    ) -> Result<Response<pb::IssueCodeCardResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let id = parsed("participant_id", &message.participant_id)?;
            self.0.issue_card(call.command(), &call.caller, call.scope, id).await
        };
        answer(run.await)
    }

    async fn check_import(
        &self,
        request: Request<pb::CheckImportRequest>,
    ) -> Result<Response<pb::CheckImportResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let by = call.caller.subject()?;
            self.0.check_import(by, call.scope.tenant()?, rows_in(message.rows)?).await
        };
        answer(run.await)
    }

    async fn import_participants(
        &self,
        request: Request<pb::ImportParticipantsRequest>,
    ) -> Result<Response<pb::ImportParticipantsResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let by = call.caller.subject()?;
            self.0.import(call.command(), by, call.scope.tenant()?, rows_in(message.rows)?).await
        };
        answer(run.await)
    }

    async fn suspend_participant(
        &self,
        request: Request<pb::SuspendParticipantRequest>,
    ) -> Result<Response<pb::SuspendParticipantResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let id = parsed("participant_id", &message.participant_id)?;
            self.0.suspend(call.command(), call.scope.tenant()?, id).await
        };
        answer(run.await)
    }

    async fn reinstate_participant(
        &self,
        request: Request<pb::ReinstateParticipantRequest>,
    ) -> Result<Response<pb::ReinstateParticipantResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let id = parsed("participant_id", &message.participant_id)?;
            self.0.reinstate(call.command(), call.scope.tenant()?, id).await
        };
        answer(run.await)
    }

    async fn leave_participation(
        &self,
        request: Request<pb::LeaveParticipationRequest>,
    ) -> Result<Response<pb::LeaveParticipationResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let county: Option<TenantId> = match message.tenant.as_str() {
                "" => None,
                code => Some(parsed("tenant", code)?),
            };
            self.0.leave(call.command(), &call.caller, county).await
        };
        answer(run.await)
    }

    async fn register_mandate(
        &self,
        request: Request<pb::RegisterMandateRequest>,
    ) -> Result<Response<pb::RegisterMandateResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let principal = parsed("principal_id", &message.principal_id)?;
            let holder = parsed("holder_id", &message.holder_id)?;
            let ends_on = date_in("ends_on", &message.ends_on)?;
            self.0.register_mandate(call.command(), call.scope.tenant()?, principal, holder, ends_on).await
        };
        answer(run.await)
    }

    async fn list_my_notices(
        &self,
        request: Request<pb::ListMyNoticesRequest>,
    ) -> Result<Response<pb::ListMyNoticesResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let size = field("page_size", PageSize::new(message.page_size))?;
            self.0.my_notices(&call.caller, size, &message.page_token).await
        };
        answer(run.await)
    }
}

fn rows_in(rows: Vec<pb::ImportRow>) -> Result<Vec<RawRow>, Fault> {
    if rows.is_empty() || rows.len() > MOST_ROWS {
        let invalid = Invalid::new("1 to 500 rows are taken at a time", "send the rest with another call");
        return Err(invalid.in_field("rows"));
    }
    Ok(rows.into_iter().map(convert::raw_row_in).collect())
}
