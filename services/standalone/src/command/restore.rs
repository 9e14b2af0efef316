//! `restore`: puts a backup in the place of the databases of a system that does not run.

mod lost;

use std::path::{Path, PathBuf};

use chassis::Config;
use clap::Args;
use messaging::backup::Tools;
use messaging::exclusive::Exclusive;
use serde::Serialize;

use super::backup::{Programs, copy_secret};
use super::new_epoch::{self, Begun, alone, epoch_of_now};
use crate::backup::{Copy, Engine, LaneEnd, Manifest, SECRETS, missing_secrets};
use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::installation::databases;
use crate::screen::Screen;
use lost::{Lost, Streams};

pub(crate) const EXAMPLES: &str = "Examples:
  osallisuus restore /backup/2026-11-22
  osallisuus restore /backup/2026-11-22 --replace
  osallisuus restore /backup/2026-11-22 --replace --service forums
  osallisuus restore /backup/2026-11-22 --with-secrets --output json

The system must be stopped; nothing is changed unless the whole backup is sound. Databases that are not empty are
refused without --replace. The events that the streams still hold beyond the backup are listed: they are lost. Every
log then goes on in a new epoch, and its stream is filled again from it. Services that were not restored and have read
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
    /// Events beyond the backup that the streams held; `None` if they were not asked.
    lost: Option<Vec<Lost>>,
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
    let targets = targets(args, &config, &manifest, screen).await?;
    let streams = match args.without_streams {
        true => None,
        false => Some(Streams::connect(&config).await?),
    };
    let outcome = restore(args, &config, &targets, streams.as_ref(), screen).await;
    if let Some(streams) = streams {
        streams.close().await;
    }
    let (epochs, lost) = outcome?;
    for target in targets {
        // Everything is committed.
        let _ = target.database.release().await;
    }
    let restored = Restored {
        taken_at: manifest.taken_at.clone(),
        epochs,
        lost,
        missing_secrets: secrets(args, &config, &manifest)?,
    };
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

type Outcome = (Vec<Begun>, Option<Vec<Lost>>);

async fn restore(
    args: &RestoreArgs,
    config: &Config,
    targets: &[Target],
    streams: Option<&Streams>,
    screen: Screen,
) -> Result<Outcome, Failure> {
    let (mut epochs, mut lost, mut highest) = (Vec::new(), Vec::new(), epoch_of_now());
    if let Some(streams) = streams {
        for target in targets {
            let found = streams.beyond(target.database.service(), &target.copy.lanes).await?;
            highest = highest.max(found.highest_epoch + 1);
            lost.extend(found.lost);
        }
    }
    for target in targets {
        let service = target.database.service();
        screen.note(&format!("{service}: restoring"));
        put_back(target, args.replace, &args.programs.tools(), screen).await?;
        let lanes = target.database.raise_epoch(&config.tenants, highest).await;
        let lanes = lanes.map_err(|error| Failure::new(Exit::Unreachable, format!("{service}: {error}")))?;
        epochs.push(Begun { service, lanes });
        if let Some(streams) = streams {
            streams.empty(service).await?;
        }
    }
    Ok((epochs, streams.map(|_| lost)))
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

/// Puts back missing secrets if that was asked for; what is missing then.
fn secrets(args: &RestoreArgs, config: &Config, manifest: &Manifest) -> Result<Vec<String>, Failure> {
    let missing = missing_secrets(config, &manifest.secrets);
    if !args.with_secrets || missing.is_empty() {
        return Ok(missing);
    }
    if !manifest.with_secrets {
        let message = format!("the backup has no secrets; missing are: {}", missing.join(", "));
        return Err(Failure::general(message).remedy("Put them back from where you keep them."));
    }
    let to: &Path = &config.secrets_dir;
    std::fs::create_dir_all(to).map_err(crate::backup::about(to))?;
    for name in &missing {
        copy_secret(&args.folder.join(SECRETS).join(name), &to.join(name))?;
    }
    Ok(missing_secrets(config, &manifest.secrets))
}

fn text(restored: &Restored) -> String {
    let mut text =
        format!("Restored as of {}.\n\n{}\n", restored.taken_at, new_epoch::text(&restored.epochs));
    text += &match &restored.lost {
        None => "\nThe streams were not asked what was lost.".to_owned(),
        Some(lost) if lost.is_empty() => "\nThe streams hold nothing beyond the backup.".to_owned(),
        Some(lost) => format!("\nLost, because they came after the backup:\n{}", lost::text(lost)),
    };
    if !restored.missing_secrets.is_empty() {
        text += &format!("\n\nSecrets that are missing: {}", restored.missing_secrets.join(", "));
    }
    text
}
