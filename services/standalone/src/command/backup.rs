//! `backup`: copies of all databases that fit together, while the system runs.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chassis::telemetry::note_backup;
use chassis::{Config, Service};
use clap::Args;
use kernel::{Clock as _, SystemClock};
use messaging::backup::{Copied, Snapshot, Tools, is_consistent};
use messaging::crash;
use serde::Serialize;
use tokio::time::sleep;

use super::log::counting;
use crate::backup::{self, Copy, FORMAT, MANIFEST, Manifest, SECRETS, about, sha256};
use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::installation::{databases, require_made, require_owner};
use crate::screen::{Screen, table};

/// How often snapshots are taken until they fit together. One try is usually enough: between two openings lie
/// milliseconds.
const TRIES: u32 = 500;
/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// Ending of the name of a folder that is not complete.
const PARTIAL: &str = "partial";

pub(crate) const EXAMPLES: &str = "Examples:
  osallisuus backup /backup/2026-11-22
  osallisuus backup /backup/2026-11-22 --with-secrets
  osallisuus backup /backup/forums --service forums --output json

The system may run, under load too; it notices nothing. The folder must not exist; it appears when it is complete and
every log in it was checked. PostgreSQL is copied by pg_dump. The secrets are named in the manifest but not copied: who has them and the databases
has everything, so keep them in another place.";

/// Where to, and what.
#[derive(Debug, Clone, Args)]
pub(crate) struct BackupArgs {
    /// Folder to make.
    folder: PathBuf,
    /// Copies the secrets too.
    #[arg(long)]
    with_secrets: bool,
    /// Only the database of this service; may be given several times. Such a copy alone does not fit to the others.
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,
    #[command(flatten)]
    programs: Programs,
    #[command(flatten)]
    installation: Installation,
}

/// Where PostgreSQL's own programs are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Programs {
    /// Folder of pg_dump and pg_restore; without it the newest of Debian's packages, else the search path.
    #[arg(long, value_name = "DIR", env = "OSALLISUUS_POSTGRES_PROGRAMS")]
    postgres_programs: Option<PathBuf>,
}

impl Programs {
    pub(super) fn tools(&self) -> Tools {
        Tools { folder: self.postgres_programs.clone() }
    }
}

pub(super) async fn run(args: &BackupArgs, screen: Screen) -> Result<Exit, Failure> {
    let config = args.installation.load()?;
    require_owner(&config, "backup")?;
    require_made(&config)?;
    if args.folder.exists() {
        let message = format!("{} is there already", args.folder.display());
        return Err(Failure::new(Exit::Refused, message).remedy("Name a folder that is not there."));
    }
    let missing = backup::missing_secrets(&config, &backup::secrets());
    if args.with_secrets && !missing.is_empty() {
        let message = format!("secrets are missing: {}", missing.join(", "));
        return Err(Failure::new(Exit::Configuration, message).remedy("See: osallisuus doctor"));
    }
    let partial = Partial::make(&args.folder, screen)?;
    let manifest = fill(&partial.folder, &config, args, screen).await?;
    crash::point("backup.before_complete");
    partial.complete(&args.folder)?;
    if args.service.is_empty() {
        note_backup(&config.data_dir, SystemClock.now()).map_err(|error| {
            Failure::from(error).during("the backup is there, but not noted for the metrics")
        })?;
    }
    let taken = Taken { manifest, left_over: left_over(&args.folder) };
    screen.result(&taken, || text(&taken, &args.folder))?;
    Ok(Exit::Done)
}

/// What was done.
#[derive(Serialize)]
struct Taken {
    #[serde(flatten)]
    manifest: Manifest,
    /// Folders beside the backup in which others were interrupted; nobody is at work in them.
    left_over: Vec<PathBuf>,
}

/// What interrupted backups have left beside this one. A folder that cannot be looked into is not named.
fn left_over(folder: &Path) -> Vec<PathBuf> {
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let entries = fs::read_dir(parent.unwrap_or(Path::new("."))).into_iter().flatten().flatten();
    let folders = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
    let partial = folders.filter(|path| path.extension().is_some_and(|ending| ending == PARTIAL));
    partial.filter(|path| lock(path).is_ok()).collect()
}

/// A folder that is not complete yet; removed if it does not become so.
struct Partial {
    folder: PathBuf,
    /// Locked as long as this process is at work in it.
    _lock: File,
}

impl Partial {
    /// Makes it beside `folder`. What an interrupted backup has left there goes.
    fn make(folder: &Path, screen: Screen) -> Result<Self, Failure> {
        let mut name = folder.as_os_str().to_owned();
        name.push(format!(".{PARTIAL}"));
        let partial = PathBuf::from(name);
        if partial.exists() {
            let left = lock(&partial)?;
            screen.note(&format!("removing {}, which an interrupted backup has left", partial.display()));
            fs::remove_dir_all(&partial).map_err(about(&partial))?;
            drop(left);
        }
        DirBuilder::new().mode(0o700).create(&partial).map_err(about(&partial))?;
        let lock = lock(&partial)?;
        Ok(Self { folder: partial, _lock: lock })
    }

    fn complete(self, folder: &Path) -> Result<(), Failure> {
        on_disk(&self.folder)?;
        fs::rename(&self.folder, folder).map_err(about(folder))?;
        match folder.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => on_disk(parent),
            _ => on_disk(Path::new(".")),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After it was renamed there is nothing here.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Takes a folder for this process; the lock ends with it, however it ends.
fn lock(folder: &Path) -> Result<File, Failure> {
    let open = File::open(folder).map_err(about(folder))?;
    match open.try_lock() {
        Ok(()) => Ok(open),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another backup is at work in {}", folder.display());
            Err(Failure::new(Exit::Refused, message).remedy("Wait for its end, or name another folder."))
        }
        Err(TryLockError::Error(error)) => Err(about(folder)(error)),
    }
}

async fn fill(
    folder: &Path,
    config: &Config,
    args: &BackupArgs,
    screen: Screen,
) -> Result<Manifest, Failure> {
    let mut meant = databases(config, &args.service)?;
    // Membership comes first in a start and last here: the others name people by references that it gave out before.
    meant.reverse();
    let snapshots = cut(folder, &meant).await?;
    crash::point("backup.cut");
    let taken_at = SystemClock.now().to_string();
    let (mut services, mut copies) = (Vec::new(), Vec::new());
    for snapshot in snapshots {
        let (copied, service) = copy(folder, snapshot, &args.programs.tools(), screen).await?;
        copies.push((copied, service.service.clone()));
        services.push(service);
        crash::point("backup.copied");
    }
    for (copied, service) in copies {
        let checked = copied.check(counting(&service, screen)).await;
        checked.map_err(|error| Failure::from(error).during(&service))?;
    }
    services.reverse();
    let names = backup::secrets();
    if args.with_secrets {
        copy_secrets(folder, config, &names)?;
    }
    let mut secrets = BTreeMap::new();
    for name in names {
        let fingerprint = backup::fingerprint(&config.secrets_dir.join(&name))?;
        secrets.insert(name, fingerprint);
    }
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        cell: config.cell.clone(),
        tenants: config.tenants.iter().map(ToString::to_string).collect(),
        taken_at,
        services,
        secrets,
        with_secrets: args.with_secrets,
    };
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| Failure::general(error.to_string()))?;
    let file = folder.join(MANIFEST);
    fs::write(&file, text).map_err(about(&file))?;
    fs::set_permissions(&file, Permissions::from_mode(0o600)).map_err(about(&file))?;
    on_disk(&file)?;
    Ok(manifest)
}

/// Snapshots of all databases that fit together.
async fn cut(folder: &Path, meant: &[(Service, String)]) -> Result<Vec<Snapshot>, Failure> {
    let mut snapshots = Vec::new();
    for (service, url) in meant {
        snapshots.push(Snapshot::open(url, service.name, &folder.join(file_name(service.name))).await?);
    }
    for _ in 0..TRIES {
        if is_consistent(&snapshots) {
            return Ok(snapshots);
        }
        sleep(PAUSE).await;
        let mut again = Vec::new();
        for snapshot in snapshots {
            again.push(snapshot.again().await?);
        }
        snapshots = again;
    }
    let message = "the services have read events that the services which wrote them do not have";
    Err(Failure::general(message)
        .remedy("A database was restored and its readers not resynced; see: osallisuus status"))
}

fn file_name(service: &str) -> String {
    format!("{service}.copy")
}

async fn copy(
    folder: &Path,
    snapshot: Snapshot,
    tools: &Tools,
    screen: Screen,
) -> Result<(Copied, Copy), Failure> {
    let (service, engine) = (snapshot.service(), snapshot.kind().into());
    let lanes = snapshot.heads().iter().map(Into::into).collect();
    let name = file_name(service);
    let file = folder.join(&name);
    let written = snapshot.write(&file, tools, counting(service, screen)).await;
    let written = written.map_err(|error| Failure::from(error).during(service))?;
    let bytes = file.metadata().map_err(about(&file))?.len();
    let copy = Copy { service: service.to_owned(), engine, sha256: sha256(&file)?, file: name, bytes, lanes };
    Ok((written, copy))
}

fn copy_secrets(folder: &Path, config: &Config, names: &[String]) -> Result<(), Failure> {
    let to = folder.join(SECRETS);
    DirBuilder::new().mode(0o700).create(&to).map_err(about(&to))?;
    for name in names {
        copy_secret(&config.secrets_dir.join(name), &to.join(name))?;
    }
    on_disk(&to)
}

/// Copies a secret, for its owner only, where there is none. Whoever is stopped in it leaves none, not a part of one.
pub(super) fn copy_secret(from: &Path, to: &Path) -> Result<(), Failure> {
    let mut source = File::open(from).map_err(about(from))?;
    let mut name = to.as_os_str().to_owned();
    name.push(".new");
    let name = PathBuf::from(name);
    let new = File::options().write(true).create(true).truncate(true).mode(0o600).open(&name);
    let mut new = new.map_err(about(&name))?;
    std::io::copy(&mut source, &mut new).and_then(|_| new.sync_all()).map_err(about(&name))?;
    fs::rename(&name, to).map_err(about(to))
}

/// Makes sure that a file or folder outlives a power cut.
pub(super) fn on_disk(path: &Path) -> Result<(), Failure> {
    File::open(path).and_then(|file| file.sync_all()).map_err(about(path))
}

fn text(taken: &Taken, folder: &Path) -> String {
    let manifest = &taken.manifest;
    let rows = manifest.services.iter().map(|copy| {
        let events: u64 = copy.lanes.iter().map(|lane| lane.seq).sum();
        [copy.service.clone(), copy.lanes.len().to_string(), events.to_string(), copy.bytes.to_string()]
    });
    let copies = table(["Service", "Lanes", "Events", "Bytes"], rows, &[1, 2, 3]);
    let secrets = manifest.secret_names().join(", ");
    let secrets = if manifest.with_secrets {
        format!("The secrets are in it: {secrets}. Whoever has this folder has everything.")
    } else {
        format!("The secrets are not in it. Keep a copy of them in another place: {secrets}")
    };
    let left: Vec<String> = taken.left_over.iter().map(|path| path.display().to_string()).collect();
    let left = match left.as_slice() {
        [] => String::new(),
        some => format!("\nLeft by backups that were interrupted; remove it: {}", some.join(", ")),
    };
    format!(
        "{copies}\n\nThe backup is in {}, as of {}.\n{secrets}{left}",
        folder.display(),
        manifest.taken_at
    )
}
