//! Streams are made in a nats-server that others run.

use serde_json::Value;

use crate::program::User;

#[test]
fn streams_are_made_once_and_a_second_time_changes_nothing() {
    let nats = testkit::nats::Server::start().expect("a nats-server");
    let user = User::new().with("OSALLISUUS_NATS__URL", nats.url());
    for time in ["first", "second"] {
        let ended = user.runs(&["provision", "--output", "json"]);
        assert_eq!(ended.code, 0, "{time}: {}{}", ended.out, ended.err);
        let streams = ended.json();
        let services: Vec<&Value> = streams.as_array().unwrap().iter().map(|one| &one["service"]).collect();
        assert_eq!(services, ["membership", "forums", "proposals"], "{time}");
    }
    let doctor = user.runs(&["doctor", "--output", "json"]);
    assert!(doctor.out.contains("3 streams"), "{}", doctor.out);
}

#[test]
fn the_profile_and_the_credentials_of_the_settings_count() {
    let nats = testkit::nats::Server::start().expect("a nats-server");
    let user = User::new().with("OSALLISUUS_NATS__URL", nats.url());
    let production =
        user.with("OSALLISUUS_NATS__PROFILE", "production").with("OSALLISUUS_NATS__REPLICAS", "1");
    for command in ["provision", "doctor"] {
        let ended = production.runs(&[command]);
        assert_ne!(ended.code, 0, "{command}");
        let said = ended.out + &ended.err;
        assert!(said.contains("nats.replicas"), "{command}: {said}");
    }
    let missing = User::new()
        .with("OSALLISUUS_NATS__URL", nats.url())
        .with("OSALLISUUS_NATS__CREDENTIALS", "/nowhere/osallisuus.creds");
    for command in ["provision", "doctor"] {
        let ended = missing.runs(&[command]);
        assert_eq!(ended.code, 3, "{command}");
        let said = ended.out + &ended.err;
        assert!(said.contains("/nowhere/osallisuus.creds"), "{command}: {said}");
    }
}

#[test]
fn nats_that_is_not_there_is_named() {
    let user = User::new().with("OSALLISUUS_NATS__URL", "nats://127.0.0.1:1");
    let ended = user.runs(&["provision"]);
    assert_eq!(ended.code, 4, "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("NATS") && ended.err.contains("nats.url"), "{}", ended.err);
}
