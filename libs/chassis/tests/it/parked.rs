//! An event that cannot be projected, as an operator meets it: listed, tried again, given up; all over gRPC.

use std::sync::atomic::{AtomicBool, Ordering};

use chassis::{Context, Parts, Service, StartError};
use futures::FutureExt as _;
use kernel::{Caller, HeldRole, Role, ScopeRef};
use messaging::HandlerError;
use proto::messaging::operator_service_client::OperatorServiceClient;
use proto::messaging::{
    DismissParkedEventRequest, ListParkedEventsRequest, ListParkedEventsResponse, ParkedEvent, ParkedKind,
    RedriveParkedEventsRequest,
};
use testkit::system::{Store, System};
use tonic::transport::Channel;
use tonic::{Code, Request};

use crate::fixture::{reason, refused};
use crate::pipeline::found_with;
use crate::toy::{FORUMS, TWICE};

/// Whether the listener cannot take anything. Only this file's test uses it.
static BROKEN: AtomicBool = AtomicBool::new(true);

/// Listens to forums, while it is not broken.
const LISTENER: Service =
    Service { name: "minutes", defaults: "", migrations: Vec::new, build: build_listener };

fn build_listener(_: &Context) -> Result<Parts, StartError> {
    Ok(Parts::default().consume("forums", |_, _| {
        async {
            match BROKEN.load(Ordering::SeqCst) {
                true => Err(HandlerError::Permanent("the listener is broken".to_owned())),
                false => Ok(()),
            }
        }
        .boxed()
    }))
}

/// What the operator of "minutes" does.
struct Operator<'a>(&'a System);

impl Operator<'_> {
    fn client(&self) -> OperatorServiceClient<Channel> {
        OperatorServiceClient::new(self.0.channel())
    }

    fn request<T>(&self, message: T) -> anyhow::Result<Request<T>> {
        let roles = vec![HeldRole { role: Role::Operator, scope: ScopeRef::Cell }];
        self.0.request("minutes", Caller { roles, ..Caller::service("test-operator") }, message)
    }

    async fn page(&self, page_size: u32, page_token: String) -> anyhow::Result<ListParkedEventsResponse> {
        let request = ListParkedEventsRequest { service: "minutes".into(), page_size, page_token };
        Ok(self.client().list_parked_events(self.request(request)?).await?.into_inner())
    }

    fn redrive(&self, aggregate_id: &str) -> anyhow::Result<Request<RedriveParkedEventsRequest>> {
        self.request(RedriveParkedEventsRequest {
            service: "minutes".into(),
            projection: "forums".into(),
            lane: "19".into(),
            aggregate_id: aggregate_id.to_owned(),
        })
    }

    fn dismiss(&self, seq: u64, reason: &str) -> anyhow::Result<Request<DismissParkedEventRequest>> {
        self.request(DismissParkedEventRequest {
            service: "minutes".into(),
            projection: "forums".into(),
            lane: "19".into(),
            seq,
            reason: reason.to_owned(),
        })
    }
}

fn places(events: &[ParkedEvent]) -> Vec<(u64, ParkedKind)> {
    events.iter().map(|event| (event.seq, event.kind())).collect()
}

#[tokio::test]
async fn rel_43_a_poison_event_is_listed_tried_again_and_given_up() -> anyhow::Result<()> {
    const REASON: &str = "the forum was founded by mistake";
    System::run(&[FORUMS, LISTENER], Store::Sqlite, async |system| {
        let first = found_with(system, TWICE).await?;
        system.settle().await?;
        let operator = Operator(system);
        let mut client = operator.client();

        // A page each for the poison and for what waits behind it.
        let page = operator.page(1, String::new()).await?;
        assert_eq!(places(&page.events), [(1, ParkedKind::Poison)]);
        let poison = &page.events[0];
        assert_eq!((poison.projection.as_str(), poison.source.as_str()), ("forums", "forums"));
        assert_eq!((poison.aggregate_type.as_str(), &poison.aggregate_id), ("forum", &first));
        assert_eq!(poison.event_type, "osallisuus.forums.v1.ForumFounded");
        assert!(poison.error.contains("the listener is broken"), "{}", poison.error);
        assert!(poison.parked_at.is_some());
        let page = operator.page(1, page.next_page_token).await?;
        assert_eq!(places(&page.events), [(2, ParkedKind::Blocked)]);
        assert_eq!(page.next_page_token, "");

        // Broken as it is, none is taken.
        let status = refused(client.redrive_parked_events(operator.redrive(&first)?).await)?;
        let said = (status.code(), reason(&status));
        assert_eq!(said, (Code::FailedPrecondition, "messaging.still_failing".to_owned()));
        let parked = operator.page(0, String::new()).await?.events;
        assert_eq!(places(&parked), [(1, ParkedKind::Poison), (2, ParkedKind::Blocked)]);
        assert!(parked[0].attempts > poison.attempts, "the attempt is counted");

        // Mended: both, in order.
        BROKEN.store(false, Ordering::SeqCst);
        let answer = client.redrive_parked_events(operator.redrive(&first)?).await?.into_inner();
        assert_eq!(answer.projected, 2);
        assert!(operator.page(0, String::new()).await?.events.is_empty());
        let status = refused(client.redrive_parked_events(operator.redrive(&first)?).await)?;
        assert_eq!(status.code(), Code::NotFound);

        // Another one, which nobody wants.
        BROKEN.store(true, Ordering::SeqCst);
        found_with(system, TWICE).await?;
        system.settle().await?;
        BROKEN.store(false, Ordering::SeqCst);
        for (seq, why, code) in [
            (3, "no", Code::InvalidArgument),
            (4, REASON, Code::FailedPrecondition),
            (9, REASON, Code::NotFound),
        ] {
            let status = refused(client.dismiss_parked_event(operator.dismiss(seq, why)?).await)?;
            assert_eq!(status.code(), code, "{seq} {why}: {status:?}");
        }
        let answer = client.dismiss_parked_event(operator.dismiss(3, REASON)?).await?.into_inner();
        assert_eq!(answer.projected, 1, "the one behind it");
        assert!(operator.page(0, String::new()).await?.events.is_empty());
        Ok(())
    })
    .await
}
