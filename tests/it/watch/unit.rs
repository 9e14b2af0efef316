//! The Debian package with its systemd units: installed, run as the unit runs it, backed up by night, upgraded, removed,
//! purged.
//!
//! dpkg is real, for a root folder of the test's own, and a root that is only being prepared has no systemd: the test does
//! what the unit tells systemd to do, its command, its environment, its signals. What the package's scripts do on a
//! running machine is in `maintained.rs`.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testkit::{nats, not_run};

use crate::support::process::program;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_owned()
}

/// Runs a command that must succeed; gives what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (said, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{said}{why}", output.status);
    said.into_owned()
}

/// Whether a program can be started at all.
fn is_here(name: &str) -> bool {
    let tried = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

/// A root folder into which packages are installed.
struct Root(TempDir);

impl Root {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("osallisuus-root-").tempdir().expect("a folder");
        for part in ["var/lib/dpkg/updates", "var/lib/dpkg/info", "var/lib/dpkg/triggers"] {
            std::fs::create_dir_all(folder.path().join(part)).expect("a folder");
        }
        for file in ["status", "available"] {
            std::fs::write(folder.path().join("var/lib/dpkg").join(file), "").expect("a file");
        }
        Self(folder)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path.trim_start_matches('/'))
    }

    /// Real dpkg, for this root. What the package depends on is outside of it.
    fn dpkg(&self, arguments: &[&str]) -> String {
        let root = format!("--root={}", self.0.path().display());
        let mut dpkg = Command::new("dpkg");
        dpkg.arg(root).args([
            "--force-not-root",
            "--force-script-chrootless",
            "--force-depends",
            "--force-bad-path",
        ]);
        run(dpkg.args(arguments))
    }

    /// What a unit says under a name, each time it says it.
    fn unit(&self, name: &str) -> Vec<String> {
        self.says("osallisuus.service", name)
    }

    /// The same of any unit of the package.
    fn says(&self, unit: &str, name: &str) -> Vec<String> {
        let unit = std::fs::read_to_string(self.path("lib/systemd/system").join(unit)).expect("the unit");
        let values = unit.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        values.map(str::to_owned).collect()
    }

    /// A command line of the unit or of the manual, with its paths in this root.
    fn command(&self, line: &str, nats: &Path) -> Command {
        let mut words = line.split_whitespace().map(|word| match word.starts_with('/') {
            true => self.path(word).display().to_string(),
            false => word.to_owned(),
        });
        let mut command = Command::new(words.next().expect("a program"));
        let programs = std::env::var("PATH").unwrap_or_default();
        command
            .args(words)
            .env("PATH", format!("{}:{programs}", self.path("usr/bin").display()))
            .env("OSALLISUUS_DATA_DIR", self.path("var/lib/osallisuus"))
            .env("OSALLISUUS_LISTEN__GRPC", "127.0.0.1:0")
            .env("OSALLISUUS_TELEMETRY__PROMETHEUS", "127.0.0.1:0")
            .env("OSALLISUUS_STOP__NOTICE_SECONDS", "0")
            .env("OSALLISUUS_NATS__SERVER", nats)
            .current_dir(self.path("var/lib/osallisuus"));
        command
    }
}

/// The service as its unit runs it.
struct Service {
    child: Child,
    told: UnixDatagram,
}

impl Service {
    /// Starts the unit's command and waits until it says that it has started, as systemd does.
    fn start(root: &Root, nats: &Path) -> Self {
        let exec = root.unit("ExecStart");
        let [line] = exec.as_slice() else { panic!("one command: {exec:?}") };
        assert_eq!(root.unit("Type"), ["notify"]);
        let socket = root.path("notify");
        let _ = std::fs::remove_file(&socket);
        let told = UnixDatagram::bind(&socket).expect("a socket");
        told.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
        let log = std::fs::File::options().create(true).append(true).open(root.path("log")).expect("a log");
        let mut command = root.command(line, nats);
        command.env("NOTIFY_SOCKET", &socket).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let service = Self { child: command.spawn().expect("it starts"), told };
        service.wait_for("READY=1", root);
        service.wait_for("STATUS=ready", root);
        service
    }

    fn wait_for(&self, word: &str, root: &Root) {
        let mut message = [0; 1024];
        loop {
            let length = match self.told.recv(&mut message) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    let log = std::fs::read_to_string(root.path("log")).unwrap_or_default();
                    panic!("it does not say {word}: {error}\n{log}");
                }
            };
            if String::from_utf8_lossy(&message[..length]).lines().any(|line| line == word) {
                return;
            }
        }
    }

    /// Stops it by the unit's signal.
    fn stop(mut self, root: &Root) {
        assert_eq!(root.unit("KillSignal"), ["SIGTERM"]);
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::TERM).expect("the signal is sent");
        self.wait_for("STOPPING=1", root);
        assert_eq!(self.child.wait().expect("it ends").code(), Some(0));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has usually ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds the package as somebody does who stands beside the program and names it from there.
fn package(out: &Path, version: &str) -> String {
    let program = program("osallisuus");
    let mut script = Command::new(repository().join("infra/package"));
    script.args(["--for-tests", "--profile", "dev", "--version", version]);
    script.args(["--binary", "./osallisuus", "--out"]).arg(out);
    run(script.current_dir(program.parent().expect("a folder"))).trim().to_owned()
}

/// What the package says of itself.
fn field(package: &str, name: &str) -> String {
    run(Command::new("dpkg-deb").args(["--field", package, name])).trim().to_owned()
}

/// Whether this machine's C library is new enough for the package, and the package knows what it needs.
fn needs_the_c_library_it_was_built_with(package: &str) {
    let depends = field(package, "Depends");
    let version =
        depends.strip_prefix("libc6 (>= ").and_then(|rest| rest.split_once(')')).expect("libc6 first").0;
    let here = run(Command::new("getconf").arg("GNU_LIBC_VERSION"));
    let here = here.trim().rsplit(' ').next().expect("a version");
    let compared = |operator: &str, other: &str| {
        let status = Command::new("dpkg").args(["--compare-versions", version, operator, other]).status();
        status.expect("dpkg runs").success()
    };
    assert!(compared("le", here), "{version} is needed, and it runs with {here}");
    // Whatever Rust programs need: a package that says less would install where nothing starts.
    assert!(compared("ge", "2.17"), "{depends}");
}

/// What the nightly timer does, beside the running system: one backup more, and only the newest stay.
fn night(root: &Root, nats: &Path) {
    let exec = root.says("osallisuus-nightly.service", "ExecStart");
    let [line] = exec.as_slice() else { panic!("one command: {exec:?}") };
    let backups = root.path("var/backups/osallisuus");
    for old in ["2026-01-01T021500Z", "2026-01-02T021500Z", "not a backup of ours"] {
        std::fs::create_dir(backups.join(old)).expect("a folder");
    }
    let mut command = root.command(line, nats);
    command.env("BACKUPS", &backups).env("KEEP", "2");
    run(command.env("CONFIG", root.path("etc/osallisuus/osallisuus.toml")));
    let mut left: Vec<String> = std::fs::read_dir(&backups)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    left.sort();
    assert_eq!((left[0].as_str(), left.len()), ("2026-01-02T021500Z", 3), "{left:?}");
    assert!(backups.join(&left[1]).join("manifest.json").is_file(), "{left:?}");
    assert_eq!(left[2], "not a backup of ours");
    assert!(root.path("var/lib/osallisuus/last-backup").is_file(), "its time is shown among the metrics");
}

/// With the settings as shipped, which are those of one process, the unit of one service does not start, and systemd
/// does not try again.
fn a_single_service_is_not_another_system(root: &Root, nats: &Path) {
    let exec = root.says("osallisuus@.service", "ExecStart");
    let [line] = exec.as_slice() else { panic!("one command: {exec:?}") };
    let ended = root.command(&line.replace("%i", "forums"), nats).output().expect("it runs");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(3), "{said}");
    for setting in ["nats.url", "services.forums.database", "services.membership.address"] {
        assert!(said.contains(setting), "{setting}: {said}");
    }
    let not_again = root.says("osallisuus@.service", "RestartPreventExitStatus");
    assert!(not_again[0].split(' ').any(|code| code == "3"), "{not_again:?}");
}

/// Only builds without debug assertions are installed: the others can be told to die, and their clock to be wrong.
#[test]
fn a_development_build_is_not_packed() {
    if !is_here("dpkg") {
        return not_run("watch::unit, no package of a development build", "this system has no dpkg");
    }
    let out = tempfile::tempdir().expect("a folder");
    for profile in ["dist", "dev"] {
        let mut script = Command::new(repository().join("infra/package"));
        script.args(["--profile", profile, "--out"]).arg(out.path());
        let refused = script.arg("--binary").arg(program("osallisuus")).output().expect("it runs");
        let why = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && why.contains("development build"), "{profile}: {why}");
    }
    assert_eq!(std::fs::read_dir(out.path()).expect("a folder").count(), 0, "something was packed");
}

#[test]
fn the_package_installs_runs_upgrades_and_goes() {
    if !is_here("dpkg") {
        not_run("watch::unit, the package", "this system has no dpkg");
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let (nats, root) = (nats::program().expect("a nats-server"), Root::new());
    let first = package(out.path(), "0.1.0");
    needs_the_c_library_it_was_built_with(&first);
    root.dpkg(&["--install", &first]);
    let settings = root.path("etc/osallisuus/osallisuus.toml");
    for file in [
        "usr/bin/osallisuus",
        "lib/systemd/system/osallisuus@.service",
        "lib/systemd/system/osallisuus-nightly.timer",
        "usr/share/doc/osallisuus/prometheus/alerts.yml",
    ] {
        assert!(root.path(file).is_file(), "{file} is missing");
    }
    // Nobody has run init: the unit would not start it.
    let condition = root.unit("ConditionPathExists");
    let [condition] = condition.as_slice() else { panic!("one condition: {condition:?}") };
    assert!(!root.path(condition).exists());
    run(&mut root
        .command("/usr/bin/osallisuus init --config /etc/osallisuus/osallisuus.toml --tenants 19", &nats));
    assert!(root.path(condition).exists());
    let service = Service::start(&root, &nats);
    night(&root, &nats);
    service.stop(&root);
    a_single_service_is_not_another_system(&root, &nats);

    // An upgrade keeps what was changed by hand, and the data.
    let mut text = std::fs::read_to_string(&settings).expect("settings");
    text.push_str("\n[limits]\nper_minute = 601\n");
    std::fs::write(&settings, &text).expect("written");
    let second = package(out.path(), "0.1.1");
    root.dpkg(&["--install", &second]);
    assert_eq!(std::fs::read_to_string(&settings).expect("settings"), text);
    assert!(root.dpkg(&["--status", "osallisuus"]).contains("Version: 0.1.1"));
    Service::start(&root, &nats).stop(&root);

    root.dpkg(&["--remove", "osallisuus"]);
    assert!(!root.path("usr/bin/osallisuus").exists() && settings.exists());
    root.dpkg(&["--purge", "osallisuus"]);
    assert!(!root.path("etc/osallisuus").exists());
    assert!(
        root.path("var/lib/osallisuus/membership.sqlite").is_file(),
        "no package manager throws elections away"
    );
}

#[test]
fn sec_63_systemd_accepts_the_units_and_finds_them_hardened() {
    if !is_here("systemd-analyze") {
        not_run("watch::unit, the units", "this system has no systemd-analyze");
        return;
    }
    let root = tempfile::tempdir().expect("a folder");
    let units = root.path().join("units");
    std::fs::create_dir(&units).expect("a folder");
    for (file, instance) in [
        ("osallisuus.service", "osallisuus.service"),
        ("osallisuus@.service", "osallisuus@forums.service"),
        ("osallisuus-nightly.service", "osallisuus-nightly.service"),
    ] {
        let unit = std::fs::read_to_string(repository().join("infra/systemd").join(file)).expect("the unit");
        // The program need not be installed where units are looked at.
        let unit = unit.replace("/usr/bin/osallisuus", &program("osallisuus").display().to_string());
        let unit = unit.replace("/usr/lib/osallisuus/nightly", &program("osallisuus").display().to_string());
        let unit = unit.replace("Documentation=file:///usr/share/doc/osallisuus/operations.md\n", "");
        let path = units.join(instance);
        std::fs::write(&path, unit).expect("written");
        let verified = Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(&path)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&verified.stderr);
        assert!(!said.contains(instance) || said.contains("Failed to prepare"), "{said}");
        // From 0, locked in, to 100, nothing restricted.
        let offline = ["security", "--offline=yes", "--threshold=25", "--no-pager"];
        run(Command::new("systemd-analyze").args(offline).arg(&path));
    }
}
