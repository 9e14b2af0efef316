//! The load generator against running systems, and the ledger's word on what it did.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::program::{Ended, User};
use crate::up::{Going, expect, up, user_with_folder};

/// A system that may be loaded, and its administrator.
fn loadable() -> (Going, User) {
    let (user, code) = user_with_folder();
    let user = user.with("OSALLISUUS_LOAD_TEST", "true");
    let (going, user) = signed_in(user, &code);
    (going, user)
}

fn signed_in(user: User, code: &str) -> (Going, User) {
    let (going, address) = up(&user);
    let user = user.with("OSALLISUUS_SERVER", address);
    let entering = ["sign-in", "--setup-code", "--name", "Aino Aalto", "--tenant", "19"];
    expect(&user.runs_with(&entering, &format!("{code}\n")), 0);
    (going, user)
}

fn load(user: &User, arguments: &[&str]) -> Ended {
    user.runs(&[&["load", "--output", "json"][..], arguments].concat())
}

fn judged_green(user: &User, journals: &[&str]) -> Value {
    let mut arguments = vec!["ledger", "check", "--data", "here", "--wait", "20", "--output", "json"];
    for journal in journals {
        arguments.extend(["--journal", journal]);
    }
    let ended = user.runs(&arguments);
    expect(&ended, 0);
    ended.json()
}

#[test]
fn tst_15_what_a_load_was_told_is_what_the_ledger_finds() {
    let (going, user) = loadable();
    let writing = load(
        &user,
        &[
            "--mix",
            "writing",
            "--rate",
            "40",
            "--duration",
            "2",
            "--journal",
            "one",
            "--probe",
            "--seed",
            "7",
        ],
    );
    expect(&writing, 0);
    let report = writing.json();
    assert_eq!(report["due"], 80);
    assert_eq!(report["all"]["count"], 80);
    assert!(report["by_rpc"]["FoundForum"]["p99"].as_f64().unwrap() > 0.0, "{report}");
    assert!(report["projected"]["count"].as_u64().unwrap() > 0, "{report}");
    assert!(report["memory"][0]["max"].as_u64().unwrap() > 1 << 20, "{report}");
    let progress: Value = serde_json::from_str(writing.err.lines().next().expect("a line")).expect("JSON");
    assert_eq!(progress["second"], 1);

    let day = load(
        &user,
        &["--mix", "election-day", "--rate", "40", "--duration", "2", "--voters", "8", "--journal", "two"],
    );
    expect(&day, 0);
    assert_eq!(day.json()["by_rpc"]["CastBallot"]["count"], 8, "{}", day.out);
    let reading = load(&user, &["--mix", "reading", "--rate", "40", "--duration", "2"]);
    expect(&reading, 0);
    for rpc in ["ListProposals", "GetProposal", "GetTimeline", "SearchProposals"] {
        assert!(reading.json()["by_rpc"][rpc]["count"].as_u64().unwrap_or(0) > 0, "{rpc}: {}", reading.out);
    }
    let mixed = load(&user, &["--mix", "mixed", "--rate", "80", "--duration", "4", "--journal", "three"]);
    expect(&mixed, 0);
    for rpc in ["Compare", "StartSession", "GiveSupport"] {
        assert!(mixed.json()["by_rpc"][rpc]["count"].as_u64().unwrap_or(0) > 0, "{rpc}: {}", mixed.out);
    }
    expect(&load(&user, &["--journal", "one", "--duration", "1"]), 5);

    let verdict = judged_green(&user, &["one", "two", "three"]);
    let looked = &verdict["looked"];
    assert!(looked["acknowledged"].as_u64().unwrap() > 140, "{looked}");
    assert_eq!((&looked["boxes"], &looked["unknown"]), (&1.into(), &0.into()), "{looked}");

    // The same journal with one answer changed.
    let text = std::fs::read_to_string(user.home().join("one")).unwrap();
    let at = text.rfind("\"reply\":\"").unwrap() + 9;
    user.file("lie", format!("{}{}{}", &text[..at], "00".repeat(32), &text[at + 64..]));
    let red = user.runs(&["ledger", "check", "--data", "here", "--journal", "lie"]);
    expect(&red, 1);
    assert!(red.out.contains("RED, rule 1") && red.out.contains("lie, line"), "{}", red.out);
    assert_eq!(going.stop(), Some(0));

    // And at rest, with a nats-server started for it.
    judged_green(&user, &["one", "two", "three"]);
}

#[test]
fn tst_16_a_server_that_stands_still_shows_in_the_latencies_of_all_who_came_meanwhile() {
    let (going, user) = loadable();
    let arguments = [
        "load",
        "--mix",
        "reading",
        "--rate",
        "50",
        "--duration",
        "4",
        "--connections",
        "2",
        "--output",
        "json",
    ];
    let mut command = user.command(&arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut progress = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    progress.next().expect("the load has begun").expect("text");
    going.signal(Signal::STOP);
    // The fault itself: a second of standstill.
    std::thread::sleep(Duration::from_secs(1));
    going.signal(Signal::CONT);
    progress.for_each(drop);
    let output = child.wait_with_output().expect("it ends");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let all = &report["all"];
    // Fifty were due in that second; those of the first half waited for more than half a second. Two connections that
    // wait for their answers would have shown two.
    assert_eq!((&report["due"], &all["count"]), (&200.into(), &200.into()));
    assert!(all["p90"].as_f64().unwrap() > 400.0, "{report}");
    assert!(all["max"].as_f64().unwrap() > 900.0, "{report}");
    assert_eq!(going.stop(), Some(0));
}

#[test]
fn a_system_for_real_people_is_not_loaded_and_production_cannot_be_made_so() {
    let (user, code) = user_with_folder();
    let (going, user) = signed_in(user, &code);
    let refused = user.runs(&["load", "--duration", "1"]);
    expect(&refused, 5);
    assert!(refused.err.contains("load_test = true"), "{}", refused.err);
    assert_eq!(going.stop(), Some(0));

    let user = user.with("OSALLISUUS_LOAD_TEST", "true");
    let warned = user.runs(&["doctor", "--data", "here"]);
    assert!(warned.out.contains("load_test"), "{}", warned.out);
    let user = user.with("OSALLISUUS_NATS__PROFILE", "production-single-node");
    let refused = user.runs(&["up", "--data", "here"]);
    expect(&refused, 3);
    assert!(refused.err.contains("load_test"), "{}", refused.err);
}
