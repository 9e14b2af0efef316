//! A whole system in one process: made, started, used through the commands, stopped.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::program::{Ended, User};

/// A command that goes on until it is told to end; killed when dropped.
pub(crate) struct Going {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Going {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the program runs");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, out }
    }

    /// The next line of JSON that it prints; log lines are not JSON and go by.
    fn next_json(&mut self) -> Value {
        loop {
            let mut line = String::new();
            let read = self.out.read_line(&mut line).expect("text");
            assert!(read > 0, "it ended before it was ready");
            if let Ok(value) = serde_json::from_str(&line) {
                return value;
            }
        }
    }

    /// Asks it to end and gives its exit code.
    fn stop(mut self) -> Option<i32> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::TERM).expect("the signal is sent");
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
fn user_with_folder() -> (User, String) {
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
fn up(user: &User) -> (Going, String) {
    let mut going = Going::start(user.command(&["up", "--data", "here", "--output", "json"]));
    let ready = going.next_json();
    assert_eq!(ready["ready"], true, "{ready}");
    (going, ready["grpc"].as_str().expect("an address").to_owned())
}

fn expect(ended: &Ended, code: i32) {
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
    let key = std::fs::read(secrets.join("membership.key")).unwrap();
    let again = user.runs(&["init", "--data", "here"]);
    expect(&again, 5);
    assert!(again.err.contains("has been made already"), "{}", again.err);
    assert_eq!(std::fs::read(secrets.join("membership.key")).unwrap(), key, "the key is as it was");
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
    assert_eq!(services, ["membership", "forums"]);

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

#[test]
fn a_folder_in_use_cannot_be_used_twice_and_can_be_used_again() {
    let (user, _) = user_with_folder();
    let (going, _) = up(&user);
    let second = user.runs(&["up", "--data", "here"]);
    expect(&second, 4);
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
}
