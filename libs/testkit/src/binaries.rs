//! Where the servers' programs are found.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

/// The oldest nats-server whose JetStream keeps the promises this project relies on.
const OLDEST_NATS: (u32, u32) = (2, 10);
/// The oldest PostgreSQL the migrations are written for.
const OLDEST_POSTGRES: u32 = 15;

/// The nats-server to test with: `TESTKIT_NATS_SERVER`, else the one `infra/setup` installed, else one on PATH
/// of at least version 2.10.
pub(crate) fn nats_server() -> anyhow::Result<PathBuf> {
    if let Some(given) = env::var_os("TESTKIT_NATS_SERVER") {
        return Ok(PathBuf::from(given));
    }
    let installed = repository()?.join(".tools/nats/bin/nats-server");
    if installed.is_file() {
        return Ok(installed);
    }
    on_path("nats-server")
        .find(|path| nats_version(path).is_some_and(|version| version >= OLDEST_NATS))
        .context("no nats-server of at least 2.10 found; run ./infra/setup once")
}

/// The folder of PostgreSQL's own programs (`initdb`, `postgres`): the newest Debian package's, else PATH's.
pub(crate) fn postgres_folder() -> anyhow::Result<PathBuf> {
    let debian = Path::new("/usr/lib/postgresql");
    let packaged = debian.read_dir().into_iter().flatten().flatten().filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let folder = entry.path().join("bin");
        (version >= OLDEST_POSTGRES && folder.join("initdb").is_file()).then_some((version, folder))
    });
    if let Some((_, folder)) = packaged.max() {
        return Ok(folder);
    }
    let initdb = on_path("initdb").next();
    initdb
        .and_then(|path| path.parent().map(Path::to_path_buf))
        .context("no PostgreSQL of at least 15 found; run ./infra/setup --tests, or install postgresql")
}

/// The root of the working copy the tests run in.
fn repository() -> anyhow::Result<PathBuf> {
    let here = env::current_dir().context("find the current folder")?;
    let root = here.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    root.map(Path::to_path_buf).context("tests must run inside of the repository")
}

fn on_path(program: &'static str) -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    folders.into_iter().map(move |folder| folder.join(program)).filter(|file| file.is_file())
}

fn nats_version(program: &Path) -> Option<(u32, u32)> {
    let output = Command::new(program).arg("--version").output().ok()?;
    parse_nats_version(&String::from_utf8_lossy(&output.stdout))
}

/// Reads "nats-server: v2.15.1" as (2, 15).
fn parse_nats_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().rsplit_once('v')?.1.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::parse_nats_version;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse_nats_version("nats-server: v2.15.1\n"), Some((2, 15)));
        assert!(parse_nats_version("nats-server: v2.9.10") < Some((2, 10)));
        assert_eq!(parse_nats_version("something else"), None);
    }
}
