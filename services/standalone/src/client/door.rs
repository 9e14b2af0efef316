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

use super::{Account, witness};
use crate::ledger::journal::Journal;

/// Metadata key of the idempotency key.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The way into one service for one account.
#[derive(Debug, Clone)]
pub struct Door {
    account: Account,
    channel: Channel,
    ids: Ids,
    service: String,
    journal: Option<Journal>,
}

impl Door {
    pub(super) fn new(account: Account, channel: Channel, ids: Ids, service: &str) -> Self {
        Self { account, channel, ids, service: service.to_owned(), journal: None }
    }

    /// Notes what goes through it and changes something.
    pub(super) fn journalled(self, journal: Option<Journal>) -> Self {
        Self { journal, ..self }
    }

    /// What the access entry of the RPC asks for. True if it changes something.
    async fn prepare(&self, path: &str, headers: &mut HeaderMap) -> Result<bool, Status> {
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
        Ok(entry.mutating)
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
            let mutating = door.prepare(&path, request.headers_mut()).await?;
            match &door.journal {
                Some(journal) if mutating => {
                    witness::send(journal, &door.service, door.channel, request).await
                }
                _ => Ok(door.channel.oneshot(request).await?),
            }
        })
    }
}

fn header(text: &str) -> Result<HeaderValue, Status> {
    HeaderValue::from_str(text)
        .map_err(|_| Status::internal("membership gave a token that is no header value"))
}
