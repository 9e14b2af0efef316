//! A process without membership and without NATS: its keys come from the kept copy, its tokens from the test.

use anyhow::Context as _;
use chassis::token::Issuer;
use chassis::{Config, Running, Service};
use kernel::{Assurance, Caller, Clock as _, HeldRole, Ids, Role, ScopeRef, Subject, SystemClock, TenantId};
use proto::forums::forums_service_client::ForumsServiceClient;
use tempfile::TempDir;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};
use tonic_types::StatusExt as _;

use crate::toy::FORUMS;

/// Name of the deployment.
pub(crate) const CELL: &str = "test";
/// Id of its signing key.
pub(crate) const KEY: &str = "key-1";
/// An address where nobody listens.
pub(crate) const NOBODY: &str = "127.0.0.1:9";

/// The process, and what callers need.
pub(crate) struct Fixture {
    pub(crate) running: Running,
    pub(crate) channel: Channel,
    pub(crate) issuer: Issuer,
    pub(crate) secret: [u8; 32],
    pub(crate) ids: Ids,
    pub(crate) folder: TempDir,
}

impl Fixture {
    /// Starts "forums" with these settings on top, and waits until it is ready.
    pub(crate) async fn start(settings: &str) -> anyhow::Result<Self> {
        let fixture = Self::start_unready(&[FORUMS], settings, true).await?;
        fixture.running.ready().await;
        Ok(fixture)
    }

    /// Starts services, with or without a copy of the keys.
    pub(crate) async fn start_unready(
        services: &[Service],
        settings: &str,
        keys: bool,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let ids = Ids::system();
        let secret = ids.bytes();
        let issuer = Issuer::new(CELL, KEY, &secret)?;
        if keys {
            let public = issuer.public_key();
            let key = serde_json::json!([{
                "key_id": public.key_id, "x": hex(&public.x), "y": hex(&public.y),
                "not_after": kernel::Timestamp::MAX.as_micros(),
            }]);
            std::fs::write(folder.path().join("signing-keys.json"), key.to_string())?;
        }
        let config = Config::from_toml(services, &config(&folder, settings))?;
        let running = chassis::start(services, config).await?;
        let channel = Endpoint::from_shared(format!("http://{}", running.addr()))?.connect_lazy();
        Ok(Self { running, channel, issuer, secret, ids, folder })
    }

    pub(crate) fn forums(&self) -> ForumsServiceClient<Channel> {
        ForumsServiceClient::new(self.channel.clone())
    }

    /// A request with a token for forums and a new idempotency key.
    pub(crate) fn request<T>(&self, caller: Caller, message: T) -> anyhow::Result<tonic::Request<T>> {
        let now = SystemClock.now();
        let caller =
            Caller { audience: "forums".into(), expires: now + time::Duration::minutes(5), ..caller };
        let token = self.issuer.actor_token(&caller, self.ids.uuid(), now)?;
        self.request_with(&token, message)
    }

    /// A request with this token and a new idempotency key.
    pub(crate) fn request_with<T>(&self, token: &str, message: T) -> anyhow::Result<tonic::Request<T>> {
        let mut request = tonic::Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", format!("Bearer {token}").parse()?);
        metadata.insert("idempotency-key", self.ids.uuid().to_string().parse()?);
        Ok(request)
    }

    /// An administrator of a county, surely identified.
    pub(crate) fn administrator(&self, tenant: &str) -> anyhow::Result<Caller> {
        let scope = ScopeRef::Tenant(TenantId::new(tenant)?);
        let roles = vec![HeldRole { role: Role::Administrator, scope }];
        let person = Caller::person(self.ids.new_id::<Subject>());
        Ok(Caller { roles, assurance: Assurance::Substantial, ..person })
    }
}

/// Settings of a test process in `folder`.
pub(crate) fn config(folder: &TempDir, more: &str) -> String {
    let data = folder.path().display();
    format!(
        "cell = {CELL:?}\ndata_dir = \"{data}\"\nlisten.grpc = \"127.0.0.1:0\"\nnats.url = \"nats://{NOBODY}\"\n\
         services.membership.address = \"http://{NOBODY}\"\n{more}\n"
    )
}

/// The stable code of a refusal.
pub(crate) fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// The refusal of an answer that must be one.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> anyhow::Result<Status> {
    answer.err().context("the call should have been refused")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
