//! What would go over a network in plain text, or to nobody knows whom, is a fault of the configuration.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use chassis::{Config, StartError};
use kernel::{Clock as _, SystemClock};
use time::Duration;

use super::{SERVICES, certify, certify_at, files};

/// Settings as TOML.
fn toml(settings: &[(String, String)]) -> String {
    settings.iter().map(|(name, value)| format!("{name} = {value}\n")).collect()
}

/// The keys at fault.
fn faults(text: &str) -> Vec<String> {
    let faults = Config::from_toml(SERVICES, text).expect_err("faults");
    for fault in faults.faults() {
        assert!(!fault.rule.is_empty() && !fault.remedy.is_empty(), "{fault}");
    }
    faults.faults().iter().map(|fault| fault.key.clone()).collect()
}

#[test]
fn sec_01_plain_text_beyond_this_machine_is_refused_all_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        r#"
        data_dir = {:?}
        listen.grpc = "0.0.0.0:7400"
        nats.url = "nats://127.0.0.1:4222, nats://nats-2.example.fi:4222"
        nats.readers = ["forums"]
        services.membership.address = "http://10.0.0.5:7400"
        services.membership.database = "postgres://me:s3cret@db.example.fi/membership?sslmode=require"
        services.forums.address = "https://10.0.0.6:7400"
        services.forums.database = "postgres://me:s3cret@10.0.0.7/forums"
        services.forums.database_owner = "postgres://owner:s3cret@10.0.0.7/forums?sslmode=require"
        telemetry.otlp_endpoint = "http://collector.example.fi:4317"
        telemetry.prometheus = "0.0.0.0:9464"
        tls.clients = "perhaps"
        "#,
        folder.path(),
    );
    assert_eq!(
        faults(&text),
        [
            "listen.grpc",
            "nats.readers",
            "nats.url",
            "services.forums.address",
            "services.forums.database",
            "services.forums.database_owner",
            "services.membership.address",
            "services.membership.database",
            "telemetry.otlp_endpoint",
            "telemetry.prometheus",
            "tls.clients",
        ]
    );
}

#[test]
fn sec_01_what_is_encrypted_or_stays_here_is_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    certify(folder.path());
    let tls = toml(&files(folder.path(), "osallisuus", "tls"));
    for (what, more) in [
        ("a listener", "listen.grpc = \"0.0.0.0:7400\""),
        (
            "a cluster",
            "nats.url = \"tls://a.example.fi:4222,tls://b.example.fi:4222\"\nnats.readers = [\"lapland\"]",
        ),
        ("a service", "services.forums.address = \"https://10.0.0.6:7400\""),
        ("a database", "services.forums.database = \"postgres://f@10.0.0.7/f?sslmode=verify-full\""),
        ("a near database", "services.forums.database = \"postgres://f@localhost/f\""),
        ("a socket", "services.forums.database = \"postgres:///f?host=/var/run/postgresql\""),
        (
            "an owner of tables",
            "services.forums.database = \"postgres://f@10.0.0.7/f?sslmode=verify-full\"\n\
             services.forums.database_owner = \"postgres://o@10.0.0.7/f?sslmode=verify-full\"",
        ),
        (
            "telemetry here",
            "telemetry.otlp_endpoint = \"http://localhost:4317\"\ntelemetry.prometheus = \"127.0.0.1:9464\"",
        ),
        (
            "telemetry in a network that is closed",
            "telemetry.network_is_closed = true\ntelemetry.prometheus = \"0.0.0.0:9464\"\n\
             telemetry.otlp_endpoint = \"http://10.0.0.8:4317\"",
        ),
    ] {
        let text = format!("data_dir = {:?}\ncell = \"test\"\n{tls}{more}\n", folder.path());
        if let Err(faults) = Config::from_toml(SERVICES, &text) {
            panic!("{what}: {faults}");
        }
    }
}

#[tokio::test]
async fn sec_01_files_that_are_no_good_are_refused_with_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, data) = (folder.path().join("certificates"), format!("data_dir = {:?}\n", folder.path()));
    certify_at(&path, SystemClock.now() - Duration::days(3));
    let set = |name: &str| format!("{data}cell = \"test\"\n{}", toml(&files(&path, name, "tls")));
    let said = |text: &str| Config::from_toml(SERVICES, text).expect_err("faults").to_string();
    assert!(said(&set("osallisuus")).contains("tls.certificate"), "expired");
    assert!(said(&set("osallisuus")).contains("has expired"));
    certify(&path);
    assert!(Config::from_toml(SERVICES, &set("osallisuus")).is_ok());

    std::fs::set_permissions(path.join("forums.key"), Permissions::from_mode(0o640)).expect("a mode");
    assert!(said(&set("forums")).contains("chmod 600"));
    std::fs::copy(path.join("forums.crt"), path.join("membership.crt")).expect("copied");
    assert!(said(&set("membership")).contains("is not the key"));
    assert!(said(&set("nobody")).contains("nobody.key"));
    assert_eq!(faults(&format!("{data}tls.key = \"x\"\n")), ["tls.ca", "tls.certificate"]);

    // The certificate of forums is not one for a process that is membership too; nor is another cell's.
    std::fs::set_permissions(path.join("forums.key"), Permissions::from_mode(0o600)).expect("a mode");
    for text in [set("forums"), set("osallisuus").replace("\"test\"", "\"other\"")] {
        let config = Config::from_toml(SERVICES, &text).expect("settings in order");
        let refused = chassis::start(SERVICES, config).await.expect_err("a start");
        assert!(matches!(&refused, StartError::Config(_)), "{refused}");
        assert!(refused.to_string().contains("/membership"), "{refused}");
    }
}
