//! Whom the access layer lets in, and what it asks of a request.

use std::time::Duration;

use http::uri::PathAndQuery;
use kernel::{Assurance, Caller, HeldRole, Role, ScopeRef};
use proto::forums::forums_service_client::ForumsServiceClient;
use proto::forums::{
    FoundForumRequest, GetForumRequest, GetForumResponse, GetMySeatRequest, ListForumsRequest,
    ListSeatHoldersRequest,
};
use tonic::transport::Endpoint;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use crate::fixture::{Fixture, reason, refused};

fn found(tenant: &str) -> FoundForumRequest {
    FoundForumRequest { tenant: tenant.to_owned(), ..Default::default() }
}

fn get(forum_id: &str) -> GetForumRequest {
    GetForumRequest { forum_id: forum_id.to_owned() }
}

#[tokio::test]
async fn sec_11_a_path_that_is_no_rpc_is_denied() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    for path in [
        "/osallisuus.forums.v1.ForumsService/DropForum",
        "/osallisuus.forums.v1.ForumsService/getforum",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/evil",
        "/",
    ] {
        let mut client = tonic::client::Grpc::new(fixture.channel.clone());
        client.ready().await?;
        let codec = tonic_prost::ProstCodec::<GetForumRequest, GetForumRequest>::default();
        let answer = client.unary(Request::new(get("x")), path.parse()?, codec).await;
        let status = refused(answer)?;
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::PermissionDenied, "access.unknown_rpc"),
            "{path}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_role_opens_the_scope_it_is_held_in_and_no_other() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let mut forums = fixture.forums();
    let here = fixture.administrator("19")?;
    let answer = forums.found_forum(fixture.request(here.clone(), found("19"))?).await?.into_inner();
    assert_eq!(
        answer.forum.map(|forum| forum.tenant).as_deref(),
        Some("19"),
        "the scope reaches the handler"
    );

    let cases = [
        ("no token", Request::new(found("19")), Code::Unauthenticated, "access.sign_in"),
        ("other county", fixture.request(here.clone(), found("21"))?, Code::PermissionDenied, "access.scope"),
        ("no county", fixture.request(here.clone(), found(""))?, Code::InvalidArgument, "request.invalid"),
        (
            "a county that is none",
            fixture.request(here.clone(), found("9"))?,
            Code::InvalidArgument,
            "request.invalid",
        ),
        (
            "not sure enough",
            fixture.request(Caller { assurance: Assurance::Low, ..here.clone() }, found("19"))?,
            Code::PermissionDenied,
            "access.assurance",
        ),
        (
            "another role",
            fixture.request(
                Caller { roles: vec![HeldRole { role: Role::Auditor, ..here.roles[0] }], ..here.clone() },
                found("19"),
            )?,
            Code::PermissionDenied,
            "access.scope",
        ),
        (
            "the deployment is not the county",
            fixture.request(
                Caller { roles: vec![HeldRole { scope: ScopeRef::Cell, ..here.roles[0] }], ..here.clone() },
                found("19"),
            )?,
            Code::PermissionDenied,
            "access.scope",
        ),
    ];
    for (what, request, code, expected) in cases {
        let status = refused(forums.found_forum(request).await)?;
        assert_eq!((status.code(), reason(&status).as_str()), (code, expected), "{what}: {status:?}");
    }
    let status = refused(forums.found_forum(fixture.request(here, found("9"))?).await)?;
    let violations = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
    assert_eq!(violations.first().map(|violation| violation.field.as_str()), Some("tenant"));
    Ok(())
}

#[tokio::test]
async fn what_is_a_persons_own_is_closed_to_services() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let service = fixture.request(Caller::service("membership"), GetMySeatRequest::default())?;
    let status = refused(fixture.forums().get_my_seat(service).await)?;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "access.scope"));
    let person = Caller::person(fixture.ids.new_id());
    fixture.forums().get_my_seat(fixture.request(person, GetMySeatRequest::default())?).await?;
    Ok(())
}

#[tokio::test]
async fn a_role_in_one_forum_is_none_in_another() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let (own, other) = (fixture.ids.new_id(), fixture.ids.uuid());
    let roles = vec![HeldRole { role: Role::ForumChair, scope: ScopeRef::Forum(own) }];
    let person = Caller::person(fixture.ids.new_id());
    let chair = Caller { roles, assurance: Assurance::High, ..person };
    let list = |forum: String| ListSeatHoldersRequest { forum_id: forum, purpose: "Testing".to_owned() };
    let mut forums = fixture.forums();
    forums.list_seat_holders(fixture.request(chair.clone(), list(own.to_string()))?).await?;
    let elsewhere = fixture.request(chair, list(other.to_string()))?;
    assert_eq!(refused(forums.list_seat_holders(elsewhere).await)?.code(), Code::PermissionDenied);
    Ok(())
}

#[tokio::test]
async fn rel_20_a_changing_request_carries_an_idempotency_key() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let mut forums = fixture.forums();
    for key in [None, Some("short"), Some("0123456789 0123456789")] {
        let mut request = fixture.request(fixture.administrator("19")?, found("19"))?;
        request.metadata_mut().remove("idempotency-key");
        if let Some(key) = key {
            request.metadata_mut().insert("idempotency-key", key.parse()?);
        }
        let status = refused(forums.found_forum(request).await)?;
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::InvalidArgument, "request.idempotency_key")
        );
    }
    let caller = fixture.administrator("19")?;
    let mut call = async |name: &str| {
        let message = FoundForumRequest { name: name.to_owned(), ..found("19") };
        let mut request = fixture.request(caller.clone(), message).expect("a request");
        request.metadata_mut().insert("idempotency-key", "the-same-key-each-time".parse().expect("a key"));
        forums.found_forum(request).await
    };
    let first = call("Ii").await?.into_inner();
    assert_eq!(call("Ii").await?.into_inner(), first, "the same request has the same answer");
    let status = refused(call("Simo").await)?;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::AlreadyExists, "idempotency_key_reused"));
    Ok(())
}

#[tokio::test]
async fn sec_50_a_message_of_ten_megabytes_is_refused_and_the_connection_lives_on() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let big = GetForumRequest { forum_id: "x".repeat(10_000_000) };
    let status = refused(fixture.forums().get_forum(big).await)?;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "request.too_large"));
    fixture.forums().get_forum(get("f")).await?;
    Ok(())
}

#[tokio::test]
async fn sec_50_compressed_requests_are_refused() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let mut forums = fixture.forums().send_compressed(tonic::codec::CompressionEncoding::Gzip);
    let status = refused(forums.get_forum(get("f")).await)?;
    assert_eq!(reason(&status), "request.malformed");
    Ok(())
}

#[tokio::test]
async fn bytes_that_are_no_message_are_the_callers_fault_and_a_failing_handler_is_ours() -> anyhow::Result<()>
{
    let fixture = Fixture::start("").await?;
    let mut client = tonic::client::Grpc::new(fixture.channel.clone());
    client.ready().await?;
    // A field that is a text, with bytes that are none.
    let codec = tonic_prost::ProstCodec::<Vec<u8>, GetForumResponse>::default();
    let path: PathAndQuery = "/osallisuus.forums.v1.ForumsService/GetForum".parse()?;
    let status = refused(client.unary(Request::new(vec![0xff]), path.clone(), codec).await)?;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "request.malformed"));
    // A field more than the handler knows, which another RPC would not take.
    let newer = ListForumsRequest { tenant: "internal".into(), page_size: 5, ..Default::default() };
    let codec = tonic_prost::ProstCodec::<ListForumsRequest, GetForumResponse>::default();
    client.ready().await?;
    let status = refused(client.unary(Request::new(newer), path, codec).await)?;
    assert_eq!(status.code(), Code::Internal);
    Ok(())
}

#[tokio::test]
async fn sec_50_calls_a_minute_are_limited_for_each_caller() -> anyhow::Result<()> {
    let fixture = Fixture::start("limits.per_minute = 2").await?;
    let mut forums = fixture.forums();
    let (one, other) = (Caller::person(fixture.ids.new_id()), Caller::person(fixture.ids.new_id()));
    for _ in 0..2 {
        forums.get_my_seat(fixture.request(one.clone(), GetMySeatRequest::default())?).await?;
    }
    let status = refused(forums.get_my_seat(fixture.request(one, GetMySeatRequest::default())?).await)?;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "access.rate"));
    assert!(status.get_details_retry_info().is_some_and(|info| info.retry_delay.is_some()));
    forums.get_my_seat(fixture.request(other, GetMySeatRequest::default())?).await?;
    Ok(())
}

#[tokio::test]
async fn sec_50_each_address_has_calls_of_its_own_where_nobody_signs_in() -> anyhow::Result<()> {
    let fixture = Fixture::start("limits.per_minute = 2").await?;
    for address in [[127, 0, 0, 2], [127, 0, 0, 3]] {
        let endpoint = Endpoint::from_shared(format!("http://{}", fixture.running.addr()))?;
        let channel = endpoint.local_address(Some(address.into())).connect().await?;
        let mut forums = ForumsServiceClient::new(channel);
        for _ in 0..2 {
            forums.get_forum(get("f")).await?;
        }
        assert_eq!(reason(&refused(forums.get_forum(get("f")).await)?), "access.rate");
    }
    Ok(())
}

#[tokio::test]
async fn guessing_tokens_is_limited_by_address() -> anyhow::Result<()> {
    let fixture = Fixture::start("limits.per_minute = 3").await?;
    let mut codes = Vec::new();
    for number in 0..4 {
        let request = fixture.request_with(&format!("guess-{number}"), GetMySeatRequest::default())?;
        codes.push(refused(fixture.forums().get_my_seat(request).await)?.code());
    }
    assert_eq!(codes[..3], [Code::Unauthenticated; 3]);
    assert_eq!(codes[3], Code::ResourceExhausted);
    Ok(())
}

#[tokio::test]
async fn sec_50_a_request_ends_at_its_deadline() -> anyhow::Result<()> {
    let fixture = Fixture::start("limits.deadline_seconds = 1").await?;
    let status = refused(fixture.forums().get_forum(get("never")).await)?;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "access.deadline"));
    let mut request = Request::new(get("never"));
    request.set_timeout(Duration::from_millis(50));
    // Who notices first, client or server, is a matter of luck; both end it.
    let code = refused(fixture.forums().get_forum(request).await)?.code();
    assert!(matches!(code, Code::DeadlineExceeded | Code::Cancelled), "{code:?}");
    Ok(())
}

#[tokio::test]
async fn sec_50_more_requests_than_the_process_can_take_are_refused() -> anyhow::Result<()> {
    let fixture = Fixture::start("limits.requests = 1").await?;
    let mut forums = fixture.forums();
    let mut hanging = fixture.forums();
    let hanging = tokio::spawn(async move { hanging.get_forum(get("never")).await });
    testkit::eventually(Duration::from_secs(5), async || {
        let answer = forums.get_forum(get("f")).await;
        answer.is_err_and(|status| reason(&status) == "access.busy")
    })
    .await;
    hanging.abort();
    testkit::eventually(Duration::from_secs(5), async || forums.get_forum(get("f")).await.is_ok()).await;
    Ok(())
}

#[tokio::test]
async fn sec_50_headers_alone_hold_no_place_and_end_at_the_usual_deadline() -> anyhow::Result<()> {
    let fixture = Fixture::start("limits.requests = 1\nlimits.deadline_seconds = 1").await?;
    fixture.forums().get_forum(get("f")).await?;
    let mut client = tonic::client::Grpc::new(fixture.channel.clone());
    client.ready().await?;
    let mut request = Request::new(futures::stream::pending::<GetForumRequest>());
    request.set_timeout(Duration::from_secs(300));
    let path = "/osallisuus.forums.v1.ForumsService/GetForum".parse()?;
    let codec = tonic_prost::ProstCodec::<GetForumRequest, GetForumResponse>::default();
    let mut hanging = std::pin::pin!(client.client_streaming(request, path, codec));
    // Sent, on the same connection before what follows.
    assert!(futures::poll!(hanging.as_mut()).is_pending());
    fixture.forums().get_forum(get("f")).await?;
    let status = refused(hanging.await)?;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "access.deadline"));
    Ok(())
}

#[tokio::test]
async fn sec_50_a_deadline_longer_than_usual_is_for_those_signed_in() -> anyhow::Result<()> {
    let fixture = Fixture::start("limits.deadline_seconds = 1").await?;
    let patient = |mut request: Request<_>| {
        request.set_timeout(Duration::from_secs(60));
        request
    };
    let mut anonymous = Request::new(get("never"));
    anonymous.set_timeout(Duration::from_secs(60));
    let status = refused(fixture.forums().get_forum(anonymous).await)?;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "access.deadline"));

    let forum = fixture.ids.new_id();
    let roles = vec![HeldRole { role: Role::ForumChair, scope: ScopeRef::Forum(forum) }];
    let person = Caller::person(fixture.ids.new_id());
    let chair = Caller { roles, assurance: Assurance::High, ..person };
    let slow = ListSeatHoldersRequest { forum_id: forum.to_string(), purpose: "slow".into() };
    let status =
        refused(fixture.forums().list_seat_holders(fixture.request(chair.clone(), slow.clone())?).await)?;
    assert_eq!(reason(&status), "access.deadline");
    fixture.forums().list_seat_holders(patient(fixture.request(chair, slow)?)).await?;
    Ok(())
}

#[tokio::test]
async fn a_panic_costs_one_request_and_internal_texts_stay_inside() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    for id in ["panic", "internal"] {
        let status = refused(fixture.forums().get_forum(get(id)).await)?;
        assert_eq!(status.code(), Code::Internal);
        assert!(!format!("{status:?}").contains("Maija"), "{status:?}");
    }
    fixture.forums().get_forum(get("f")).await?;
    Ok(())
}
