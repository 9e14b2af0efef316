//! The doctor names what is wrong and what to do.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use testkit::postgres::Cluster;

use crate::program::{Ended, User};

/// What the doctor found about one thing.
fn finding(ended: &Ended, what: &str) -> Value {
    let findings = ended.json();
    let found = findings.as_array().expect("a list").iter().find(|finding| finding["what"] == what);
    found.unwrap_or_else(|| panic!("nothing about {what}: {}", ended.out)).clone()
}

#[test]
fn a_broken_configuration_is_told_with_every_fault() {
    let user = User::new();
    let file = user.file("broken.toml", "cell = \"Pohde!\"\ntenants = [\"99\"]\nlissten = 3\n");
    for command in [&["doctor"][..], &["up"], &["serve", "forums"], &["provision"], &["config", "show"]] {
        let arguments = [command, &["--config", file.to_str().unwrap()]].concat();
        let ended = user.runs(&arguments);
        assert_eq!(ended.code, 3, "{arguments:?}: {} {}", ended.out, ended.err);
        let said = ended.out + &ended.err;
        for fault in ["cell", "tenants", "lissten"] {
            assert!(said.contains(fault), "{arguments:?} does not name {fault}: {said}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    // Writable for nobody, root included.
    let user = User::new();
    for command in [&["doctor"][..], &["up"], &["init"]] {
        let ended = user.runs(&[command, &["--data", "/proc/osallisuus"]].concat());
        assert_eq!(ended.code, 3, "{command:?}: {} {}", ended.out, ended.err);
        assert!((ended.out + &ended.err).contains("/proc"), "{command:?}");
    }
}

#[test]
fn a_folder_that_was_not_made_yet_leads_to_init() {
    let ended = User::new().runs(&["doctor", "--output", "json"]);
    assert_eq!(ended.code, 3, "{}", ended.err);
    assert!(finding(&ended, "data folder")["remedy"].as_str().unwrap().contains("osallisuus init"));
    let up = User::new().runs(&["up"]);
    assert_eq!(up.code, 3, "{}", up.err);
    assert!(up.err.contains("osallisuus init"), "{}", up.err);
}

#[test]
fn unreachable_nats_and_postgresql_are_told_apart() {
    let user = User::new()
        .with("OSALLISUUS_NATS__URL", "nats://127.0.0.1:1")
        .with("OSALLISUUS_SERVICES__FORUMS__DATABASE", "postgres://me:s3cret@127.0.0.1:1/forums");
    let ended = user.runs(&["doctor", "--output", "json"]);
    assert_eq!(finding(&ended, "NATS")["state"], "fault");
    assert_eq!(finding(&ended, "database of forums")["state"], "fault");
    assert_eq!(finding(&ended, "database of membership")["state"], "ok");
    assert!(!ended.out.contains("s3cret"));
}

#[test]
fn an_embedded_nats_server_that_is_too_old_or_missing_is_named() {
    let user = User::new();
    let old = user.file("old", "#!/bin/sh\necho 'nats-server: v2.9.10'\n");
    std::fs::set_permissions(&old, Permissions::from_mode(0o755)).unwrap();
    for (program, says) in
        [(old.to_str().unwrap(), "too old"), ("/nowhere/nats-server", "/nowhere/nats-server")]
    {
        let user = User::new().with("OSALLISUUS_NATS__SERVER", program);
        let ended = user.runs(&["doctor", "--output", "json"]);
        let nats = finding(&ended, "NATS");
        assert_eq!(nats["state"], "fault");
        assert!(nats["detail"].as_str().unwrap().contains(says), "{nats}");
        assert!(nats["remedy"].as_str().unwrap().contains("2.10"), "{nats}");
    }
}

#[tokio::test]
async fn sec_41_a_role_that_could_rewrite_the_audit_log_is_noted_and_one_that_could_not_is_not() {
    let nats = testkit::nats::program().expect("a nats-server").display().to_string();
    let database = Cluster::shared().create_database().await.expect("a database");
    let (_, host) = database.rsplit_once('@').expect("an address");
    let name = host.split(['/', '?']).nth(1).expect("a name");
    let administrator = sea_orm::Database::connect(&database).await.expect("the superuser");
    for role in ["owner", "service"] {
        let statement = format!("CREATE ROLE {name}_{role} LOGIN PASSWORD 'secret'");
        administrator.execute_unprepared(&statement).await.expect("made");
    }
    let given = format!("ALTER DATABASE {name} OWNER TO {name}_owner");
    administrator.execute_unprepared(&given).await.expect("given");
    administrator.close().await.expect("closed");
    let address = |role: &str| format!("postgres://{name}_{role}:secret@{host}");
    let user = |database: &str, owner: &str| {
        User::new()
            .with("OSALLISUUS_NATS__SERVER", &nats)
            .with("OSALLISUUS_SERVICES__MEMBERSHIP__DATABASE", database)
            .with("OSALLISUUS_SERVICES__MEMBERSHIP__DATABASE_OWNER", owner)
    };
    let notes = |user: &User| -> Vec<String> {
        let found = user.runs(&["doctor", "--output", "json"]).json();
        let found = found.as_array().expect("a list").iter();
        let notes = found.filter(|one| one["what"] == "database of membership" && one["state"] == "note");
        notes.map(|one| format!("{} {}", one["detail"], one["remedy"])).collect()
    };
    let together = user(&address("service"), &address("owner"));
    assert_eq!(together.runs(&["init"]).code, 0, "it makes the tables, as the owner");
    assert_eq!(notes(&together), Vec::<String>::new());
    let alone = notes(&user(&address("owner"), ""));
    assert_eq!(alone.len(), 1, "{alone:?}");
    assert!(alone[0].contains("owns the audit log") && alone[0].contains("database_owner"), "{alone:?}");
}
