//! What a process tells by OTLP: enough to follow a request to the other end, nothing about people.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_nats::HeaderMap;
use chassis::Config;
use futures::StreamExt as _;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use opentelemetry_proto::tonic::trace::v1::Span;
use proto::forums::CastBallotRequest;
use proto::forums::elections_service_client::ElectionsServiceClient;
use proto::forums::forums_service_client::ForumsServiceClient;
use testkit::system::{Store, System};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::toy::{FORUMS, MINUTES};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// An OTLP receiver that keeps everything.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Received>>);

#[derive(Default)]
struct Received {
    spans: Vec<Span>,
    metrics: Vec<String>,
    logs: Vec<LogRecord>,
    everything: String,
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut received = self.received();
        received.everything.push_str(&format!("{request:?}"));
        let spans = request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        received.spans.extend(spans.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut received = self.received();
        received.everything.push_str(&format!("{request:?}"));
        let scopes = request.into_inner().resource_metrics.into_iter().flat_map(|one| one.scope_metrics);
        received.metrics.extend(scopes.flat_map(|scope| scope.metrics).map(|metric| metric.name));
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let mut received = self.received();
        received.everything.push_str(&format!("{request:?}"));
        let scopes = request.into_inner().resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
        received.logs.extend(scopes.flat_map(|scope| scope.log_records));
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

impl Receiver {
    fn received(&self) -> std::sync::MutexGuard<'_, Received> {
        self.0.lock().expect("nobody panics with the lock")
    }

    async fn start(&self) -> anyhow::Result<SocketAddr> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .add_service(MetricsServiceServer::new(self.clone()))
            .add_service(LogsServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        Ok(address)
    }
}

/// The only test that installs telemetry: the subscriber is of the process.
#[tokio::test(flavor = "multi_thread")]
async fn obs_01_a_trace_goes_from_the_request_to_the_other_service_and_obs_02_no_person_with_it()
-> anyhow::Result<()> {
    let receiver = Receiver::default();
    let endpoint = receiver.start().await?;
    let settings = format!(
        "telemetry.otlp_endpoint = \"http://{endpoint}\"\nservices.membership.address = \"http://127.0.0.1:9\""
    );
    let config = Config::from_toml(&[FORUMS], &settings)?;
    let telemetry = chassis::telemetry::install(&config, "test")?;
    let mut system = System::start(&[FORUMS, MINUTES], Store::Sqlite, &[]).await?;
    let bus = async_nats::connect(system.nats().url()).await?;
    let mut events = bus.subscribe("evt.v1.>").await?;
    bus.flush().await?;

    let ids = kernel::Ids::system();
    let person: kernel::Subject = ids.new_id();
    let scope = kernel::ScopeRef::Tenant(kernel::TenantId::new("19")?);
    let roles = vec![kernel::HeldRole { role: kernel::Role::Administrator, scope }];
    let election: kernel::ElectionId = ids.new_id();
    let rolls = vec![kernel::RollClaim { election, municipality: kernel::MunicipalityCode::new("139")? }];
    let caller =
        kernel::Caller { roles, rolls, assurance: kernel::Assurance::High, ..kernel::Caller::person(person) };
    let found = proto::forums::FoundForumRequest { tenant: "19".into(), ..Default::default() };
    let mut request = system.request("forums", caller.clone(), found)?;
    request.metadata_mut().insert("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01").parse()?);
    ForumsServiceClient::new(system.channel()).found_forum(request).await?;
    let ballot = CastBallotRequest { election_id: election.to_string(), ..Default::default() };
    let ballot = system.request("forums", caller, ballot)?;
    ElectionsServiceClient::new(system.channel()).cast_ballot(ballot).await?;

    let event = events.next().await.expect("an event");
    let header = event.headers.as_ref().and_then(traceparent).unwrap_or_default();
    assert!(header.starts_with(&format!("00-{TRACE}-")), "{header}");
    system.finish().await?;
    tokio::task::spawn_blocking(move || telemetry.shut_down()).await?;

    let received = receiver.received();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let names: Vec<&str> = received.spans.iter().map(|span| span.name.as_str()).collect();
    let request = received.spans.iter().find(|span| span.name.ends_with("ForumsService/FoundForum"));
    let request = request.unwrap_or_else(|| panic!("no span of the request among {names:?}"));
    assert_eq!(hex(&request.trace_id), TRACE);
    assert_eq!(hex(&request.parent_span_id), "00f067aa0ba902b7");
    let linked = received.spans.iter().filter(|span| {
        span.links.iter().any(|link| hex(&link.trace_id) == TRACE && link.span_id == request.span_id)
    });
    let linked: Vec<&str> = linked.map(|span| span.name.as_str()).collect();
    assert!(linked.len() >= 2, "relay and projector link to the request: {linked:?} of {names:?}");
    assert!(received.metrics.iter().any(|name| name == "rpc.server.call.duration"), "{:?}", received.metrics);
    let everything = &received.everything;
    let answered: Vec<&LogRecord> =
        received.logs.iter().filter(|record| text(record) == "request answered").collect();
    let texts: Vec<&str> = received.logs.iter().map(text).collect();
    assert!(!answered.is_empty(), "the log line was sent too: {texts:?}");
    let of_request = answered.iter().find(|record| hex(&record.trace_id) == TRACE);
    let of_request = of_request.expect("the line of the request carries its trace");
    assert_eq!(of_request.span_id, request.span_id);
    assert_eq!(of_request.severity_number(), SeverityNumber::Info);
    assert!(!everything.contains(&person.to_string()), "no person");
    assert!(!everything.contains("CastBallot"), "no trace of a ballot (BAL-11)");
    assert!(!everything.contains("says too much"), "nothing that a ballot's handler says");
    Ok(())
}

fn traceparent(headers: &HeaderMap) -> Option<String> {
    headers.get("traceparent").map(ToString::to_string)
}

fn text(record: &LogRecord) -> &str {
    match record.body.as_ref().and_then(|body| body.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        _ => "",
    }
}
