//! Help, usage errors, exit codes and forms of output.

use crate::program::User;

/// Every command that has help of its own.
const COMMANDS: [&str; 41] = [
    "",
    "init",
    "up",
    "demo",
    "serve",
    "provision",
    "doctor",
    "config",
    "config show",
    "config defaults",
    "nats-config",
    "dev-ca",
    "board-key",
    "sign-in",
    "sign-out",
    "status",
    "import",
    "parked",
    "parked list",
    "parked redrive",
    "parked dismiss",
    "backup",
    "restore",
    "new-epoch",
    "resync",
    "projection",
    "projection rebuild",
    "log",
    "log verify",
    "audit",
    "audit list",
    "audit own",
    "audit export",
    "audit verify",
    "audit prune",
    "clock",
    "clock get",
    "clock set",
    "load",
    "ledger",
    "ledger check",
];

#[test]
fn help_of_every_command() {
    let user = User::new();
    let mut pages = String::new();
    for command in COMMANDS {
        let mut arguments: Vec<&str> = command.split_whitespace().collect();
        arguments.push("--help");
        let ended = user.runs(&arguments);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{command}");
        pages += &format!("$ osallisuus {}\n{}\n", arguments.join(" "), ended.out);
    }
    insta::assert_snapshot!("help", pages);
}

#[test]
fn a_wrong_command_line_ends_with_2_and_says_what_is_wrong() {
    let user = User::new();
    for (arguments, says) in [
        (&["dance"][..], "unrecognized subcommand 'dance'"),
        (&["import"], "<FILE>"),
        (&["import", "x.csv", "--tenant", "99"], "a county code is two digits"),
        (&["sign-in"], "--card"),
        (&["sign-in", "--setup-code"], "--name"),
        (&["sign-in", "--card", "1", "--setup-code", "--name", "A", "--tenant", "19"], "cannot be used with"),
        (&["--output", "xml", "status"], "possible values: text, json"),
        (&["clock", "set", "tomorrow"], "neither a time nor a day"),
        (&["sign-in", "--card", "1", "--server", "localhost"], "http://127.0.0.1:7400"),
        (&["serve", "nothing"], "there is no service \"nothing\""),
    ] {
        let ended = user.runs_with(arguments, "CODE\n");
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains(says), "{arguments:?}: {}", ended.err);
        assert_eq!(ended.out, "", "{arguments:?}");
    }
}

#[test]
fn without_arguments_there_is_help_and_exit_code_2() {
    let ended = User::new().runs(&[]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("Usage: osallisuus"));
}

#[test]
fn a_system_that_does_not_answer_ends_with_4() {
    // Port 1 is never listened on here.
    let user =
        User::new().with("OSALLISUUS_SESSION", "secret").with("OSALLISUUS_SERVER", "http://127.0.0.1:1");
    for arguments in [
        &["status"][..],
        &["clock", "get"],
        &["clock", "set", "2026-04-13"],
        &["parked", "list"],
        &["sign-out"],
    ] {
        let ended = user.runs(arguments);
        assert_eq!(ended.code, 4, "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains("osallisuus doctor"), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn who_is_not_signed_in_is_refused_and_told_how_to() {
    let user = User::new();
    for arguments in [&["status"][..], &["clock", "get"], &["parked", "list"]] {
        let ended = user.runs(arguments);
        assert_eq!(ended.code, 5, "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains("osallisuus sign-in"), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn failures_are_json_on_standard_error_when_json_is_asked_for() {
    let ended = User::new().runs(&["status", "--output", "json"]);
    assert_eq!((ended.code, ended.out.as_str()), (5, ""));
    let error = &ended.error_json()["error"];
    assert_eq!(error["exit"], "refused");
    assert_eq!(error["message"], "nobody is signed in");
}

#[test]
fn output_into_a_pipe_has_no_colour_and_neither_with_no_color() {
    for user in [User::new(), User::new().with("NO_COLOR", "1").with("CLICOLOR_FORCE", "1")] {
        for arguments in [&["--help"][..], &["dance"], &["config", "show"], &["doctor"]] {
            let ended = user.runs(arguments);
            assert!(!format!("{}{}", ended.out, ended.err).contains('\x1b'), "{arguments:?}");
        }
    }
}

#[test]
fn the_defaults_are_a_settings_file_that_changes_nothing() {
    let user = User::new();
    let defaults = user.runs(&["config", "defaults"]);
    assert_eq!(defaults.code, 0, "{}", defaults.err);
    assert!(defaults.out.contains("# Counties served") && defaults.out.contains("[services.forums]"));
    let file = user.file("all.toml", &defaults.out);
    let shown = user.runs(&["config", "show", "--config", file.to_str().unwrap(), "--output", "json"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let by_itself = user.runs(&["config", "show", "--output", "json"]).json();
    let values = |settings: &serde_json::Value| -> Vec<_> {
        settings.as_array().unwrap().iter().map(|one| (one["key"].clone(), one["value"].clone())).collect()
    };
    assert_eq!(values(&shown.json()), values(&by_itself));
}

#[test]
fn settings_are_shown_with_where_they_come_from_and_without_passwords() {
    let user = User::new().with("OSALLISUUS_NATS__URL", "nats://me:s3cret@127.0.0.1:4222");
    let file = user.file("mine.toml", "cell = \"pohde\"\n");
    let ended = user.runs(&["config", "show", "--config", file.to_str().unwrap(), "--output", "json"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let settings = ended.json();
    let find = |key: &str| {
        let found = settings.as_array().unwrap().iter().find(|setting| setting["key"] == key);
        found.unwrap_or_else(|| panic!("{key} is not shown")).clone()
    };
    assert_eq!(find("cell")["value"], "\"pohde\"");
    assert_eq!(find("cell")["from"], format!("file {}", file.display()));
    assert_eq!(find("nats.url")["from"], "environment variable OSALLISUUS_NATS__URL");
    assert!(!ended.out.contains("s3cret"));
}
