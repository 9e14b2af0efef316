//! `restore`: puts a backup in the place of the databases of a system that does not run.

mod lost;

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chassis::Config;
use clap::Args;
use messaging::backup::Tools;
use messaging::exclusive::Exclusive;
use serde::Serialize;

use super::backup::{Programs, copy_secret, on_disk};
use super::new_epoch::{self, Begun, alone, epoch_of_now};
use crate::backup::{Copy, Engine, LaneEnd, Manifest, SECRETS, about, missing_secrets};
use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::installation::databases;
use crate::screen::Screen;
use lost::{Loss, Streams};

pub(crate) const EXAMPLES: &str = "Examples:
  osallisuus restore /backup/2026-11-22
  osallisuus restore /backup/2026-11-22 --replace
  osallisuus restore /backup/2026-11-22 --replace --service forums
  osallisuus restore /backup/2026-11-22 --with-secrets --output json

The system must be stopped; nothing is changed unless the whole backup is sound. Databases that are not empty are
refused without --replace. The events that the streams still hold beyond the backup are listed, also in a file in the
data folder: they are lost. What has no event, such as a ballot, is lost too if it came after the backup. Every log
then goes on in a new epoch, and its stream is filled again from it. Services that were not restored and have read
lost events stop the lanes at fault; `osallisuus resync` heals them.";

/// What to put back.
#[derive(Debug, Clone, Args)]
pub(crate) struct RestoreArgs {
    /// Folder that `osallisuus backup` made.
    folder: PathBuf,
    /// Puts the backup in the place of databases that are not empty: what is there goes.
    #[arg(long)]
    replace: bool,
    /// Only the database of this service; may be given several times.
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,
    /// Puts secrets back that are missing, from a backup that has them.
    #[arg(long)]
    with_secrets: bool,
    /// Goes on without NATS: what was lost is not listed, and the streams keep events that are lost until
    /// the services stop at them.
    #[arg(long)]
    without_streams: bool,
    #[command(flatten)]
    programs: Programs,
    #[command(flatten)]
    installation: Installation,
}

/// What was done.
#[derive(Serialize)]
struct Restored {
    taken_at: String,
    epochs: Vec<Begun>,
    /// What the streams held beyond the backup; nothing if they were not asked.
    #[serde(flatten)]
    loss: Option<Loss>,
    /// The file in which it is listed too.
    lost_file: Option<PathBuf>,
    /// Secrets that are not there and that the services do not start without.
    missing_secrets: Vec<String>,
}

/// A database to be restored, held alone.
struct Target {
    database: Exclusive,
    url: String,
    copy: Copy,
    file: PathBuf,
}

pub(super) async fn run(args: &RestoreArgs, screen: Screen) -> Result<Exit, Failure> {
    let config = args.installation.load()?;
    let manifest = Manifest::read(&args.folder)?;
    if manifest.cell != config.cell {
        let message = format!("the backup is of \"{}\", this is \"{}\"", manifest.cell, config.cell);
        return Err(
            Failure::new(Exit::Refused, message).remedy("See the setting cell: osallisuus config show")
        );
    }
    require_secrets(args, &config, &manifest)?;
    let targets = targets(args, &config, &manifest, screen).await?;
    let streams = match args.without_streams {
        true => None,
        false => Some(Streams::connect(&config).await?),
    };
    let outcome = restore(args, &config, &manifest, &targets, streams.as_ref(), screen).await;
    if let Some(streams) = streams {
        streams.close().await;
    }
    let restored = outcome?;
    for target in targets {
        // Everything is committed.
        let _ = target.database.release().await;
    }
    screen.result(&restored, || text(&restored))?;
    Ok(Exit::Done)
}

/// Everything that can be refused is looked at before anything is changed.
async fn targets(
    args: &RestoreArgs,
    config: &Config,
    manifest: &Manifest,
    screen: Screen,
) -> Result<Vec<Target>, Failure> {
    let mut targets = Vec::new();
    for (service, url) in databases(config, &args.service)? {
        let Some(copy) = manifest.services.iter().find(|copy| copy.service == service.name) else {
            if args.service.is_empty() {
                continue;
            }
            return Err(Failure::new(Exit::Refused, format!("the backup has no copy of {}", service.name)));
        };
        screen.note(&format!("{}: comparing the copy with the manifest", service.name));
        let file = copy.check(&args.folder)?;
        let database = alone(&url, service.name).await?;
        if Engine::from(database.kind()) != copy.engine {
            let message = format!("the copy of {} is of another kind of database", service.name);
            return Err(Failure::new(Exit::Refused, message).remedy(format!(
                "Set services.{}.database to one of the kind it was copied from.",
                service.name
            )));
        }
        if !args.replace && !database.is_empty().await? {
            return Err(messaging::backup::BackupError::NotEmpty(service.name).into());
        }
        targets.push(Target { database, url, copy: copy.clone(), file });
    }
    if targets.is_empty() {
        return Err(Failure::new(Exit::Refused, "the backup has no copy of these services"));
    }
    Ok(targets)
}

/// What is lost is on the disk before anything changes, and stays in the streams until everything else is done: whoever
/// is stopped in between can restore again.
async fn restore(
    args: &RestoreArgs,
    config: &Config,
    manifest: &Manifest,
    targets: &[Target],
    streams: Option<&Streams>,
    screen: Screen,
) -> Result<Restored, Failure> {
    let (mut loss, mut highest) = (Loss::default(), epoch_of_now());
    if let Some(streams) = streams {
        for target in targets {
            let found = streams.beyond(target.database.service(), &target.copy.lanes).await?;
            highest = highest.max(found.highest_epoch + 1);
            loss.lost.extend(found.loss.lost);
            loss.unknown.extend(found.loss.unknown);
        }
    }
    let loss = streams.map(|_| loss);
    let lost_file = loss.as_ref().map(|loss| keep(loss, &config.data_dir, highest)).transpose()?.flatten();
    if let Some(file) = &lost_file {
        screen.note(&format!("what is lost is listed in {}", file.display()));
    }
    let missing_secrets = put_back_secrets(args, config, manifest)?;
    let changed = change(args, config, targets, streams, highest, screen).await;
    let epochs = changed.map_err(|failure| {
        failure.details(lost_file.iter().map(|file| format!("What is lost is listed in {}", file.display())))
    })?;
    Ok(Restored { taken_at: manifest.taken_at.clone(), epochs, loss, lost_file, missing_secrets })
}

/// Writes what is lost to a file in this folder, for its owner only; none if nothing is.
fn keep(loss: &Loss, folder: &Path, epoch: u64) -> Result<Option<PathBuf>, Failure> {
    if *loss == Loss::default() {
        return Ok(None);
    }
    std::fs::create_dir_all(folder).map_err(about(folder))?;
    let file = folder.join(format!("lost-{epoch}.json"));
    let new = File::options().write(true).create_new(true).mode(0o600).open(&file);
    let mut new = new.map_err(about(&file))?;
    serde_json::to_writer_pretty(&mut new, loss)
        .map_err(std::io::Error::from)
        .and_then(|()| new.sync_all())
        .map_err(about(&file))?;
    on_disk(folder)?;
    Ok(Some(file))
}

/// Changes the databases, and then the streams.
async fn change(
    args: &RestoreArgs,
    config: &Config,
    targets: &[Target],
    streams: Option<&Streams>,
    epoch: u64,
    screen: Screen,
) -> Result<Vec<Begun>, Failure> {
    let mut epochs = Vec::new();
    for target in targets {
        let service = target.database.service();
        screen.note(&format!("{service}: restoring"));
        put_back(target, args.replace, &args.programs.tools(), screen).await?;
        let lanes = target.database.raise_epoch(&config.tenants, epoch).await;
        let lanes = lanes.map_err(|error| Failure::new(Exit::Unreachable, format!("{service}: {error}")))?;
        epochs.push(Begun { service, lanes });
    }
    if let Some(streams) = streams {
        for target in targets {
            streams.empty(target.database.service()).await?;
        }
    }
    Ok(epochs)
}

/// Puts a copy back and checks that it is what was copied, and whole.
async fn put_back(target: &Target, replace: bool, tools: &Tools, screen: Screen) -> Result<(), Failure> {
    let service = target.database.service();
    target
        .database
        .restore(&target.file, replace, tools)
        .await
        .map_err(|error| Failure::from(error).during(service))?;
    let heads = target.database.heads().await?;
    let ends: Vec<LaneEnd> = heads.iter().map(Into::into).collect();
    if ends != target.copy.lanes {
        return Err(Failure::general(format!(
            "{service} was restored and does not end where the manifest says"
        )));
    }
    let verdict = super::log::verdict(service, &target.url, screen).await?;
    match verdict.broken.first() {
        None => Ok(()),
        Some(broken) => {
            Err(Failure::general(format!("{service} was restored and its log is broken: {broken}"))
                .remedy("Restore an older backup."))
        }
    }
}

/// That the secrets are in the backup that are to come from it.
fn require_secrets(args: &RestoreArgs, config: &Config, manifest: &Manifest) -> Result<(), Failure> {
    if !args.with_secrets {
        return Ok(());
    }
    let missing = missing_secrets(config, &manifest.secrets);
    let is_there = |name: &String| manifest.with_secrets && args.folder.join(SECRETS).join(name).is_file();
    let nowhere: Vec<String> = missing.into_iter().filter(|name| !is_there(name)).collect();
    if nowhere.is_empty() {
        return Ok(());
    }
    let message = format!("secrets are missing that the backup does not have: {}", nowhere.join(", "));
    Err(Failure::new(Exit::Refused, message).remedy("Put them back from where you keep them."))
}

/// Puts back missing secrets if that was asked for; what is missing then.
fn put_back_secrets(
    args: &RestoreArgs,
    config: &Config,
    manifest: &Manifest,
) -> Result<Vec<String>, Failure> {
    let missing = missing_secrets(config, &manifest.secrets);
    if !args.with_secrets || missing.is_empty() {
        return Ok(missing);
    }
    let to: &Path = &config.secrets_dir;
    std::fs::create_dir_all(to).map_err(about(to))?;
    for name in &missing {
        copy_secret(&args.folder.join(SECRETS).join(name), &to.join(name))?;
    }
    Ok(missing_secrets(config, &manifest.secrets))
}

fn text(restored: &Restored) -> String {
    let mut text =
        format!("Restored as of {}.\n\n{}\n", restored.taken_at, new_epoch::text(&restored.epochs));
    text += &match &restored.loss {
        None => "\nThe streams were not asked what was lost.".to_owned(),
        Some(loss) => format!("\n{}", lost::text(loss)),
    };
    if let Some(file) = &restored.lost_file {
        text += &format!("\n\nThis list is kept in {}.", file.display());
    }
    text += "\nNot in any list: what was not published yet, and what has no event, such as ballots. What came after";
    text += " the backup of it is lost too.";
    if !restored.missing_secrets.is_empty() {
        text += &format!("\n\nSecrets that are missing: {}", restored.missing_secrets.join(", "));
    }
    text
}
