//! Configure.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::Machine;

/// A setting as `config show` tells it: value and origin.
fn setting(shown: &Value, key: &str) -> (String, String) {
    let all = shown.as_array().expect("a list");
    let found = all.iter().find(|one| one["key"] == key).unwrap_or_else(|| panic!("{key} is not shown"));
    let text = |name: &str| found[name].as_str().expect("text").to_owned();
    (text("value"), text("from"))
}

fn files(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect()
}

#[test]
fn settings_come_in_layers_and_every_fault_is_told_at_once() {
    let mut machine = Machine::follows("## Configure");
    super::Ended::of(machine.shell("osallisuus init --data /srv/osallisuus --tenants 19"), "").with(0);
    let data = machine.path("srv/osallisuus");

    // The defaults as text for people, whatever the form of other output.
    machine.set("OSALLISUUS_OUTPUT", "text");
    machine.run("osallisuus config defaults > /srv/osallisuus/all.toml").with(0);
    machine.set("OSALLISUUS_OUTPUT", "json");
    let defaults = std::fs::read_to_string(data.join("all.toml")).expect("the defaults");
    assert!(defaults.contains("\nper_minute = 600\n"), "{defaults}");

    let shown = machine.run("osallisuus config show --data /srv/osallisuus").json();
    let file = format!("file {}", data.join("osallisuus.toml").display());
    assert_eq!(setting(&shown, "tenants"), ("[\"19\"]".to_owned(), file.clone()));
    assert_eq!(setting(&shown, "limits.per_minute"), ("600".to_owned(), "default".to_owned()));
    let found = machine.run("osallisuus doctor --data /srv/osallisuus").json();
    assert!(found.as_array().expect("a list").iter().all(|one| one["state"] != "fault"), "{found}");

    let line = "OSALLISUUS_LIMITS__PER_MINUTE=900 OSALLISUUS_TENANTS=19,21 osallisuus config show --data /srv/osallisuus";
    let shown = machine.run(line).json();
    let variable = |name: &str| format!("environment variable {name}");
    assert_eq!(
        setting(&shown, "limits.per_minute"),
        ("900".to_owned(), variable("OSALLISUUS_LIMITS__PER_MINUTE"))
    );
    assert_eq!(setting(&shown, "tenants"), ("[\"19\", \"21\"]".to_owned(), variable("OSALLISUUS_TENANTS")));

    // A mail server is tried. None listens here with a certificate that is good for this machine's own name.
    let line = "OSALLISUUS_SERVICES__MEMBERSHIP__SMTP__HOST=localhost OSALLISUUS_SERVICES__MEMBERSHIP__SMTP__FROM=osallisuus@esimerkki.fi osallisuus doctor --data /srv/osallisuus";
    let found = machine.run(line).with(4).out;
    let found: Value = serde_json::from_str(&found).expect("findings");
    let mail = found.as_array().expect("a list").iter().find(|one| one["what"] == "mail server");
    let mail = mail.expect("the mail server was looked at");
    assert_eq!(mail["state"], "fault");
    assert!(mail["detail"].as_str().is_some_and(|detail| detail.starts_with("localhost:587")), "{mail}");

    // A password in a file of its own is not shown.
    let secret = machine.path("forums-database");
    std::fs::write(&secret, "postgres://forums:s3cret@127.0.0.1/forums\n").expect("written");
    let named = format!("file:{}", secret.display());
    machine.set("OSALLISUUS_SERVICES__FORUMS__DATABASE", &named);
    let shown = machine.run("osallisuus config show --data /srv/osallisuus").json();
    assert_eq!(setting(&shown, "services.forums.database").0, format!("{named:?}"));
    assert!(!shown.to_string().contains("s3cret"));

    // Every fault, of file and environment, whoever reads them; nothing is begun.
    let faulty =
        "tenants = [\"99\"]\nlisten.grpc = \"0.0.0.0:7400\"\nlimits.per_minute = \"many\"\nlissten = 1\n";
    std::fs::write(data.join("osallisuus.toml"), faulty).expect("written");
    machine.set("OSALLISUUS_TELEMETRY__PROMETHEUS", "0.0.0.0:9464");
    let before = files(&data);
    for command in ["up", "serve forums", "config show", "backup /srv/backup"] {
        let line = format!("osallisuus {command} --data /srv/osallisuus");
        let said = super::Ended::of(machine.shell(&line), "").with(3).err;
        for key in ["tenants", "listen.grpc", "limits.per_minute", "lissten", "telemetry.prometheus"] {
            assert!(said.contains(key), "{line} does not name {key}: {said}");
        }
        let origins = [file.as_str(), "environment variable OSALLISUUS_TELEMETRY__PROMETHEUS"];
        assert!(origins.iter().all(|origin| said.contains(origin)), "{said}");
    }
    assert_eq!(files(&data), before);
    machine.done();
}
