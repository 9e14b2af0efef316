//! The one gRPC server of a process, with the RPCs that every service has: health, reflection, event feed,
//! operation, audit log.

mod audit;
mod feed;
mod health;
mod operator;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Fault, SettableClock};
use proto::messaging::audit_service_server::AuditServiceServer;
use proto::messaging::event_feed_service_server::EventFeedServiceServer;
use proto::messaging::operator_service_server::OperatorServiceServer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::access::{AccessLayer, Gate};
use crate::config::Config;
use crate::running::Unit;
use crate::service::StartError;
use crate::tls::{self, Keeper};

pub(crate) use health::Health;

/// Keep-alive of connections: how often, and how long to wait for the answer.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));
/// How long a connection with certificates may go on: who is shut out by an expired one is out after this at the latest.
const AGE: Duration = Duration::from_secs(3_600);
/// Streams that a client may reset before they are taken up; beyond that it is an attack (rapid reset).
const PENDING_RESETS: usize = 20;
/// Descriptors of the standard services, for reflection.
const STANDARD: [&[u8]; 1] = [tonic_health::pb::FILE_DESCRIPTOR_SET];

/// The services of a process by name, for RPCs that say which one they mean.
pub(crate) type Units = Arc<BTreeMap<&'static str, Arc<Unit>>>;

/// Adds what every process serves.
pub(crate) fn add_common(
    routes: &mut RoutesBuilder,
    units: &Units,
    clock: &Arc<SettableClock>,
    health: &Health,
    config: &Config,
    keeper: Option<&Arc<Keeper>>,
) -> Result<(), StartError> {
    routes.add_service(health.server());
    routes.add_service(EventFeedServiceServer::new(feed::Feed::new(Arc::clone(units))));
    routes.add_service(AuditServiceServer::new(audit::Audit::new(Arc::clone(units))));
    routes.add_service(OperatorServiceServer::new(operator::Operator::new(
        Arc::clone(units),
        Arc::clone(clock),
        keeper.map(Arc::clone),
    )));
    if !config.listen.reflection {
        return Ok(());
    }
    let refused = |error: tonic_reflection::server::Error| StartError::Other(format!("reflection: {error}"));
    let builder = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS);
        STANDARD.into_iter().fold(builder, |builder, set| builder.register_encoded_file_descriptor_set(set))
    };
    // Older clients speak the alpha version only.
    routes.add_service(builder().build_v1().map_err(refused)?);
    routes.add_service(builder().build_v1alpha().map_err(refused)?);
    Ok(())
}

/// Serves until `stop` is cancelled and the requests in work are done; with a keeper over TLS only.
pub(crate) async fn serve(
    listener: TcpListener,
    keeper: Option<Arc<Keeper>>,
    routes: RoutesBuilder,
    gate: Arc<Gate>,
    config: Config,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    let limits = &config.limits;
    let server = Server::builder()
        .concurrency_limit_per_connection(limits.requests_per_connection)
        .max_concurrent_streams(limits.streams_per_connection)
        .http2_max_header_list_size(limits.header_bytes)
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS))
        .http2_keepalive_interval(Some(KEEP_ALIVE.0))
        .http2_keepalive_timeout(Some(KEEP_ALIVE.1))
        .layer(AccessLayer::new(gate));
    let stopped = stop.cancelled_owned();
    match keeper {
        None => {
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            let mut server = server;
            server.add_routes(routes.routes()).serve_with_incoming_shutdown(incoming, stopped).await
        }
        Some(keeper) => {
            let incoming = tls::incoming(listener, keeper);
            let mut server = server.max_connection_age(AGE);
            server.add_routes(routes.routes()).serve_with_incoming_shutdown(incoming, stopped).await
        }
    }
}

/// The service that a request names.
fn unit<'a>(units: &'a Units, name: &str) -> Result<&'a Arc<Unit>, Fault> {
    units.get(name).ok_or_else(|| {
        Fault::not_found(
            "access.not_served",
            "This process does not serve that service. Call the one that does.",
        )
    })
}
