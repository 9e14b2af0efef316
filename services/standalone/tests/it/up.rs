//! A whole system in one process: made, started, used through the commands, stopped.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::audit::tamper;
use crate::program::{Ended, User};

/// A command that goes on until it is told to end; killed when dropped.
pub(crate) struct Going {
    child: Child,
    out: Box<dyn BufRead>,
}

impl Going {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the program runs");
        let out = Box::new(BufReader::new(child.stdout.take().expect("a pipe")));
        Self { child, out }
    }

    /// As [`start`](Self::start), but what is read is its log.
    fn start_reading_log(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program runs");
        let out = Box::new(BufReader::new(child.stderr.take().expect("a pipe")));
        Self { child, out }
    }

    /// The next line of JSON that it prints; log lines are not JSON and go by.
    pub(crate) fn next_json(&mut self) -> Value {
        loop {
            let mut line = String::new();
            let read = self.out.read_line(&mut line).expect("text");
            assert!(read > 0, "it ended before it was ready");
            if let Ok(value) = serde_json::from_str(&line) {
                return value;
            }
        }
    }

    /// Reads on to the line with this text; gives everything read.
    fn wait_for(&mut self, text: &str) -> String {
        let mut all = String::new();
        while !all.contains(text) {
            let read = self.out.read_line(&mut all).expect("text");
            assert!(read > 0, "it ended and never said {text:?}: {all}");
        }
        all
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("the signal is sent");
    }

    /// Asks it to end and gives its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody with a data folder, and its setup code.
pub(crate) fn user_with_folder() -> (User, String) {
    let nats = testkit::nats::program().expect("a nats-server");
    let user = User::new()
        .with("OSALLISUUS_NATS__SERVER", nats.display().to_string())
        .with("OSALLISUUS_LISTEN__GRPC", "127.0.0.1:0");
    let made = user.runs(&["init", "--data", "here", "--output", "json"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let code = made.json()["setup_code"].as_str().expect("a code").to_owned();
    (user, code)
}

/// Starts the system and gives its address.
pub(crate) fn up(user: &User) -> (Going, String) {
    let mut going = Going::start(user.command(&["up", "--data", "here", "--output", "json"]));
    let ready = going.next_json();
    assert_eq!(ready["ready"], true, "{ready}");
    (going, ready["grpc"].as_str().expect("an address").to_owned())
}

pub(crate) fn expect(ended: &Ended, code: i32) {
    assert_eq!(ended.code, code, "{}{}", ended.out, ended.err);
}

#[test]
fn init_makes_secrets_for_the_owner_only_and_refuses_a_folder_that_is_made() {
    let (user, _) = user_with_folder();
    let secrets = user.home().join("here/secrets");
    for entry in std::fs::read_dir(&secrets).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
    let keys = || ["membership.key", "forums.key"].map(|name| std::fs::read(secrets.join(name)).unwrap());
    let made = keys();
    let again = user.runs(&["init", "--data", "here"]);
    expect(&again, 5);
    assert!(again.err.contains("has been made already"), "{}", again.err);
    assert_eq!(keys(), made, "the keys are as they were");
}

#[test]
fn a_system_is_made_started_used_and_stopped() {
    let (user, code) = user_with_folder();
    let (going, address) = up(&user);
    let user = user.with("OSALLISUUS_SERVER", address);

    let entering = ["sign-in", "--setup-code", "--name", "Aino Aalto", "--tenant", "19"];
    expect(&user.runs_with(&entering, "WRONG-CODE\n"), 5);
    expect(&user.runs_with(&entering, &format!("{code}\n")), 0);
    expect(&user.runs_with(&entering, &format!("{code}\n")), 5);

    let status = user.runs(&["status", "--output", "json"]);
    expect(&status, 0);
    let services: Vec<Value> =
        status.json().as_array().unwrap().iter().map(|one| one["service"].clone()).collect();
    assert_eq!(services, ["membership", "forums", "proposals"]);
    for one in status.json().as_array().unwrap() {
        // A program of this size cannot run in less than a mebibyte.
        assert!(one["resident_bytes"].as_u64().unwrap() > 1 << 20, "{one}");
    }
    let text = user.runs(&["status"]);
    assert!(text.out.contains(" MiB"), "{}", text.out);

    let file = user.file("register.csv", "register_key,display_name\nA1,Aino Aalto\nA2,Eero Ek\n");
    let import = ["import", file.to_str().unwrap(), "--tenant", "19", "--output", "json"];
    let (first, second) = (user.runs(&import), user.runs(&import));
    expect(&first, 0);
    assert_eq!(first.json()["added"], 2);
    expect(&second, 0);
    assert_eq!((second.json()["added"].clone(), second.json()["unchanged"].clone()), (0.into(), 2.into()));
    let file = user.file("unit.csv", "register_key,display_name,group,municipality,unit\nA3,Oona Oja,disability_services,139,No such unit\n");
    let refused = user.runs(&["import", file.to_str().unwrap(), "--tenant", "19"]);
    expect(&refused, 1);
    assert!(refused.err.contains("line 2, column unit"), "{}", refused.err);

    expect(&user.runs(&["clock", "get"]), 0);
    let set = user.runs(&["clock", "set", "2026-04-13"]);
    expect(&set, 5);
    assert!(set.err.contains("--demo") || set.err.contains("demo mode"), "{}", set.err);
    expect(&user.runs(&["parked", "list"]), 0);
    expect(
        &user.runs(&[
            "parked",
            "redrive",
            "--service",
            "forums",
            "--projection",
            "membership",
            "--lane",
            "19",
            "--aggregate",
            "x",
        ]),
        5,
    );
    expect(&user.runs(&["sign-out"]), 0);
    expect(&user.runs(&["status"]), 5);

    assert_eq!(going.stop(), Some(0));
}

/// The upgrade of an installation that was made before there was proposals, as docs/operations.md says it.
#[tokio::test]
async fn an_installation_gets_the_account_of_a_service_that_it_lacks_and_keeps_the_others() {
    let (user, code) = user_with_folder();
    let entering = ["sign-in", "--setup-code", "--name", "Aino Aalto", "--tenant", "19"];
    let (going, address) = up(&user);
    let user = user.with("OSALLISUUS_SERVER", address);
    expect(&user.runs_with(&entering, &format!("{code}\n")), 0);
    assert_eq!(going.stop(), Some(0));

    let here = user.home().join("here");
    let secrets = here.join("secrets");
    let read = || -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(&secrets).unwrap().map(Result::unwrap);
        let file = |entry: std::fs::DirEntry| {
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        };
        entries.map(file).collect()
    };
    let made = read();
    tamper(&here, &["DELETE FROM service_account WHERE name = 'proposals'".to_owned()]).await;
    std::fs::remove_file(secrets.join("proposals.secret")).unwrap();
    for file in ["proposals.sqlite", "proposals.sqlite-wal", "proposals.sqlite-shm"] {
        let _ = std::fs::remove_file(here.join(file));
    }
    let doctor = user.runs(&["doctor", "--data", "here"]);
    assert_ne!(doctor.code, 0, "{}", doctor.out);
    let told = format!("{}{}", doctor.out, doctor.err);
    assert!(told.contains("proposals.secret") && told.contains("--new-code"), "{told}");

    // Every county has an administrator, so there is no code to show; what was missing is made all the same.
    let mended = user.runs(&["init", "--data", "here", "--new-code"]);
    expect(&mended, 5);
    assert!(mended.err.contains("every county has an administrator"), "{}", mended.err);
    let mut now = read();
    let mode = std::fs::metadata(secrets.join("proposals.secret")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (new, old) = (now.insert("proposals.secret".to_owned(), Vec::new()), made.get("proposals.secret"));
    assert!(new.is_some_and(|new| old.is_some_and(|old| new.len() == old.len() && new != *old)));
    assert_eq!(
        now,
        BTreeMap::from_iter(made.into_iter().map(|(name, content)| {
            let content = if name == "proposals.secret" { Vec::new() } else { content };
            (name, content)
        })),
        "the others are as they were"
    );

    let (going, _) = up(&user);
    assert_eq!(going.stop(), Some(0), "all services run");
}

#[test]
fn a_folder_in_use_cannot_be_used_twice_and_can_be_used_again() {
    let (user, _) = user_with_folder();
    let (going, _) = up(&user);
    let second = user.runs(&["up", "--data", "here"]);
    expect(&second, 5);
    assert_eq!(going.stop(), Some(0));
    let (again, _) = up(&user);
    assert_eq!(again.stop(), Some(0));
}

#[test]
fn s1_38_the_demonstration_plays_the_election_of_scenario_1() {
    let nats = testkit::nats::program().expect("a nats-server");
    let user = User::new().with("OSALLISUUS_NATS__SERVER", nats.display().to_string());
    let ended = user.runs(&["demo", "--once", "--listen", "127.0.0.1:0", "--output", "json"]);
    expect(&ended, 0);
    let report = ended.json();
    let (first, again) = (&report["first"], &report["again"]);
    assert_eq!(first["seats_total"], 28);
    assert_eq!(first["seats_filled"], 27);
    assert_eq!(first["seats_filled_bp"], 9643);
    assert_eq!(first["turnout_bp"], 8300);
    assert_eq!(again["seats_filled"], 28);
    // Jobs that need another service end before the server does.
    assert!(!ended.err.contains("WARN") && !ended.err.contains("ERROR"), "{}", ended.err);
}

#[test]
fn the_demonstration_stays_up_with_a_clock_that_can_be_set_until_it_is_told_to_end() {
    let nats = testkit::nats::program().expect("a nats-server");
    let user = User::new().with("OSALLISUUS_NATS__SERVER", nats.display().to_string());
    let mut going = Going::start(user.command(&["demo", "--listen", "127.0.0.1:0", "--data", "here"]));
    let said = going.wait_for("GetElectionResult");
    let program = env!("CARGO_BIN_EXE_osallisuus");
    assert!(said.contains(&format!("{program} status")), "{said}");
    assert!(said.contains("nats --server nats://127.0.0.1:"), "{said}");
    let user = user.with("OSALLISUUS_SESSION_FILE", "here/administrator.session");
    expect(&user.runs(&["status"]), 0);
    let set = user.runs(&["clock", "set", "2027-01-04", "--output", "json"]);
    expect(&set, 0);
    let get = user.runs(&["clock", "get", "--output", "json"]);
    expect(&get, 0);
    assert!(get.out.contains("2027-01-0"), "{}", get.out);
    assert_eq!(going.stop(), Some(0));
}

#[test]
fn a_service_that_waits_for_another_can_be_told_to_end() {
    let (user, _) = user_with_folder();
    // Its tokens' keys come from membership, which nobody runs: it starts and is not ready.
    let user = user
        .with("OSALLISUUS_SERVICES__MEMBERSHIP__ADDRESS", "http://127.0.0.1:1")
        .with("OSALLISUUS_SERVICES__FORUMS__DATABASE", "sqlite")
        .with("OSALLISUUS_NATS__URL", "nats://127.0.0.1:1")
        .with("OSALLISUUS_TELEMETRY__LOG", "info");
    let mut going = Going::start_reading_log(user.command(&["serve", "forums", "--data", "here"]));
    going.wait_for("not ready");
    assert_eq!(going.stop(), Some(0));
}

#[test]
fn postgresql_that_is_not_there_is_named_at_start_without_its_password() {
    let (user, _) = user_with_folder();
    let user = user
        .with("OSALLISUUS_SERVICES__MEMBERSHIP__ADDRESS", "http://127.0.0.1:1")
        .with("OSALLISUUS_NATS__URL", "nats://127.0.0.1:1")
        .with("OSALLISUUS_SERVICES__FORUMS__DATABASE", "postgres://me:s3cret@127.0.0.1:1/forums");
    for command in [&["up"][..], &["serve", "forums"]] {
        let ended = user.runs(&[command, &["--data", "here"]].concat());
        expect(&ended, 4);
        assert!(ended.err.contains("forums"), "{}", ended.err);
        assert!(ended.err.contains("doctor"), "{}", ended.err);
        assert!(!(ended.out + &ended.err).contains("s3cret"));
    }
}
