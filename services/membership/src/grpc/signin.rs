//! The doors: setup code, code cards, sessions, tokens, accounts, keys.

use kernel::{ActingMode, Invalid, ParticipantId};
use proto::membership as pb;
use proto::membership::sign_in_service_server::SignInService;
use tonic::{Request, Response, Status};

use super::{Api, answer, open};
use crate::app::{Asked, NewAdministrator, NewParticipant};
use crate::convert::{self, field, parsed};
use crate::domain::participant::Profile;
use crate::domain::{PersonId, text};

/// The first administrator has no key in the county's register; there is one of them.
const ADMINISTRATOR_KEY: &str = "first-administrator";

#[async_trait::async_trait]
impl SignInService for Api {
    async fn redeem_setup_code(
        &self,
        request: Request<pb::RedeemSetupCodeRequest>,
    ) -> Result<Response<pb::RedeemSetupCodeResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let profile = Profile {
                display_name: field("display_name", text::name(&message.display_name))?,
                language: field("language", text::language(""))?,
                email: String::new(),
                phone: String::new(),
            };
            let participant = NewParticipant {
                id: self.0.new_id(),
                person: self.0.new_id::<PersonId>(),
                tenant: parsed("tenant", &message.tenant)?,
                register_key: ADMINISTRATOR_KEY.to_owned(),
                profile,
                link_hash: None,
            };
            let new = NewAdministrator { code: message.code, participant };
            self.0.redeem_setup_code(call.command(), new).await
        };
        answer(run.await)
    }

    async fn sign_in_with_code_card(
        &self,
        request: Request<pb::SignInWithCodeCardRequest>,
    ) -> Result<Response<pb::SignInWithCodeCardResponse>, Status> {
        let (call, message) = open(request)?;
        answer(self.0.sign_in_with_card(call.command(), &message.card, &message.code).await)
    }

    async fn issue_actor_token(
        &self,
        request: Request<pb::IssueActorTokenRequest>,
    ) -> Result<Response<pb::IssueActorTokenResponse>, Status> {
        let mode = convert::mode_in(request.get_ref().acting_mode());
        let message = request.into_inner();
        let run = async {
            let on_behalf_of: Option<ParticipantId> = match message.on_behalf_of.as_str() {
                "" => None,
                id => Some(parsed("on_behalf_of", id)?),
            };
            let support = match message.support_id.as_str() {
                "" => None,
                id if mode == ActingMode::Assisted => Some(parsed("support_id", id)?),
                _ => {
                    let invalid = Invalid::new(
                        "a support relationship goes with acting assisted",
                        "send acting_mode ACTING_MODE_ASSISTED, or leave support_id empty",
                    );
                    return Err(invalid.in_field("support_id"));
                }
            };
            let pb::IssueActorTokenRequest { session, audience, .. } = message;
            let asked = Asked { session, audience, mode, on_behalf_of, support };
            self.0.actor_token(asked).await
        };
        answer(run.await)
    }

    async fn issue_service_token(
        &self,
        request: Request<pb::IssueServiceTokenRequest>,
    ) -> Result<Response<pb::IssueServiceTokenResponse>, Status> {
        let message = request.get_ref();
        answer(self.0.service_token(&message.account, &message.secret, &message.audience).await)
    }

    async fn end_session(
        &self,
        request: Request<pb::EndSessionRequest>,
    ) -> Result<Response<pb::EndSessionResponse>, Status> {
        let (call, message) = open(request)?;
        answer(self.0.end_session(call.command(), &message.session).await)
    }

    async fn rotate_signing_key(
        &self,
        request: Request<pb::RotateSigningKeyRequest>,
    ) -> Result<Response<pb::RotateSigningKeyResponse>, Status> {
        let (call, _) = open(request)?;
        answer(self.0.rotate_key(call.command()).await)
    }

    async fn create_service_account(
        &self,
        request: Request<pb::CreateServiceAccountRequest>,
    ) -> Result<Response<pb::CreateServiceAccountResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let account = field("account", text::account(&message.account))?;
            self.0.create_account(call.command(), account).await
        };
        answer(run.await)
    }
}
