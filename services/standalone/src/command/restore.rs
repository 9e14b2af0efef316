//! `restore`: puts a backup in the place of the databases of a system that does not run.
//!
//! | step | stopped there |
//! | --- | --- |
//! | everything that can be refused is looked at; copies are made ready beside the databases, their logs checked | nothing has changed |
//! | what is lost is listed, on the disk | the same |
//! | every database is marked: nobody opens it to write or to copy until the end | the databases are as they were; the system does not start, and `restore` is run again |
//! | each copy takes the place of its database in one step, in a new epoch | each is the old one or the new one; the same |
//! | the streams are emptied | the same; what was lost stands in the list of the first run, which is named again |
//! | the marks go | the same, or it is done |

mod list;
mod lost;
mod secrets;
mod target;

use std::path::PathBuf;

use chassis::Config;
use clap::Args;
use messaging::crash;
use serde::Serialize;

use super::backup::Programs;
use super::log::counting;
use super::new_epoch::{self, Begun, epoch_of_now};
use crate::backup::Manifest;
use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::installation::require_owner;
use crate::screen::Screen;
use list::List;
use lost::{Loss, Streams};
use target::{Ready, Target};

pub(crate) const EXAMPLES: &str = "Examples:
  osallisuus restore /backup/2026-11-22
  osallisuus restore /backup/2026-11-22 --replace
  osallisuus restore /backup/2026-11-22 --replace --service forums
  osallisuus restore /backup/2026-11-22 --with-secrets --output json

The system must be stopped; nothing is changed unless the whole backup is sound. Databases that are not empty are
refused without --replace, and secrets that are others than those of the backup in any case. Until a restore that was
stopped is run again, to its end, nothing starts. The events that the streams still hold beyond the backup are
listed in a file in the data folder, and the first of them shown: they are lost. What has no event, such as a ballot, is lost too if it came after the backup. Every log
then goes on in a new epoch, and its stream is filled again from it. Services that were not restored and have read
lost events stop the lanes at fault; `osallisuus resync` heals them. membership is not restored without the others,
which name people by what it has given out.";

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
    /// The files in which what is lost is listed: that of this run, and before it those of runs that did not come to
    /// their end.
    lost_files: Vec<PathBuf>,
    /// Secrets that are not there and that the services do not start without.
    missing_secrets: Vec<String>,
}

pub(super) async fn run(args: &RestoreArgs, screen: Screen) -> Result<Exit, Failure> {
    let config = args.installation.load()?;
    require_owner(&config, "restore")?;
    let manifest = Manifest::read(&args.folder)?;
    if manifest.cell != config.cell {
        let message = format!("the backup is of \"{}\", this is \"{}\"", manifest.cell, config.cell);
        return Err(
            Failure::new(Exit::Refused, message).remedy("See the setting cell: osallisuus config show")
        );
    }
    secrets::require(args, &config, &manifest)?;
    let targets = target::all(args, &config, &manifest, screen).await?;
    let streams = match args.without_streams {
        true => None,
        false => Some(Streams::connect(&config).await?),
    };
    let restored = restore(args, &config, &manifest, targets, streams.as_ref(), screen).await;
    if let Some(streams) = streams {
        streams.close().await;
    }
    let restored = restored?;
    screen.result(&restored, || text(&restored))?;
    Ok(Exit::Done)
}

/// What is lost is on the disk before anything changes, and stays in the streams until everything else is done.
async fn restore(
    args: &RestoreArgs,
    config: &Config,
    manifest: &Manifest,
    targets: Vec<Target>,
    streams: Option<&Streams>,
    screen: Screen,
) -> Result<Restored, Failure> {
    let (mut ready, mut lost_files) = (Vec::new(), Vec::new());
    for target in targets {
        lost_files
            .extend(target.earlier_lists().filter(|file| !lost_files.contains(file)).collect::<Vec<_>>());
        ready.push(target.stage(&args.programs.tools(), screen).await?);
    }
    let (mut loss, mut epoch) = (None, epoch_of_now());
    if let Some(streams) = streams {
        let mut list = List::begin(&config.data_dir)?;
        let mut all = Loss::default();
        for target in &ready {
            let highest =
                streams.beyond(target.database.service(), &target.ends, &mut list, &mut all).await?;
            epoch = epoch.max(highest + 1);
        }
        lost_files.extend(list.end()?);
        loss = Some(all);
    }
    crash::point("restore.staged");
    let missing_secrets = secrets::put_back(args, config, manifest)?;
    let epochs =
        change(args, config, ready, streams, &lost_files, epoch, screen).await.map_err(|failure| {
            failure.details(
                lost_files.iter().map(|file| format!("What is lost is listed in {}", file.display())),
            )
        })?;
    Ok(Restored { taken_at: manifest.taken_at.clone(), epochs, loss, lost_files, missing_secrets })
}

/// Changes the databases, and then the streams.
async fn change(
    args: &RestoreArgs,
    config: &Config,
    targets: Vec<Ready>,
    streams: Option<&Streams>,
    lost_files: &[PathBuf],
    epoch: u64,
    screen: Screen,
) -> Result<Vec<Begun>, Failure> {
    let note: String = lost_files.iter().map(|file| format!("{}\n", file.display())).collect();
    for target in &targets {
        target.database.begin(&note).await?;
    }
    crash::point("restore.marked");
    let (mut epochs, mut held) = (Vec::new(), Vec::new());
    for target in targets {
        let service = target.database.service();
        screen.note(&format!("{service}: restoring"));
        let (database, lanes) = target.put_back(&args.programs.tools(), &config.tenants, epoch).await?;
        crash::point("restore.put_back");
        database.judge(counting(service, screen)).await.map_err(|error| {
            let failure = Failure::from(error).during(format!("{service} was restored and"));
            failure.remedy("Restore an older backup.")
        })?;
        epochs.push(Begun { service, lanes });
        held.push(database);
    }
    if let Some(streams) = streams {
        for database in &held {
            streams.empty(database.service()).await?;
            crash::point("restore.stream_emptied");
        }
    }
    for database in held {
        database.finish().await?;
        crash::point("restore.finished");
        // Everything is committed.
        let _ = database.release().await;
    }
    Ok(epochs)
}

fn text(restored: &Restored) -> String {
    let mut text =
        format!("Restored as of {}.\n\n{}\n", restored.taken_at, new_epoch::text(&restored.epochs));
    text += &match &restored.loss {
        None => "\nThe streams were not asked what was lost.".to_owned(),
        Some(loss) => format!("\n{}", lost::text(loss)),
    };
    if !restored.lost_files.is_empty() {
        let files: Vec<String> = restored.lost_files.iter().map(|file| file.display().to_string()).collect();
        text += &format!("\n\nAll that is lost is listed in {}.", files.join(" and "));
    }
    text += "\nNot in any list: what was not published yet, and what has no event, such as ballots. What came after";
    text += " the backup of it is lost too.";
    if !restored.missing_secrets.is_empty() {
        text += &format!("\n\nSecrets that are missing: {}", restored.missing_secrets.join(", "));
    }
    text
}
