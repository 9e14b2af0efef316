//! The commands of docs/operations.md, section "Secure it", in their order.

use std::os::unix::fs::PermissionsExt as _;

use crate::program::{Ended, User};
use crate::up::Going;

fn expect(ended: &Ended, code: i32) {
    assert_eq!(ended.code, code, "{}{}", ended.out, ended.err);
}

/// A user whose system has the certificates of its own `dev-ca`.
fn user() -> User {
    let nats = testkit::nats::program().expect("a nats-server");
    let user = User::new()
        .with("OSALLISUUS_NATS__SERVER", nats.display().to_string())
        .with("OSALLISUUS_LISTEN__GRPC", "127.0.0.1:0")
        .with("OSALLISUUS_TLS__CA", "certificates/ca.crt")
        .with("OSALLISUUS_TLS__CERTIFICATE", "certificates/osallisuus.crt")
        .with("OSALLISUUS_TLS__KEY", "certificates/osallisuus.key");
    expect(&user.runs(&["dev-ca", "certificates", "--days", "1", "--client", "lapland"]), 0);
    user
}

#[test]
fn sec_01_a_system_with_certificates_is_used_through_the_commands() {
    let user = user();
    let made = user.runs(&["init", "--data", "here", "--output", "json"]);
    expect(&made, 0);
    let code = made.json()["setup_code"].as_str().expect("a code").to_owned();
    let mut going = Going::start(user.command(&["up", "--data", "here", "--output", "json"]));
    let address = going.next_json()["grpc"].as_str().expect("an address").to_owned();
    assert!(address.starts_with("https://127.0.0.1:"), "{address}");

    let entering =
        ["sign-in", "--setup-code", "--name", "Aino Aalto", "--tenant", "19", "--server", &address];
    let shown = ["--ca", "certificates/ca.crt"];
    expect(&user.runs_with(&[&entering[..], &shown].concat(), &format!("{code}\n")), 4);
    let needed = user.runs_with(&entering, &format!("{code}\n"));
    expect(&needed, 2);
    assert!(needed.err.contains("--ca"), "{}", needed.err);
    let pair = ["--cert", "certificates/operator.crt", "--key", "certificates/operator.key"];
    expect(&user.runs_with(&[&entering[..], &shown, &pair].concat(), &format!("{code}\n")), 0);
    // The session remembers where and how.
    let status = user.runs(&["status", "--output", "json"]);
    expect(&status, 0);
    let dependencies = status.json()[0]["dependencies"].to_string();
    assert!(dependencies.contains("certificate"), "{dependencies}");
    // The same commands renew; the running system and the session's next command take it up.
    expect(&user.runs(&["dev-ca", "certificates", "--days", "1"]), 0);
    expect(&user.runs(&["status"]), 0);
    assert_eq!(going.stop(), Some(0));
}

#[test]
fn sec_01_doctor_says_how_long_certificates_are_good() {
    let user = user();
    expect(&user.runs(&["init"]), 0);
    let doctor = user.runs(&["doctor", "--output", "json"]);
    expect(&doctor, 0);
    let found = doctor.json();
    let found = found.as_array().unwrap().iter().find(|one| one["what"] == "certificate").expect("a finding");
    let detail = found["detail"].as_str().unwrap();
    assert!(
        detail.contains("spiffe://local/osallisuus") && detail.contains("0 days and 23 hours left"),
        "{detail}"
    );
    let key = user.home().join("certificates/osallisuus.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let doctor = user.runs(&["doctor"]);
    expect(&doctor, 3);
    assert!(doctor.out.contains("chmod 600"), "{}", doctor.out);
    let shown = user.runs(&["config", "show"]);
    assert!(!(shown.out + &shown.err).contains("PRIVATE KEY"));
}

#[test]
fn sec_01_an_authority_is_for_its_owner_never_overwritten_and_for_one_cell() {
    let user = user();
    let folder = user.home().join("certificates");
    for entry in std::fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let before = (read("ca.crt"), read("ca.key"), read("forums.crt"), read("forums.key"));
    let again = user.runs(&["dev-ca", "certificates", "--output", "json"]);
    expect(&again, 0);
    assert_eq!(again.json()["new_authority"], false);
    let after = (read("ca.crt"), read("ca.key"), read("forums.crt"), read("forums.key"));
    assert_eq!((&after.0, &after.1), (&before.0, &before.1));
    assert!(after.2 != before.2 && after.3 != before.3, "renewed");

    let other = user.runs(&["dev-ca", "certificates", "--cell", "other"]);
    expect(&other, 5);
    assert!(other.err.contains("not that of the cell other"), "{}", other.err);
    std::fs::remove_file(folder.join("ca.crt")).unwrap();
    let lost = user.runs(&["dev-ca", "certificates"]);
    expect(&lost, 5);
    assert_eq!(read("forums.crt"), after.2, "nothing is overwritten");
    expect(&user.runs(&["dev-ca", "certificates", "--days", "31"]), 2);
}

#[test]
fn rel_04_the_accounts_that_are_shipped_are_those_of_the_services() {
    let user = User::new().with("OSALLISUUS_NATS__READERS", "reader");
    for _ in 0..2 {
        expect(&user.runs(&["nats-config", "."]), 0);
    }
    let written = std::fs::read_to_string(user.home().join("accounts.conf")).unwrap();
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/nats/accounts.conf");
    if std::env::var_os("UPDATE_NATS_ACCOUNTS").is_some() {
        std::fs::write(&shipped, &written).unwrap();
    }
    let shipped = std::fs::read_to_string(shipped).unwrap_or_default();
    assert_eq!(written, shipped, "run the test with UPDATE_NATS_ACCOUNTS=1 and look at what changes");
    user.file("accounts.conf", "mine");
    let refused = user.runs(&["nats-config", "."]);
    expect(&refused, 5);
    assert_eq!(std::fs::read_to_string(user.home().join("accounts.conf")).unwrap(), "mine");
}
