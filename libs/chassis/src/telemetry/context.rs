//! W3C trace context: in from a request's metadata, out to commands and to other services.

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The header of the trace context.
const TRACEPARENT: &str = "traceparent";

/// Makes the span a child of the caller's, if the request names one.
pub(super) fn set_parent(span: &Span, headers: &HeaderMap) {
    let context = TraceContextPropagator::new().extract(&Headers(headers));
    if context.span().span_context().is_valid() {
        // Fails only without an exporter, and then nobody misses the parent.
        let _ = span.set_parent(context);
    }
}

/// The trace context to keep with what a request writes (OBS-01): that of the request's span; without an exporter that
/// of the caller, so that the chain is not broken by us.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<String> {
    current().or_else(|| {
        let context = TraceContextPropagator::new().extract(&Headers(headers));
        let is_valid = context.span().span_context().is_valid();
        headers.get(TRACEPARENT).filter(|_| is_valid)?.to_str().ok().map(str::to_owned)
    })
}

/// Puts the trace of the work at hand into a request to another service.
pub(crate) fn inject(metadata: &mut MetadataMap) {
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut Metadata(metadata));
}

fn current() -> Option<String> {
    let mut found = Found(None);
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut found);
    found.0
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

struct Metadata<'a>(&'a mut MetadataMap);

impl Injector for Metadata<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(key), Ok(value)) = (key.parse::<AsciiMetadataKey>(), value.parse::<AsciiMetadataValue>()) {
            self.0.insert(key, value);
        }
    }
}

/// Takes the trace context out of an injection.
struct Found(Option<String>);

impl Injector for Found {
    fn set(&mut self, key: &str, value: String) {
        if key == TRACEPARENT {
            self.0 = Some(value);
        }
    }
}
