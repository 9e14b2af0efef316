//! A stand-in for membership, so that a service can be tested without it: callers are made up, and their tokens are
//! as good as real ones to every service that asks this directory for the keys.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use chassis::Voucher;
use chassis::token::Issuer;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::{Caller, Clock, Ids, SystemClock};
use p256::pkcs8::EncodePrivateKey as _;
use proto::membership as api;
use proto::membership::directory_service_server::{DirectoryService, DirectoryServiceServer};
use proto::membership::sign_in_service_server::{SignInService, SignInServiceServer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::{Server, server::TcpIncoming};
use tonic::{Request, Response, Status};

/// How long tokens work: the longest that services accept.
const TOKEN_LIFE: time::Duration = time::Duration::minutes(5);

/// Id of the published key.
const KEY_ID: &str = "test";

/// A gRPC server that answers as membership's directory, and the key it publishes. Ends when dropped.
pub struct Directory {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: JoinHandle<()>,
}

struct Shared {
    issuer: Issuer,
    /// The issuer's private key, for what it would never sign.
    secret: [u8; 32],
    ids: Ids,
    notices: Mutex<Vec<api::NotifyRequest>>,
    role_notices: Mutex<Vec<api::NotifyRoleRequest>>,
}

impl Directory {
    /// Starts a directory for the deployment `cell`, with a new signing key.
    ///
    /// # Errors
    /// If no loopback port can be listened on.
    pub async fn start(cell: &str) -> anyhow::Result<Self> {
        let ids = Ids::system();
        let secret = ids.bytes();
        let issuer = Issuer::new(cell, KEY_ID, &secret)?;
        let (notices, role_notices) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { issuer, secret, ids, notices, role_notices });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listen for the test directory")?;
        let address = listener.local_addr()?;
        let serve = Server::builder()
            .add_service(DirectoryServiceServer::new(Api(Arc::clone(&shared))))
            .add_service(SignInServiceServer::new(Api(Arc::clone(&shared))))
            .serve_with_incoming(TcpIncoming::from(listener));
        let server = tokio::spawn(async {
            // It ends with the test; who still calls it then learns from the broken connection.
            let _ = serve.await;
        });
        Ok(Self { shared, address, server })
    }

    /// Where services reach it: the setting `services.membership.address`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// An actor token that says all of `caller`, for the service `audience` and the next five minutes.
    ///
    /// # Errors
    /// If signing fails.
    pub fn token(&self, audience: &str, caller: Caller) -> anyhow::Result<String> {
        let caller =
            Caller { audience: audience.to_owned(), expires: SystemClock.now() + TOKEN_LIFE, ..caller };
        self.token_as_it_is(&caller)
    }

    /// An actor token with the audience and end that `caller` names, however wrong: for tests of refusals.
    ///
    /// # Errors
    /// If signing fails.
    pub fn token_as_it_is(&self, caller: &Caller) -> anyhow::Result<String> {
        let Shared { issuer, ids, .. } = &*self.shared;
        Ok(issuer.actor_token(caller, ids.uuid(), caller.expires - TOKEN_LIFE)?)
    }

    /// An actor token with any claims, signed with the published key: for tests of what cannot be a caller.
    ///
    /// # Errors
    /// If signing fails.
    pub fn sign(&self, claims: &serde_json::Value) -> anyhow::Result<String> {
        let secret = p256::SecretKey::from_slice(&self.shared.secret)?;
        let key = EncodingKey::from_ec_der(secret.to_pkcs8_der()?.as_bytes());
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(chassis::token::ACTOR_TYPE.to_owned());
        header.kid = Some(KEY_ID.to_owned());
        Ok(jsonwebtoken::encode(&header, claims, &key)?)
    }

    /// A voucher, signed.
    ///
    /// # Errors
    /// If signing fails.
    pub fn voucher(&self, voucher: &Voucher) -> anyhow::Result<String> {
        Ok(self.shared.issuer.voucher(voucher, SystemClock.now())?)
    }

    /// What services asked it to tell people, in the order they asked; the same key twice is here once.
    #[must_use]
    pub fn notices(&self) -> Vec<api::NotifyRequest> {
        self.shared.notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What services asked it to tell the holders of roles, in the order they asked; the same key twice is here once.
    #[must_use]
    pub fn role_notices(&self) -> Vec<api::NotifyRoleRequest> {
        self.shared.role_notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The gRPC side.
struct Api(Arc<Shared>);

#[tonic::async_trait]
impl DirectoryService for Api {
    async fn list_signing_keys(
        &self,
        _: Request<api::ListSigningKeysRequest>,
    ) -> Result<Response<api::ListSigningKeysResponse>, Status> {
        let public = self.0.issuer.public_key().clone();
        let key = api::SigningKey { key_id: public.key_id, x: public.x, y: public.y, not_after: None };
        Ok(Response::new(api::ListSigningKeysResponse { keys: vec![key] }))
    }

    async fn notify(
        &self,
        request: Request<api::NotifyRequest>,
    ) -> Result<Response<api::NotifyResponse>, Status> {
        let notice = request.into_inner();
        let count =
            u32::try_from(notice.references.len()).map_err(|_| Status::invalid_argument("too many"))?;
        let mut notices = self.0.notices.lock().unwrap_or_else(PoisonError::into_inner);
        if notices.contains(&notice) {
            return Ok(Response::new(api::NotifyResponse { notified: 0, held: count }));
        }
        notices.push(notice);
        Ok(Response::new(api::NotifyResponse { notified: count, held: 0 }))
    }

    /// As if one person held every role.
    async fn notify_role(
        &self,
        request: Request<api::NotifyRoleRequest>,
    ) -> Result<Response<api::NotifyRoleResponse>, Status> {
        let notice = request.into_inner();
        let next_page_token = String::new();
        let mut notices = self.0.role_notices.lock().unwrap_or_else(PoisonError::into_inner);
        if notices.contains(&notice) {
            return Ok(Response::new(api::NotifyRoleResponse { notified: 0, held: 1, next_page_token }));
        }
        notices.push(notice);
        Ok(Response::new(api::NotifyRoleResponse { notified: 1, held: 0, next_page_token }))
    }

    async fn list_retired_references(
        &self,
        request: Request<api::ListRetiredReferencesRequest>,
    ) -> Result<Response<api::ListRetiredReferencesResponse>, Status> {
        let cursor = request.into_inner().cursor;
        Ok(Response::new(api::ListRetiredReferencesResponse { references: Vec::new(), cursor }))
    }
}

#[tonic::async_trait]
impl SignInService for Api {
    /// Every account is who it says it is.
    async fn issue_service_token(
        &self,
        request: Request<api::IssueServiceTokenRequest>,
    ) -> Result<Response<api::IssueServiceTokenResponse>, Status> {
        let api::IssueServiceTokenRequest { account, audience, .. } = request.into_inner();
        let now = SystemClock.now();
        let caller = Caller { audience, expires: now + TOKEN_LIFE, ..Caller::service(account) };
        let token = self.0.issuer.actor_token(&caller, self.0.ids.uuid(), now);
        let token = token.map_err(chassis::status)?;
        let expires_at = prost_types::Timestamp { seconds: caller.expires.as_seconds(), nanos: 0 };
        let token = api::ActorToken { token, expires_at: Some(expires_at) };
        Ok(Response::new(api::IssueServiceTokenResponse { token: Some(token) }))
    }

    async fn redeem_setup_code(
        &self,
        _: Request<api::RedeemSetupCodeRequest>,
    ) -> Result<Response<api::RedeemSetupCodeResponse>, Status> {
        Err(not_here())
    }

    async fn sign_in_with_code_card(
        &self,
        _: Request<api::SignInWithCodeCardRequest>,
    ) -> Result<Response<api::SignInWithCodeCardResponse>, Status> {
        Err(not_here())
    }

    async fn issue_actor_token(
        &self,
        _: Request<api::IssueActorTokenRequest>,
    ) -> Result<Response<api::IssueActorTokenResponse>, Status> {
        Err(not_here())
    }

    async fn end_session(
        &self,
        _: Request<api::EndSessionRequest>,
    ) -> Result<Response<api::EndSessionResponse>, Status> {
        Err(not_here())
    }

    async fn rotate_signing_key(
        &self,
        _: Request<api::RotateSigningKeyRequest>,
    ) -> Result<Response<api::RotateSigningKeyResponse>, Status> {
        Err(not_here())
    }

    async fn create_service_account(
        &self,
        _: Request<api::CreateServiceAccountRequest>,
    ) -> Result<Response<api::CreateServiceAccountResponse>, Status> {
        Err(not_here())
    }
}

fn not_here() -> Status {
    Status::unimplemented("the test directory has no people; make up a Caller instead")
}
