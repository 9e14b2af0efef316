//! A service as a caller: its account at membership, and tokens bought with it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Fault, Timestamp};
use proto::membership::IssueServiceTokenRequest;
use proto::membership::sign_in_service_client::SignInServiceClient;
use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;
use tonic::metadata::AsciiMetadataValue;

use crate::peers::Peers;
use crate::secrets::Secrets;
use crate::status::fault;
use crate::telemetry;

/// A token is renewed this long before its end.
const RENEW: time::Duration = time::Duration::seconds(60);
/// How long buying a token may take.
const BUY: Duration = Duration::from_secs(5);

/// The account of one service. Clones share its tokens.
#[derive(Clone)]
pub(crate) struct Identity {
    shared: Arc<Shared>,
}

struct Shared {
    account: &'static str,
    secrets: Secrets,
    peers: Arc<Peers>,
    clock: Arc<dyn Clock>,
    /// By audience.
    tokens: Mutex<HashMap<String, Token>>,
}

#[derive(Clone)]
struct Token {
    value: AsciiMetadataValue,
    renew_at: Timestamp,
}

impl Identity {
    pub(crate) fn new(
        account: &'static str,
        secrets: Secrets,
        peers: Arc<Peers>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { shared: Arc::new(Shared { account, secrets, peers, clock, tokens: Mutex::default() }) }
    }

    /// A request to `audience` with this service's token, the trace of the work at hand, and `within` as deadline.
    ///
    /// # Errors
    /// Unavailable if membership cannot be reached, Internal without a secret file, Forbidden if the secret is wrong.
    pub(crate) async fn request<T>(
        &self,
        audience: &str,
        message: T,
        within: Duration,
    ) -> Result<tonic::Request<T>, Fault> {
        let token = self.token(audience).await?;
        let mut request = tonic::Request::new(message);
        request.set_timeout(within);
        request.metadata_mut().insert("authorization", token);
        telemetry::inject(request.metadata_mut());
        Ok(request)
    }

    async fn token(&self, audience: &str) -> Result<AsciiMetadataValue, Fault> {
        let shared = &self.shared;
        // Held while a token is bought: those who come meanwhile want the same one.
        let mut tokens = shared.tokens.lock().await;
        if let Some(token) = tokens.get(audience).filter(|token| shared.clock.now() < token.renew_at) {
            return Ok(token.value.clone());
        }
        let token = self.buy(audience).await?;
        tokens.insert(audience.to_owned(), token.clone());
        Ok(token.value)
    }

    async fn buy(&self, audience: &str) -> Result<Token, Fault> {
        let shared = &self.shared;
        // Read anew each time, so that a changed secret needs no restart.
        let secret = shared.secrets.account(shared.account)?;
        let mut request = tonic::Request::new(IssueServiceTokenRequest {
            account: shared.account.to_owned(),
            secret: secret.expose_secret().to_owned(),
            audience: audience.to_owned(),
        });
        request.set_timeout(BUY);
        let channel = shared.peers.channel("membership")?;
        let answer = SignInServiceClient::new(channel).issue_service_token(request).await;
        let token = answer.map_err(|status| fault(&status))?.into_inner().token.unwrap_or_default();
        let ends = token.expires_at.map_or(0, |at| at.seconds);
        let mut value =
            AsciiMetadataValue::try_from(format!("Bearer {}", token.token)).map_err(Fault::internal)?;
        value.set_sensitive(true);
        Ok(Token { value, renew_at: Timestamp::from_seconds(ends) - RENEW })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("account", &self.shared.account).finish_non_exhaustive()
    }
}
