//! The order of the checks, and the one place where a request is logged, measured and traced.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::request::Parts;
use http::{Request, Response};
use kernel::{Caller, Fault, FaultKind, Identity, Ids, Scope};
use messaging::{Command, Writer, audit};
use proto::access::{Audit, Entry};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;
use tracing::{Instrument as _, Span};

use super::decide::decide;
use super::message::{Message, malformed};
use super::rates::Rates;
use super::{Call, metadata};
use crate::config::Limits;
use crate::status::{deadline_exceeded, status};
use crate::telemetry::{self, Edge};
use crate::tls;
use crate::token::Verifier;

/// Paths that no contract of ours describes: health, and reflection where it is served.
const HEALTH: &str = "/grpc.health.v1.Health/";
const REFLECTION: [&str; 2] =
    ["/grpc.reflection.v1.ServerReflection/", "/grpc.reflection.v1alpha.ServerReflection/"];

/// A service of this process, as the layer needs it.
pub(crate) struct Served {
    /// For its audience.
    pub(crate) verifier: Verifier,
    /// True while so much waits to be published that nothing may be added (REL-30).
    pub(crate) overfull: Box<dyn Fn() -> bool + Send + Sync>,
    /// For rows of the audit log that are no command's.
    pub(crate) writer: Writer,
}

/// What all requests share.
pub(crate) struct Gate {
    served: HashMap<&'static str, Served>,
    limits: Limits,
    rates: Rates,
    in_work: Semaphore,
    reflection: bool,
    /// The deployment, where clients show certificates.
    certified_cell: Option<String>,
    ids: Ids,
    edge: Edge,
}

impl Gate {
    pub(crate) fn new(
        served: HashMap<&'static str, Served>,
        limits: Limits,
        reflection: bool,
        certified_cell: Option<String>,
        ids: Ids,
    ) -> Self {
        let edge = Edge::new();
        edge.begin(served.keys());
        Self {
            served,
            rates: Rates::new(limits.per_minute),
            in_work: Semaphore::new(limits.requests),
            limits,
            reflection,
            certified_cell,
            ids,
            edge,
        }
    }
}

/// Puts the checks before the handlers.
#[derive(Clone)]
pub(crate) struct AccessLayer {
    gate: Arc<Gate>,
}

impl AccessLayer {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Self { gate }
    }
}

impl<S> Layer<S> for AccessLayer {
    type Service = Access<S>;

    fn layer(&self, inner: S) -> Access<S> {
        Access { gate: Arc::clone(&self.gate), inner }
    }
}

/// The checks with the handlers behind them.
#[derive(Clone)]
pub(crate) struct Access<S> {
    gate: Arc<Gate>,
    inner: S,
}

impl<S> Service<Request<Body>> for Access<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that is ready goes with the request; its clone stays.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let path = request.uri().path();
        if self.gate.is_open(path) {
            return Box::pin(async move { inner.call(request).await });
        }
        let gate = Arc::clone(&self.gate);
        let Some(entry) = proto::access::find(path) else {
            gate.edge.unknown();
            let fault =
                Fault::forbidden("access.unknown_rpc", "There is no such RPC, or nobody may call it.");
            return Box::pin(async move { Ok(status(fault).into_http()) });
        };
        Box::pin(async move { Ok(gate.observe(entry, request, inner).await) })
    }
}

impl Gate {
    fn is_open(&self, path: &str) -> bool {
        let is_reflection = || REFLECTION.iter().any(|open| path.starts_with(open));
        path.starts_with(HEALTH) || (self.reflection && is_reflection())
    }

    /// Answers a request and tells of it once: span, log line, metric. An untraced RPC leaves none of them, nor does
    /// anything its handler says (BAL-11).
    async fn observe<S>(&self, entry: &'static Entry, request: Request<Body>, inner: S) -> Response<Body>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Send,
        S::Future: Send,
    {
        let began = Instant::now();
        let span = if entry.untraced { Span::none() } else { self.edge.span(entry.path, request.headers()) };
        // A panic costs one request. What it left half done is dropped with the future.
        let answer = AssertUnwindSafe(self.answer(entry, request, inner)).catch_unwind();
        let panicked = |_| status(Fault::internal("a handler panicked")).into_http();
        if entry.untraced {
            return answer.with_subscriber(NoSubscriber::default()).await.unwrap_or_else(panicked);
        }
        let response = answer.instrument(span.clone()).await.unwrap_or_else(panicked);
        span.in_scope(|| self.edge.answered(&span, entry, &response, began.elapsed()));
        response
    }

    /// Answers within the deadline and within what the process can do at once. A place among the requests in work is
    /// taken only by a call that has arrived whole and was let in: headers alone cost nobody else a place (SEC-50).
    async fn answer<S>(&self, entry: &'static Entry, request: Request<Body>, mut inner: S) -> Response<Body>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Send,
        S::Future: Send,
    {
        let began = Instant::now();
        let (parts, body) = request.into_parts();
        let unverified = self.wait(&parts, self.limits.deadline);
        let admitted = tokio::time::timeout(unverified, self.admit(entry, &parts, body, began)).await;
        let Admitted { call, message, reading } = match admitted {
            Ok(Ok(admitted)) => admitted,
            Ok(Err(fault)) => return status(fault).into_http(),
            Err(_) => return deadline_exceeded().into_http(),
        };
        let Ok(_place) = self.in_work.try_acquire() else { return status(busy()).into_http() };
        let left = self.longest(&call.caller, &parts).saturating_sub(began.elapsed());
        let mut request = Request::from_parts(parts, message.to_body());
        let handled = async {
            if let Some(writer) = reading {
                // No log, no data (SEC-40): the handler does not run before its row is committed.
                note(&writer, call.command()).await.map_err(status)?;
            }
            request.extensions_mut().insert(call);
            // Infallible: every failure is a status.
            Ok(inner.call(request).await.unwrap_or_else(|never| match never {}))
        };
        match tokio::time::timeout(left, handled).await {
            Ok(Ok(answer)) => {
                let failed = Status::from_header_map(answer.headers())
                    .is_some_and(|status| status.code() == Code::Internal);
                if failed && !message.is_of(entry.path) {
                    return status(malformed("The request is not a valid message.")).into_http();
                }
                answer
            }
            Ok(Err(unwritten)) => Status::into_http(unwritten),
            Err(_) => deadline_exceeded().into_http(),
        }
    }

    /// How long a call of this caller may take. A deadline longer than usual is for callers who can be named:
    /// anybody else could hold places for as long as they like.
    fn longest(&self, caller: &Caller, parts: &Parts) -> Duration {
        let limit = if caller.is_anonymous() { self.limits.deadline } else { self.limits.longest_deadline };
        self.wait(parts, limit)
    }

    /// What the client asks for, at most `limit`; the usual time if it does not say.
    fn wait(&self, parts: &Parts, limit: Duration) -> Duration {
        metadata::timeout(&parts.headers).unwrap_or(self.limits.deadline).min(limit)
    }

    /// Lets a call in, or says why not.
    async fn admit(
        &self,
        entry: &'static Entry,
        parts: &Parts,
        body: Body,
        began: Instant,
    ) -> Result<Admitted, Fault> {
        let limit = match entry.max_bytes {
            0 => self.limits.message_bytes,
            bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
        };
        let message = Message::read(body, limit).await?;
        let name = match entry.audience_field {
            Some(field) => message.text(field)?,
            None => entry.service,
        };
        let served = self.served.get(name).ok_or_else(not_served)?;
        let caller = self.authenticate(entry, served, parts).await?;
        if let Err(fault) = self.certify(&caller, parts) {
            // A stolen token costs the thief's address, not the service it was stolen from; and it is kept.
            self.rates.take(entry, address(parts))?;
            self.note_denial(entry, served, &caller, parts, &message, &fault).await;
            return Err(fault);
        }
        self.rates.take(entry, who(&caller, parts))?;
        let deadline = began + self.longest(&caller, parts);
        let scope = match decide(entry, &caller, &message) {
            Ok(scope) => scope,
            Err(fault) => {
                self.note_denial(entry, served, &caller, parts, &message, &fault).await;
                return Err(fault);
            }
        };
        if entry.mutating && (served.overfull)() {
            return Err(overfull());
        }
        let audit = audit_entry(entry, &caller, Some(&scope), &message)?;
        let mut command = self.command(entry, &caller, parts, &message, deadline)?;
        command.audit = audit.map(Arc::new);
        let reading = (entry.audit == Audit::Read).then(|| served.writer.clone());
        Ok(Admitted { call: Call::new(caller, scope, command), message, reading })
    }

    /// Keeps that somebody who is known was denied. The denial stands, whether or not it can be kept.
    async fn note_denial(
        &self,
        entry: &'static Entry,
        served: &Served,
        caller: &Caller,
        parts: &Parts,
        message: &Message,
        fault: &Fault,
    ) {
        if fault.kind() != FaultKind::Forbidden || caller.is_anonymous() {
            return;
        }
        let Ok(Some(audit)) = audit_entry(entry, caller, None, message) else { return };
        let id = self.correlation_id(entry, parts);
        if let Err(error) = served.writer.audit(Arc::new(audit), Some(fault), id, None).await {
            self.edge.denial_unwritten(entry.path, &error);
        }
    }

    async fn authenticate(
        &self,
        entry: &'static Entry,
        served: &Served,
        parts: &Parts,
    ) -> Result<Caller, Fault> {
        if entry.anonymous {
            // A token sent along is not looked at: what is public is public.
            return Ok(Caller::anonymous());
        }
        let verified = match metadata::token(&parts.headers) {
            Ok(token) => served.verifier.actor(token).await,
            Err(fault) => Err(fault),
        };
        match verified {
            Ok(caller) => Ok(Caller::clone(&caller)),
            Err(fault) => {
                // Guessing tokens costs the guesser's address.
                self.rates.take(entry, address(parts))?;
                Err(fault)
            }
        }
    }

    /// The token of a service is worth nothing to those who have not its certificate too (SEC-01).
    fn certify(&self, caller: &Caller, parts: &Parts) -> Result<(), Fault> {
        let (Some(cell), Identity::Service(name)) = (&self.certified_cell, &caller.identity) else {
            return Ok(());
        };
        let connection = parts.extensions.get::<TlsConnectInfo<TcpConnectInfo>>();
        let certificates = connection.and_then(TlsConnectInfo::peer_certs);
        let identities = certificates.as_ref().and_then(|chain| chain.first());
        let identities = identities.map(|first| tls::identities(first)).unwrap_or_default();
        if identities.contains(&tls::identity_of(cell, name)) {
            return Ok(());
        }
        Err(Fault::forbidden(
            "access.certificate",
            "The token of a service works over a connection with that service's certificate only.",
        ))
    }

    fn command(
        &self,
        entry: &'static Entry,
        caller: &Caller,
        parts: &Parts,
        message: &Message,
        deadline: Instant,
    ) -> Result<Command, Fault> {
        let key = if entry.mutating {
            metadata::idempotency_key(&parts.headers)?.to_owned()
        } else {
            self.ids.uuid().to_string()
        };
        Ok(Command {
            principal: caller.principal(),
            key,
            rpc: entry.path,
            request_hash: request_hash(entry.path, message.bytes()),
            deadline: Some(deadline),
            traceparent: if entry.untraced { None } else { telemetry::traceparent(&parts.headers) },
            correlation_id: self.correlation_id(entry, parts),
            audit: None,
        })
    }

    /// The client's id of the whole act, else a new one; none for what leaves no trace.
    fn correlation_id(&self, entry: &Entry, parts: &Parts) -> String {
        let new_id = || self.ids.uuid().to_string();
        match entry.untraced {
            true => String::new(),
            false => metadata::correlation_id(&parts.headers).unwrap_or_else(new_id),
        }
    }
}

/// A call that was let in.
struct Admitted {
    call: Call,
    message: Message,
    /// Of a reading of another person's data: who writes its row before it may begin.
    reading: Option<Writer>,
}

/// What the audit log says of a call; None where it says nothing. With a scope the call is allowed, and its purpose
/// must be one; of a denied call none is kept.
fn audit_entry(
    entry: &'static Entry,
    caller: &Caller,
    scope: Option<&Scope>,
    message: &Message,
) -> Result<Option<audit::Entry>, Fault> {
    if !matches!(entry.audit, Audit::Change | Audit::Read) {
        return Ok(None);
    }
    let tenant = scope.and_then(|scope| scope.tenant().ok());
    let mut audit = audit::Entry::new(caller, entry.path, tenant);
    for field in entry.audit_fields {
        for value in message.texts(field.number)? {
            audit.about(field.name, value);
        }
    }
    if let (Some(field), Some(_)) = (entry.purpose_field, scope) {
        audit.purpose = audit::purpose(field.name, message.text(field.number)?)?;
    }
    Ok(Some(audit))
}

/// Keeps that a call was let through, before it begins. Without its row it must not.
///
/// # Errors
/// What the writer says; Internal if there is no row to write.
pub(crate) async fn note(writer: &Writer, command: &Command) -> Result<(), Fault> {
    let Some(audit) = &command.audit else {
        return Err(Fault::internal("a call that must be kept in the audit log has no row"));
    };
    writer.audit(Arc::clone(audit), None, command.correlation_id.clone(), command.deadline).await
}

/// The same key under another RPC is another request, even if the bytes are the same.
fn request_hash(path: &str, message: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(path).chain_update([0]).chain_update(message).finalize().into()
}

/// Whose bucket a call is taken from.
fn who(caller: &Caller, parts: &Parts) -> String {
    if caller.is_anonymous() { address(parts) } else { caller.principal() }
}

fn address(parts: &Parts) -> String {
    let secured = parts.extensions.get::<TlsConnectInfo<TcpConnectInfo>>().map(TlsConnectInfo::get_ref);
    let connection = secured.or_else(|| parts.extensions.get::<TcpConnectInfo>());
    let address: Option<IpAddr> = connection.and_then(TcpConnectInfo::remote_addr).map(|remote| remote.ip());
    address.map_or_else(|| "address:unknown".to_owned(), |ip| format!("address:{ip}"))
}

fn not_served() -> Fault {
    Fault::not_found("access.not_served", "This process does not serve that service. Call the one that does.")
}

fn busy() -> Fault {
    Fault::resource_exhausted("access.busy", "Too many requests are in work. Wait a little.")
        .with_retry_after(Duration::from_millis(500))
}

fn overfull() -> Fault {
    Fault::unavailable(
        "access.overfull",
        "So many events wait to be published that nothing may be added. Reading works; try again later.",
    )
    .with_retry_after(Duration::from_secs(30))
}
