//! Journalling the calls of a client: whatever goes through a [`Server`](super::Server) with a journal and changes
//! something is noted before it is sent and when it is answered (see [`crate::ledger::journal`]).

use std::error::Error;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;

use super::door::IDEMPOTENCY_KEY;
use crate::ledger::journal::{Call, Journal, Outcome};

/// Bytes before the message of a gRPC frame: whether it is compressed, and its length.
const FRAME: usize = 5;

/// Sends a call that changes something, and notes what became of it. A call whose future is dropped stays without an
/// answer in the journal, as it was without one for the caller.
pub(super) async fn send(
    journal: &Journal,
    service: &str,
    channel: Channel,
    request: Request<Body>,
) -> Result<Response<Body>, Box<dyn Error + Send + Sync>> {
    let call = Call {
        service: service.to_owned(),
        rpc: request.uri().path().to_owned(),
        principal: principal(request.headers()),
        key: text(request.headers(), IDEMPOTENCY_KEY),
    };
    let op = journal.invoked(call).await;
    let answer = async {
        let (head, body) = channel.oneshot(request).await?.into_parts();
        let body = body.collect().await?;
        let trailers = body.trailers().cloned();
        Ok::<_, Box<dyn Error + Send + Sync>>((head, body.to_bytes(), trailers))
    };
    let (head, body, trailers) = match answer.await {
        Ok(answered) => answered,
        Err(error) => {
            journal.answered(op, Outcome::Unknown, "transport".to_owned(), String::new()).await;
            return Err(error);
        }
    };
    let status = Status::from_header_map(&head.headers)
        .or_else(|| trailers.as_ref().and_then(Status::from_header_map))
        .unwrap_or_else(|| Status::unknown("an answer without a status"));
    let reply = match status.code() {
        Code::Ok => HEXLOWER.encode(&Sha256::digest(message(&body))),
        _ => String::new(),
    };
    journal.answered(op, outcome(status.code()), code(&status), reply).await;
    let body = Full::new(body).with_trailers(std::future::ready(trailers.map(Ok)));
    Ok(Response::from_parts(head, Body::new(body)))
}

/// What a gRPC code says about the effect of a call. What may have been stored, or may be yet, is unknown.
pub fn outcome(code: Code) -> Outcome {
    match code {
        Code::Ok => Outcome::Ok,
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Unknown
        | Code::Internal
        | Code::DataLoss => Outcome::Unknown,
        _ => Outcome::Rejected,
    }
}

/// The stable code of a refusal, else the gRPC code.
fn code(status: &Status) -> String {
    if status.code() == Code::Ok {
        return String::new();
    }
    let reason = status.get_details_error_info().map(|info| info.reason);
    reason.unwrap_or_else(|| format!("{:?}", status.code()))
}

fn message(body: &[u8]) -> &[u8] {
    body.get(FRAME..).unwrap_or_default()
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// Whose idempotency keys the call belongs to, by its token. The token is not verified: the server does that.
fn principal(headers: &HeaderMap) -> String {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
        svc: Option<String>,
    }
    let token = text(headers, AUTHORIZATION.as_str());
    let claims = token
        .split('.')
        .nth(1)
        .and_then(|claims| BASE64URL_NOPAD.decode(claims.as_bytes()).ok())
        .and_then(|claims| serde_json::from_slice::<Claims>(&claims).ok());
    match claims {
        None => "anonymous".to_owned(),
        Some(Claims { svc: Some(name), .. }) => format!("service:{name}"),
        Some(Claims { sub, .. }) => format!("person:{sub}"),
    }
}
