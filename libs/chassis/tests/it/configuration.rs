//! What is wrong with a configuration is said at once, all of it.

use chassis::{Config, ConfigFaults};

use crate::fixture::config;
use crate::toy::{FORUMS, MINUTES};

fn faults(text: &str) -> ConfigFaults {
    Config::from_toml(&[FORUMS], text).expect_err("faults")
}

#[test]
fn every_fault_is_reported_at_once_with_key_value_rule_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let text = format!(
        r#"
        cell = "Pohjois Pohjanmaa"
        tenants = ["19", "99"]
        data_dir = "{}/data"
        demmo = true
        listen.grpc = "0.0.0.0:7400"
        listen.port = 7400
        nats.url = "http://me:s3cret@nats"
        nats.replicas = 2
        telemetry.format = "pretty"
        telemetry.sample = 2
        limits.message_bytes = "many"
        clock.demo_start = "tomorrow"
        services.forums.database = "mysql://me:s3cret@db/forums"
        services.forums.remind = 5
        services.fourms.database = "sqlite"
        "#,
        file.display()
    );
    let faults = faults(&text);
    let keys: Vec<&str> = faults.faults().iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "cell",
            "clock.demo_start",
            "clock.demo_start",
            "data_dir",
            "demmo",
            "limits.message_bytes",
            "listen.grpc",
            "listen.port",
            "nats.replicas",
            "nats.url",
            "services.forums.database",
            "services.forums.remind",
            "services.fourms.database",
            "services.membership.address",
            "telemetry.format",
            "telemetry.sample",
            "tenants",
        ],
        "{faults}"
    );
    let said = faults.to_string();
    assert!(!said.contains("s3cret"), "{said}");
    assert!(said.contains("demmo (text): there is no such setting"), "{said}");
    assert!(said.contains("limits.message_bytes = \"many\" (text): must be a whole number"), "{said}");
    assert!(said.contains("must be a folder"), "{said}");
    for fault in faults.faults() {
        assert!(!fault.rule.is_empty() && !fault.remedy.is_empty(), "{fault}");
    }
}

#[test]
fn an_unreadable_file_and_a_broken_one_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.toml");
    let faults = Config::load(&[FORUMS], Some(&missing), []).expect_err("no file");
    assert!(faults.to_string().contains("missing.toml"), "{faults}");
    let broken = folder.path().join("broken.toml");
    std::fs::write(&broken, "cell = \"a\"\ntenants = [\n").unwrap();
    let faults = Config::load(&[FORUMS], Some(&broken), []).expect_err("no TOML");
    let said = faults.to_string();
    assert!(said.contains("broken.toml") && said.contains("must be TOML") && said.contains("line"), "{said}");
}

#[test]
fn the_environment_wins_over_the_file_and_is_named_as_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("osallisuus.toml");
    std::fs::write(&file, config(&folder, "demo = false")).unwrap();
    let variables = [
        ("OSALLISUUS_DEMO", "true"),
        ("OSALLISUUS_TENANTS", "02, 19"),
        ("OSALLISUUS_CELL", "19"),
        ("OSALLISUUS_LIMITS__PER_MINUTE", "7"),
        ("OSALLISUUS_CONFIG", "the file itself"),
        ("OSALLISUUS_SESSION_FILE", "for commands"),
        ("PATH", "/bin"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::load(&[FORUMS], Some(&file), variables).unwrap();
    assert!(config.demo);
    // A number is text where text is wanted, and keeps its zero.
    assert_eq!(config.cell, "19");
    assert_eq!(config.tenants.iter().map(|tenant| tenant.as_str()).collect::<Vec<_>>(), ["02", "19"]);
    assert_eq!(config.limits.per_minute, Some(7));
    let shown = |key: &str| config.show().iter().find(|shown| shown.key == key).unwrap().clone();
    assert_eq!(shown("demo").from, "environment variable OSALLISUUS_DEMO");
    assert_eq!(shown("listen.grpc").from, format!("file {}", file.display()));
    assert_eq!(shown("stop.drain_seconds").from, "default");
    assert_eq!(shown("stop.drain_seconds").value, "20");
}

#[test]
fn sec_60_neither_show_nor_debug_tells_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        config(&folder, "services.forums.database = \"postgres://me:s3cret@db/forums?sslmode=verify-full\"");
    let config = Config::from_toml(&[FORUMS], &text).unwrap();
    let shown = config.show().iter().find(|shown| shown.key == "services.forums.database").unwrap();
    assert_eq!(shown.value, "\"postgres://***@db/forums\"");
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn a_secret_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("forums-db");
    std::fs::write(&secret, "postgres://me:s3cret@db/forums?sslmode=verify-full\n").unwrap();
    let line = format!("services.forums.database = \"file:{}\"", secret.display());
    let config = Config::from_toml(&[FORUMS], &config(&folder, &line)).unwrap();
    assert_eq!(config.services["forums"].database, "postgres://me:s3cret@db/forums?sslmode=verify-full");
}

#[test]
fn own_settings_of_services_that_run_elsewhere_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = config(&folder, "services.forums.remind_minutes = 5");
    assert!(Config::from_toml(&[MINUTES], &text).is_ok(), "forums does not run here");
    assert!(Config::from_toml(&[FORUMS], &text).is_err(), "forums has no such setting");
}

#[test]
fn a_process_of_one_service_names_what_it_shares_with_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("osallisuus.toml");
    let shared = "services.membership.address = \"http://127.0.0.1:7401\"";
    std::fs::write(&file, format!("data_dir = {:?}\n{shared}\n", folder.path())).unwrap();
    let alone = |more: &[(&str, &str)]| {
        let variables = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::load_alone(FORUMS, Some(&file), variables)
    };
    let faults = alone(&[("OSALLISUUS_CELL", "Pohde!")]).expect_err("nothing is shared");
    let keys: Vec<&str> = faults.faults().iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(keys, ["cell", "nats.url", "services.forums.database"], "with all others: {faults}");
    let nats = ("OSALLISUUS_NATS__URL", "nats://127.0.0.1:4222");
    let named = ("OSALLISUUS_SERVICES__FORUMS__DATABASE", "sqlite");
    assert!(alone(&[nats]).is_err() && alone(&[named]).is_err());
    // A file is right where one process has it, if somebody says so.
    assert!(alone(&[nats, named]).is_ok());
    assert!(
        Config::load(&[FORUMS], Some(&file), []).is_ok(),
        "all services in one process need no such thing"
    );
}

#[test]
fn every_default_has_a_comment_before_it() {
    let mut commented = false;
    for line in chassis::config::DEFAULTS.lines() {
        match line {
            _ if line.starts_with('#') => commented = true,
            "" => commented = false,
            _ if line.starts_with('[') => {}
            _ => {
                assert!(commented, "{line} says nothing about itself");
                commented = false;
            }
        }
    }
}
