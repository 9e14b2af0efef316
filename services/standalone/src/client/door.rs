//! Between a generated client and the connection: adds token and idempotency key to each call.

use std::error::Error;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Request, Response};
use kernel::Ids;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::{Service, ServiceExt};

use super::Account;

/// Metadata key of the idempotency key.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The way into one service for one account.
#[derive(Debug, Clone)]
pub struct Door {
    account: Account,
    channel: Channel,
    ids: Ids,
    service: String,
}

impl Door {
    pub(super) fn new(account: Account, channel: Channel, ids: Ids, service: &str) -> Self {
        Self { account, channel, ids, service: service.to_owned() }
    }

    /// What the access entry of the RPC asks for.
    async fn prepare(&self, path: &str, headers: &mut HeaderMap) -> Result<(), Status> {
        let Some(entry) = proto::access::find(path) else {
            return Err(Status::unimplemented(format!("{path} is not in the contracts")));
        };
        if !entry.anonymous
            && !headers.contains_key(AUTHORIZATION)
            && let Some(token) = self.account.token(&self.service).await?
        {
            headers.insert(AUTHORIZATION, header(&format!("Bearer {token}"))?);
        }
        if entry.mutating && !headers.contains_key(IDEMPOTENCY_KEY) {
            headers.insert(IDEMPOTENCY_KEY, header(&self.ids.uuid().to_string())?);
        }
        Ok(())
    }
}

impl Service<Request<Body>> for Door {
    type Response = Response<Body>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // The connection's own readiness is awaited in `call`.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let door = self.clone();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            door.prepare(&path, request.headers_mut()).await?;
            Ok(door.channel.oneshot(request).await?)
        })
    }
}

fn header(text: &str) -> Result<HeaderValue, Status> {
    HeaderValue::from_str(text)
        .map_err(|_| Status::internal("membership gave a token that is no header value"))
}
