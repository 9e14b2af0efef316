//! What is told of a request, once, where it enters: a span, a line, a metric. Names of the OpenTelemetry conventions
//! for RPC, all in this file.

use std::time::Duration;

use http::{HeaderMap, Response};
use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::{KeyValue, global};
use proto::access::Entry;
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::{Span, field};

use super::context;
use crate::status;

/// Bounds of the duration's buckets in seconds: 0.2 and 0.3 are what is promised for queries and commands (OBS-30).
const BOUNDS: [f64; 12] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 10.0];

/// The instruments of the server.
pub(crate) struct Edge {
    duration: Histogram<f64>,
    denied: Counter<u64>,
    unwritten: Counter<u64>,
}

impl Edge {
    /// Instruments of the meter provider installed; without one they do nothing.
    pub(crate) fn new() -> Self {
        let meter = global::meter("osallisuus.chassis");
        let duration = meter.f64_histogram("rpc.server.call.duration").with_unit("s");
        Self {
            duration: duration.with_boundaries(BOUNDS.to_vec()).build(),
            denied: meter.u64_counter("authz_denied").build(),
            unwritten: meter.u64_counter("audit_denials_unwritten").build(),
        }
    }

    /// Shows the denials of these services as 0: an alert on a counter that is not there never fires.
    pub(crate) fn begin<'a>(&self, services: impl Iterator<Item = &'a &'static str>) {
        self.denied.add(0, &[KeyValue::new("rpc", "unknown")]);
        for service in services {
            for entry in proto::access::of(service) {
                self.denied.add(0, &[KeyValue::new("rpc", method(entry.path))]);
                self.unwritten.add(0, &[KeyValue::new("rpc", method(entry.path))]);
            }
        }
    }

    /// The span of a request: method and outcome, nothing of its content or its caller (OBS-02).
    pub(crate) fn span(&self, path: &'static str, headers: &HeaderMap) -> Span {
        let span = tracing::info_span!(
            "rpc",
            otel.name = method(path),
            otel.kind = "server",
            otel.status_code = field::Empty,
            rpc.system.name = "grpc",
            rpc.method = method(path),
            rpc.status_code = field::Empty,
            error.type = field::Empty,
        );
        context::set_parent(&span, headers);
        span
    }

    /// Tells how a request ended.
    pub(crate) fn answered(&self, span: &Span, entry: &Entry, response: &Response<Body>, took: Duration) {
        let method = method(entry.path);
        let refusal = response.extensions().get::<Status>();
        let code = refusal.map_or(Code::Ok, Status::code);
        let (name, seconds) = (status::code_name(code), took.as_secs_f64());
        span.record("rpc.status_code", name);
        let of = [
            KeyValue::new("service", entry.service),
            KeyValue::new("kind", if entry.mutating { "command" } else { "query" }),
            KeyValue::new("rpc.method", method),
            KeyValue::new("rpc.status_code", name),
        ];
        self.duration.record(seconds, &of);
        if matches!(code, Code::PermissionDenied | Code::Unauthenticated) {
            self.denied.add(1, &[KeyValue::new("rpc", method)]);
        }
        let milliseconds = seconds * 1_000.0;
        let Some(refusal) = refusal else {
            tracing::info!(rpc.method = method, rpc.status_code = name, milliseconds, "request answered");
            return;
        };
        let fault = status::source(refusal);
        let reason = fault.map_or("", kernel::Fault::code);
        if is_ours(code) {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", name);
            let error = fault.and_then(kernel::Fault::internal_text).unwrap_or(refusal.message());
            tracing::error!(
                rpc.method = method,
                rpc.status_code = name,
                milliseconds,
                reason,
                error,
                "request failed"
            );
        } else {
            tracing::info!(
                rpc.method = method,
                rpc.status_code = name,
                milliseconds,
                reason,
                "request refused"
            );
        }
    }

    /// Tells of a denial that is not in the audit log (SEC-40).
    pub(crate) fn denial_unwritten(&self, path: &'static str, fault: &kernel::Fault) {
        let method = path.trim_start_matches('/');
        self.unwritten.add(1, &[KeyValue::new("rpc", method)]);
        let error = fault.internal_text().unwrap_or(fault.message());
        tracing::error!(rpc.method = method, error, "a denial could not be kept in the audit log");
    }

    /// Tells of a request to a path that is no RPC. The path is the caller's text and not logged.
    pub(crate) fn unknown(&self) {
        self.denied.add(1, &[KeyValue::new("rpc", "unknown")]);
        tracing::info!(rpc.method = "unknown", rpc.status_code = "permission_denied", "request refused");
    }
}

/// The fully qualified method of a path.
fn method(path: &str) -> &str {
    path.trim_start_matches('/')
}

/// Whether an outcome is the server's own failure.
fn is_ours(code: Code) -> bool {
    matches!(code, Code::Internal | Code::Unknown | Code::DataLoss | Code::Unimplemented)
}
