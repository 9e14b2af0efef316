//! Certificates are renewed while the process runs.

use std::time::Duration;

use proto::messaging::GetStatusRequest;
use rustls::version::TLS13;
use standalone::client::Account;
use standalone::dev_ca;
use tokio_util::sync::CancellationToken;

use super::{Cell, answers, certify, greeted};

const PATIENCE: Duration = Duration::from_secs(20);

/// What the operator sees of the certificate.
async fn state(operator: &Account) -> (bool, String) {
    let request = GetStatusRequest { service: "forums".to_owned() };
    let status = operator.operator("forums").get_status(request).await.expect("a status").into_inner();
    let found = status.dependencies.into_iter().find(|one| one.name == "certificate").expect("a certificate");
    (found.ok, found.detail)
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_01_new_certificates_are_taken_up_without_a_failed_request_and_broken_ones_are_not() {
    let cell = Cell::start().await;
    let address = cell.running.addr();
    let client = || dev_ca::files(&cell.certificates, "client");
    let operator = cell.server("operator").redeem_setup_code(&cell.setup_code, "Aino Aalto", "19").await;
    let operator = operator.expect("an administrator");
    assert_eq!(state(&operator).await, (true, String::new()));
    let before = greeted(address, &client(), &[&TLS13]).await.expect("a client");

    // Somebody whose connection is older than the new certificates.
    let (old, done) = (cell.server("client"), CancellationToken::new());
    assert!(answers(&old).await);
    let stop = done.clone();
    let busy = tokio::spawn(async move {
        let mut calls = 0;
        while !stop.is_cancelled() {
            assert!(answers(&old).await, "call {calls} over the old connection");
            calls += 1;
        }
        calls
    });
    certify(&cell.certificates);
    testkit::eventually(PATIENCE, async || {
        greeted(address, &client(), &[&TLS13]).await.is_ok_and(|shown| shown != before)
    })
    .await;
    assert!(answers(&cell.server("client")).await, "with the new certificate of the client");
    done.cancel();
    assert!(busy.await.expect("no call failed") > 0);
    assert_eq!(state(&operator).await, (true, String::new()));

    let renewed = greeted(address, &client(), &[&TLS13]).await.expect("a client");
    std::fs::write(cell.certificates.join("osallisuus.crt"), "not a certificate").expect("written");
    testkit::eventually(PATIENCE, async || !state(&operator).await.0).await;
    let (_, said) = state(&operator).await;
    assert!(said.contains("osallisuus.crt") && said.contains("PEM"), "{said}");
    assert_eq!(greeted(address, &client(), &[&TLS13]).await.expect("the old one goes on"), renewed);
    assert!(answers(&cell.server("client")).await);

    certify(&cell.certificates);
    testkit::eventually(PATIENCE, async || state(&operator).await.0).await;
    let mended = greeted(address, &client(), &[&TLS13]).await.expect("a client");
    assert_ne!(mended, renewed);
    cell.running.stop().await;
}
