//! Two services small enough to see the chassis through: "forums" answers some RPCs of the real contract, "minutes"
//! listens to its events.

use std::convert::Infallible;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use bytes::Bytes;
use chassis::{Call, Context, Parts, Service, StartError, status};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http_body_util::StreamBody;
use kernel::{Fault, Ids};
use messaging::{NewEvent, Tx, Writer};
use proto::forums as api;
use proto::forums::forums_service_server::{ForumsService, ForumsServiceServer};
use tonic::body::Body;
use tonic::{Request, Response, Status};

/// A forum of this name is told of by two events.
pub(crate) const TWICE: &str = "Kahdesti";
/// A forum of this name is refused by a rule.
pub(crate) const CLOSED: &str = "Suljettu";

/// Publishes an event for every forum founded.
pub(crate) const FORUMS: Service = Service {
    name: "forums",
    defaults: "# How often, in seconds.\nremind_seconds = 60",
    migrations: Vec::new,
    build: build_forums,
};

/// Listens to forums.
pub(crate) const MINUTES: Service =
    Service { name: "minutes", defaults: "", migrations: Vec::new, build: build_minutes };

fn build_forums(context: &Context) -> Result<Parts, StartError> {
    #[derive(serde::Deserialize)]
    struct Settings {
        remind_seconds: u64,
    }
    let settings: Settings = context.settings()?;
    if settings.remind_seconds == 0 {
        return Err(context.refuse("remind_seconds", "must not be 0", "write 60"));
    }
    let api = Api { writer: context.writer.clone(), ids: context.ids.clone() };
    Ok(Parts::default().grpc(ForumsServiceServer::new(api)).grpc(Elections))
}

fn build_minutes(_: &Context) -> Result<Parts, StartError> {
    Ok(Parts::default().consume("forums", |_, _| async { Ok(()) }.boxed()))
}

struct Api {
    writer: Writer,
    ids: Ids,
}

#[tonic::async_trait]
impl ForumsService for Api {
    /// The forum's id tells what happens.
    async fn get_forum(
        &self,
        request: Request<api::GetForumRequest>,
    ) -> Result<Response<api::GetForumResponse>, Status> {
        match request.get_ref().forum_id.as_str() {
            "never" => std::future::pending().await,
            "slow" => tokio::time::sleep(Duration::from_millis(300)).await,
            "panic" => panic!("a fault of the program"),
            "internal" => return Err(status(Fault::internal("the disk of Maija Meikäläinen is full"))),
            _ => {}
        }
        let forum = api::Forum { forum_id: request.into_inner().forum_id, ..Default::default() };
        Ok(Response::new(api::GetForumResponse { forum: Some(forum) }))
    }

    async fn found_forum(
        &self,
        request: Request<api::FoundForumRequest>,
    ) -> Result<Response<api::FoundForumResponse>, Status> {
        let call = Call::of(&request)?;
        let tenant = call.scope.tenant().map_err(status)?;
        let forum_id = self.ids.uuid().to_string();
        let events = match request.get_ref().name.as_str() {
            TWICE => 2,
            CLOSED => 0,
            _ => 1,
        };
        let answer = self.writer.run(call.command(), (tenant, forum_id, events), found).await;
        Ok(Response::new(answer.map_err(status)?))
    }

    async fn get_my_seat(
        &self,
        request: Request<api::GetMySeatRequest>,
    ) -> Result<Response<api::GetMySeatResponse>, Status> {
        Call::of(&request)?.scope.subject().map_err(status)?;
        Ok(Response::new(api::GetMySeatResponse::default()))
    }

    async fn list_seat_holders(
        &self,
        request: Request<api::ListSeatHoldersRequest>,
    ) -> Result<Response<api::ListSeatHoldersResponse>, Status> {
        Call::of(&request)?.scope.forum().map_err(status)?;
        match request.get_ref().purpose.as_str() {
            "slow" => tokio::time::sleep(Duration::from_millis(1_200)).await,
            "panic" => panic!("nobody may read this"),
            _ => {}
        }
        Ok(Response::new(api::ListSeatHoldersResponse::default()))
    }

    async fn approve_seat_plan(
        &self,
        _: Request<api::ApproveSeatPlanRequest>,
    ) -> Result<Response<api::ApproveSeatPlanResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn confirm_joint_forum(
        &self,
        _: Request<api::ConfirmJointForumRequest>,
    ) -> Result<Response<api::ConfirmJointForumResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_forums(
        &self,
        _: Request<api::ListForumsRequest>,
    ) -> Result<Response<api::ListForumsResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_seats(
        &self,
        _: Request<api::ListSeatsRequest>,
    ) -> Result<Response<api::ListSeatsResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn declare_vacancy(
        &self,
        _: Request<api::DeclareVacancyRequest>,
    ) -> Result<Response<api::DeclareVacancyResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

fn found<'a>(
    tx: &'a Tx,
    (tenant, forum_id, events): &'a (kernel::TenantId, String, usize),
) -> BoxFuture<'a, Result<api::FoundForumResponse, Fault>> {
    if *events == 0 {
        return async { Err(Fault::conflict("forums.closed", "No forum is founded.")) }.boxed();
    }
    let event = api::ForumFounded { forum_id: forum_id.clone(), ..Default::default() };
    for _ in 0..*events {
        tx.publish(NewEvent::of(*tenant, "forum", forum_id, &event));
    }
    let forum = api::Forum { forum_id: forum_id.clone(), tenant: tenant.to_string(), ..Default::default() };
    async { Ok(api::FoundForumResponse { forum: Some(forum) }) }.boxed()
}

/// Answers every RPC of the elections with an empty message, and talks about it.
#[derive(Clone)]
struct Elections;

impl tonic::server::NamedService for Elections {
    const NAME: &'static str = "osallisuus.forums.v1.ElectionsService";
}

impl tower::Service<http::Request<Body>> for Elections {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let call = request.extensions().get::<Call>().expect("a call that was let in");
            tracing::error!(principal = call.caller.principal(), "a handler that says too much");
            let trailers = http::HeaderMap::from_iter([(
                "grpc-status".parse().expect("a test needs it"),
                "0".parse().expect("a test needs it"),
            )]);
            let frames = [
                Ok::<_, Status>(http_body::Frame::data(Bytes::from_static(&[0; 5]))),
                Ok(http_body::Frame::trailers(trailers)),
            ];
            let body = Body::new(StreamBody::new(futures::stream::iter(frames)));
            let response = http::Response::builder().header("content-type", "application/grpc").body(body);
            Ok(response.expect("a response"))
        })
    }
}
