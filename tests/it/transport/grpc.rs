//! Whom the gRPC server lets in.

use std::sync::Arc;

use chassis::tls::{Keeper, TlsConnector, TlsFiles, identity_of};
use kernel::{Clock as _, SystemClock};
use messaging::audit::{PAGE, Whose, page};
use proto::forums::forums_service_client::ForumsServiceClient;
use proto::membership::{IssueServiceTokenRequest, ListRetiredReferencesRequest};
use rustls::version::{TLS12, TLS13};
use standalone::client::{ClientTls, Server};
use standalone::dev_ca;
use time::Duration;
use tokio::io::AsyncReadExt as _;
use tonic::transport::Endpoint;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use super::{CELL, Cell, answers, certify, certify_at, greeted};

#[tokio::test(flavor = "multi_thread")]
async fn sec_01_who_has_no_good_certificate_is_refused() {
    let cell = Cell::start().await;
    let address = cell.running.addr();
    let good = dev_ca::files(&cell.certificates, "client");
    greeted(address, &good, &[&TLS13]).await.expect("a client of the cell");
    assert!(answers(&cell.server("client")).await);

    assert!(greeted(address, &good, &[&TLS12]).await.is_err(), "TLS 1.2");
    let none = TlsFiles { own: None, ..good.clone() };
    assert!(greeted(address, &none, &[&TLS13]).await.is_err(), "no certificate");
    let ca_only = ClientTls { ca: Some(good.ca.clone()), ..ClientTls::default() };
    assert!(!answers(&cell.server_with(&ca_only)).await, "no certificate");

    let folder = tempfile::tempdir().expect("a folder");
    certify(folder.path());
    let foreign = dev_ca::files(folder.path(), "client");
    let foreign = TlsFiles { ca: good.ca.clone(), ..foreign };
    assert!(greeted(address, &foreign, &[&TLS13]).await.is_err(), "of another authority");
    assert!(
        !answers(&cell.server_with(&ClientTls::of(folder.path(), "client"))).await,
        "trusts another authority"
    );

    let plain = Server::at(&format!("http://{address}")).expect("an address");
    assert!(!answers(&plain).await, "plain text");
    assert!(answers(&cell.server("client")).await, "the others go on");
    cell.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_01_an_expired_certificate_is_refused_on_both_sides() {
    let cell = Cell::start().await;
    // An authority of three days ago, whose certificates were for one day, and which signs new ones now.
    let old = cell.certificates.with_file_name("old");
    certify_at(&old, SystemClock.now() - Duration::days(3));
    let expired = cell.certificates.with_file_name("expired");
    std::fs::create_dir(&expired).expect("a folder");
    for name in ["ca.crt", "client.crt", "client.key", "osallisuus.crt", "osallisuus.key"] {
        std::fs::copy(old.join(name), expired.join(name)).expect("copied");
    }
    certify(&old);
    for name in ["ca.crt", "ca.key", "osallisuus.crt", "osallisuus.key", "client.crt", "client.key"] {
        std::fs::copy(old.join(name), cell.certificates.join(name)).expect("copied");
    }
    let (address, good) = (cell.running.addr(), dev_ca::files(&cell.certificates, "client"));
    testkit::eventually(std::time::Duration::from_secs(20), async || {
        greeted(address, &good, &[&TLS13]).await.is_ok()
    })
    .await;
    let files = dev_ca::files(&expired, "client");
    assert!(greeted(address, &files, &[&TLS13]).await.is_err(), "the server refuses it");
    assert!(
        Server::secured(&cell.running.url(), &ClientTls::of(&expired, "client")).is_err(),
        "so does its owner"
    );
    cell.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_01_a_service_s_token_works_with_that_service_s_certificate_only() {
    let cell = Cell::start().await;
    let secret = cell.certificates.with_file_name("secrets").join("forums.secret");
    let secret = std::fs::read_to_string(secret).expect("the account's secret").trim().to_owned();
    let token = IssueServiceTokenRequest { account: "forums".into(), secret, audience: "membership".into() };
    let stranger = cell.server("client").public();
    let token = stranger.sign_in().issue_service_token(token).await.expect("a token").into_inner();
    let token = token.token.expect("a token").token;
    for (name, is_let_in) in
        [("forums", true), ("osallisuus", true), ("membership", false), ("client", false), ("lapland", false)]
    {
        let mut request = Request::new(ListRetiredReferencesRequest { cursor: 0, limit: 10 });
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
        let answer = cell.server(name).public().directory().list_retired_references(request).await;
        match answer {
            Ok(_) => assert!(is_let_in, "{name} was let in with forums' token"),
            Err(status) => {
                assert!(!is_let_in, "{name}: {status}");
                let reason = status.get_details_error_info().map(|info| info.reason);
                assert_eq!(
                    (status.code(), reason.as_deref()),
                    (Code::PermissionDenied, Some("access.certificate"))
                );
            }
        }
    }
    // A thief who asks for a change is kept in the audit log, as the account whose token it is.
    let mut request = Request::new(proto::membership::NotifyRequest::default());
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
    request.metadata_mut().insert("idempotency-key", "stolen-token-of-forums".parse().expect("a header"));
    let denied = cell.server("client").public().directory().notify(request).await;
    assert_eq!(denied.expect_err("a stolen token").code(), Code::PermissionDenied);
    let file = cell.certificates.with_file_name("membership.sqlite");
    let database = messaging::Database::look(&format!("sqlite://{}", file.display()), "membership").await;
    let database = database.expect("membership's database");
    let (rows, _) = page(&database, &Whose::All, 0, PAGE).await.expect("the audit log");
    let denials = rows.iter().filter(|row| row.code == "access.certificate");
    assert_eq!(
        denials.map(|row| row.rpc.as_str()).collect::<Vec<_>>(),
        ["/osallisuus.membership.v1.DirectoryService/Notify"]
    );
    database.close().await.expect("closed");
    // A person's token is the person's, whatever certificate their client has.
    let play = cell.server("operator").redeem_setup_code(&cell.setup_code, "Aino Aalto", "19").await;
    let session = play.expect("an administrator").session().expect("a session").to_owned();
    let elsewhere = cell.server("client").resume(session);
    let request = proto::messaging::GetStatusRequest { service: "forums".into() };
    elsewhere.operator("forums").get_status(request).await.expect("a person's token");
    cell.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_01_a_service_is_known_by_its_identity_not_by_its_address() {
    let cell = Cell::start().await;
    let keeper = Keeper::open(dev_ca::files(&cell.certificates, "forums"), false).expect("certificates");
    let asks = async |identity: &str| {
        let connector = TlsConnector::to_identity(Arc::clone(&keeper), identity);
        let endpoint = Endpoint::from_shared(format!("http://{}", cell.running.addr())).expect("an address");
        let mut forums = ForumsServiceClient::new(endpoint.connect_with_connector_lazy(connector));
        let request = proto::forums::ListForumsRequest { tenant: "19".into(), ..Default::default() };
        forums.list_forums(request).await.is_ok()
    };
    assert!(asks(&identity_of(CELL, "membership")).await);
    assert!(!asks(&identity_of(CELL, "partners")).await, "not among the services of the process");
    assert!(!asks(&identity_of("other", "membership")).await, "another cell");
    cell.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_50_a_client_that_does_not_shake_hands_is_dropped_and_holds_up_nobody() {
    let cell = Cell::start().await;
    let mut silent = tokio::net::TcpStream::connect(cell.running.addr()).await.expect("a connection");
    assert!(answers(&cell.server("client")).await);
    let end = tokio::time::timeout(std::time::Duration::from_secs(20), silent.read(&mut [0; 1])).await;
    assert!(matches!(end, Ok(Ok(0) | Err(_))), "the server ends it: {end:?}");
    cell.running.stop().await;
}
