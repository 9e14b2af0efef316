//! What operators do to keep a system and to get it back, by the commands that docs/operations.md names.

mod drill;
mod forked;
mod killed;
mod rebuild;
mod refused;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use standalone::demo::{Play, Progress};

use crate::support::world::World;

/// An operator's commands against a platform.
struct Operator<'a> {
    world: &'a World,
    session: String,
}

/// How a command ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl<'a> Operator<'a> {
    fn of(world: &'a World, play: &Play) -> Self {
        Self { world, session: play.administrator.session().expect("a session").to_owned() }
    }

    /// Runs `osallisuus` with these arguments on this machine's installation.
    fn here(&self, arguments: &[&str]) -> Ended {
        here(self.world.settings(), arguments)
    }

    /// Runs `osallisuus` with these arguments against the running system.
    fn there(&self, arguments: &[&str]) -> Ended {
        let mut command = command(arguments);
        command.env("OSALLISUUS_SERVER", self.world.url()).env("OSALLISUUS_SESSION", &self.session);
        Ended::of(command)
    }
}

/// Runs `osallisuus` with these arguments on the installation with these settings.
fn here(settings: &Path, arguments: &[&str]) -> Ended {
    let mut command = command(arguments);
    command.arg("--config").arg(settings);
    Ended::of(command)
}

fn command(arguments: &[&str]) -> Command {
    let test = std::env::current_exe().expect("this test");
    let folder = test.parent().and_then(Path::parent).expect("target/<profile>/deps");
    let mut command = Command::new(folder.join("osallisuus"));
    command.args(arguments).args(["--output", "json"]);
    command
}

impl Ended {
    fn of(mut command: Command) -> Self {
        let output = command.output().expect("cargo build --workspace has made the program");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The document that it printed, if it ended as expected.
    #[track_caller]
    fn json(&self, code: i32) -> Value {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// That it failed with this code, and said this.
    #[track_caller]
    fn refused(&self, code: i32, says: &str) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert!(self.err.contains(says), "{}", self.err);
    }
}

/// A play with an administrator and a clock at the day of the founding.
async fn begin(world: &World) -> Play {
    let play =
        Play::begin(world.server(), world.setup_code(), Progress::silent()).await.expect("an administrator");
    play.day("2026-02-16").await.expect("a day");
    play
}
