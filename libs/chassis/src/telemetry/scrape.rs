//! Metrics for Prometheus: `GET /metrics` on a listener of their own, in Prometheus' text format.
//!
//! What is there is the same as by OTLP, under Prometheus' names: dots become underscores, units and `_total` are
//! appended. There is nothing personal in it (OBS-02), and so neither TLS nor a password; it belongs into the network of
//! those who watch.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use opentelemetry_prometheus::PrometheusExporter;
use prometheus::{Encoder as _, Registry, TextEncoder};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::service::StartError;

/// Those who may ask at the same time: a few Prometheus servers and a person.
const CONNECTIONS: usize = 16;
/// How long a connection may stay: longer than servers usually wait between two questions.
const STAY: Duration = Duration::from_secs(120);
/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(5);
/// The pause after a connection could not be accepted, for want of file descriptors for example.
const PAUSE: Duration = Duration::from_secs(1);

/// A bound listener, and what it will show.
pub(super) struct Scrape {
    listener: TcpListener,
    address: SocketAddr,
    registry: Registry,
}

impl Scrape {
    /// Listens at `address`, and the reader that shows the metrics of a provider there. Must be called within a tokio
    /// runtime.
    pub(super) fn bind(address: SocketAddr) -> Result<(Self, PrometheusExporter), StartError> {
        let listen = || {
            let listener = std::net::TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            let listener = TcpListener::from_std(listener)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listen().map_err(|source: std::io::Error| {
            StartError::Other(format!("telemetry.prometheus: cannot listen on {address}: {source}"))
        })?;
        let registry = Registry::new();
        let reader = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            // Which part of the program measured is nobody's question.
            .scope_info_enabled(false)
            .build()
            .map_err(|error| StartError::Other(format!("telemetry.prometheus: {error}")))?;
        Ok((Self { listener, address, registry }, reader))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the process ends.
    pub(super) async fn serve(self) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        // The semaphore is never closed.
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(converse(stream, self.registry.clone(), place));
                }
                Err(error) => {
                    tracing::warn!(%error, "the listener of metrics could not accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

async fn converse(stream: TcpStream, registry: Registry, _place: OwnedSemaphorePermit) {
    let service = service_fn(|request| {
        let answer = answer(&registry, &request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // Who breaks off or stays too long is none of our business: they ask again.
    let _ = tokio::time::timeout(STAY, connection).await;
}

fn answer<B>(registry: &Registry, request: &Request<B>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    if request.uri().path() != "/metrics" {
        *response.status_mut() = StatusCode::NOT_FOUND;
        *response.body_mut() = Full::from("Metrics are at /metrics.\n");
        return response;
    }
    if request.method() != Method::GET {
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        return response;
    }
    let (encoder, mut text) = (TextEncoder::new(), Vec::new());
    if let Err(error) = encoder.encode(&registry.gather(), &mut text) {
        tracing::error!(%error, "metrics could not be written as text");
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    }
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(prometheus::TEXT_FORMAT));
    *response.body_mut() = Full::from(text);
    response
}
