//! What the package's scripts tell a running machine, and what is done by night: the scripts themselves, with the paths of
//! a folder in the place of the machine's, among programs that write down how they were called.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Programs that the scripts call, in the place of which others stand.
const CALLED: [&str; 6] = ["adduser", "chown", "getent", "osallisuus", "runuser", "systemctl"];
/// Writes down its own name and what it was told; what is in `answers/<name>` is then done.
const STAND_IN: &str = r#"#!/bin/sh
name=$(basename "$0")
echo "$name $*" >>"$MACHINE/called"
if [ -f "$MACHINE/answers/$name" ]; then . "$MACHINE/answers/$name"; fi
"#;

/// A machine that is not there.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let machine =
            Self(tempfile::Builder::new().prefix("osallisuus-machine-").tempdir().expect("a folder"));
        for folder in ["programs", "answers", "run/systemd/system", "etc/osallisuus"] {
            std::fs::create_dir_all(machine.path(folder)).expect("a folder");
        }
        for name in CALLED {
            let program = machine.path("programs").join(name);
            std::fs::write(&program, STAND_IN).expect("a program");
            std::fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("a mode");
        }
        // The user is there once it was made.
        machine.answer("getent", "grep -q '^adduser' \"$MACHINE/called\" || exit 2");
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// What a program does, in the words of the shell.
    fn answer(&self, program: &str, does: &str) {
        std::fs::write(self.path("answers").join(program), does).expect("an answer");
    }

    /// Runs a script of the package as dpkg or systemd does; gives what it called.
    fn runs(&self, script: &str, arguments: &[&str]) -> (Output, Vec<String>) {
        let called = self.path("called");
        let before = std::fs::read_to_string(&called).unwrap_or_default().lines().count();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/debian").join(script);
        let mut text = std::fs::read_to_string(file).expect("the script");
        for path in ["/var/lib/", "/var/backups/", "/run/systemd/", "/etc/"] {
            text = text.replace(path, &format!("{}{path}", self.0.path().display()));
        }
        let script = self.path("script");
        std::fs::write(&script, text).expect("written");
        let programs = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command.arg(script).args(arguments).env("MACHINE", self.0.path()).env_remove("DPKG_ROOT");
        command.env("PATH", format!("{}:{programs}", self.path("programs").display()));
        let output = command.output().expect("sh runs");
        let all = std::fs::read_to_string(&called).unwrap_or_default();
        let own = self.0.path().display().to_string();
        (output, all.lines().skip(before).map(|line| line.replace(&own, "")).collect())
    }

    /// The same for a script that must succeed.
    fn does(&self, script: &str, arguments: &[&str]) -> Vec<String> {
        let (output, called) = self.runs(script, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script} {arguments:?}: {}\n{said}", output.status);
        called
    }
}

#[test]
fn the_scripts_of_the_package_make_the_user_restart_what_runs_and_leave_nothing_running() {
    let machine = Machine::new();
    let owned = "chown osallisuus:osallisuus /var/lib/osallisuus /var/backups/osallisuus";
    assert_eq!(
        machine.does("postinst", &["configure", ""]),
        [
            "getent passwd osallisuus",
            "adduser --quiet --system --group --no-create-home --home /var/lib/osallisuus osallisuus",
            owned,
            "systemctl daemon-reload",
        ]
    );
    for folder in ["var/lib/osallisuus", "var/backups/osallisuus"] {
        let mode = machine.path(folder).metadata().expect("a folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder} is for its owner only");
    }
    // An upgrade: the old one goes on until its successor is there, and then only what ran is started again.
    assert_eq!(machine.does("prerm", &["upgrade", "0.1.1"]), Vec::<String>::new());
    assert_eq!(machine.does("postrm", &["upgrade", "0.1.1"]), ["systemctl daemon-reload"]);
    assert_eq!(
        machine.does("postinst", &["configure", "0.1.0"]),
        [
            "getent passwd osallisuus",
            owned,
            "systemctl daemon-reload",
            "systemctl try-restart osallisuus.service osallisuus@*.service",
        ]
    );
    assert_eq!(
        machine.does("prerm", &["remove"]),
        [
            "systemctl stop osallisuus-nightly.timer osallisuus-nightly.service osallisuus.service osallisuus@*.service",
            "systemctl disable --quiet osallisuus-nightly.timer osallisuus.service osallisuus@.service",
        ]
    );
    assert_eq!(machine.does("postrm", &["purge"]), ["systemctl daemon-reload"]);
    assert!(!machine.path("etc/osallisuus").exists() && machine.path("var/lib/osallisuus").exists());

    // Where systemd does not run nothing is told to it.
    std::fs::remove_dir(machine.path("run/systemd/system")).expect("removed");
    assert_eq!(machine.does("prerm", &["remove"]), Vec::<String>::new());
    assert_eq!(machine.does("postinst", &["configure", "0.1.0"]), ["getent passwd osallisuus", owned]);
}

#[test]
fn logs_that_are_not_whole_are_not_backed_up_over_whole_ones() {
    let machine = Machine::new();
    let backups = machine.path("var/backups/osallisuus");
    for old in ["2026-01-01T021500Z", "2026-01-02T021500Z"] {
        std::fs::create_dir_all(backups.join(old)).expect("a folder");
    }
    let old = || std::fs::read_dir(&backups).expect("a folder").count();
    let config = "--config /etc/osallisuus/osallisuus.toml";
    machine.answer("osallisuus", "[ \"$1\" != log ]");
    let (output, called) = machine.runs("nightly", &[]);
    assert!(!output.status.success(), "systemd hears of it");
    assert_eq!((called, old()), (vec![format!("osallisuus log verify {config}")], 2));

    machine.answer("osallisuus", "[ \"$1\" != audit ]");
    let (output, called) = machine.runs("nightly", &[]);
    assert!(!output.status.success() && old() == 2);
    assert_eq!(called.last(), Some(&format!("osallisuus audit verify {config}")));

    machine.answer("osallisuus", "true");
    let called = machine.does("nightly", &[]);
    let backup = called.last().expect("a call");
    assert!(
        backup.starts_with("osallisuus backup /var/backups/osallisuus/20") && backup.ends_with(config),
        "{backup}"
    );
    assert_eq!((called.len(), old()), (3, 2), "fourteen stay");
}
