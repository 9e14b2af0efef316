//! The databases to be restored: held alone, compared with the backup, made ready.

use std::path::PathBuf;

use chassis::Config;
use kernel::TenantId;
use messaging::backup::{BackupError, Staged, Tools};
use messaging::exclusive::{Exclusive, Raised};
use messaging::log::LaneHead;

use super::RestoreArgs;
use crate::backup::{Copy, Engine, Manifest};
use crate::command::log::counting;
use crate::command::new_epoch::alone;
use crate::exit::{Exit, Failure};
use crate::installation::databases;
use crate::screen::Screen;
use crate::services::SERVICES;

/// The service whose references to people all others keep.
const DIRECTORY: &str = membership::SERVICE.name;

/// A database to be restored, held alone.
pub(super) struct Target {
    database: Exclusive,
    ends: Vec<LaneHead>,
    file: PathBuf,
    /// What a restore of it has noted that did not come to its end.
    note: Option<String>,
}

/// The same with its copy made ready.
pub(super) struct Ready {
    pub(super) database: Exclusive,
    /// Where the lanes end in the copy.
    pub(super) ends: Vec<LaneHead>,
    staged: Staged,
}

/// All of them. Everything that can be refused at once is looked at.
pub(super) async fn all(
    args: &RestoreArgs,
    config: &Config,
    manifest: &Manifest,
    screen: Screen,
) -> Result<Vec<Target>, Failure> {
    let mut meant = Vec::new();
    for (service, url) in databases(config, &args.service)? {
        match manifest.services.iter().find(|copy| copy.service == service.name) {
            Some(copy) => meant.push((service.name, url, copy)),
            None if args.service.is_empty() => {}
            None => {
                let message = format!("the backup has no copy of {}", service.name);
                return Err(Failure::new(Exit::Refused, message));
            }
        }
    }
    if meant.is_empty() {
        return Err(Failure::new(Exit::Refused, "the backup has no copy of these services"));
    }
    let left = SERVICES.iter().find(|service| meant.iter().all(|(name, ..)| *name != service.name));
    if let (Some(left), true) = (left, meant.iter().any(|(name, ..)| *name == DIRECTORY)) {
        let message = format!("{DIRECTORY} is not restored without {}", left.name);
        return Err(Failure::new(Exit::Refused, message).remedy(format!(
            "{} holds what {DIRECTORY} has given out since the backup: people's references, rolls, units. Restore \
             all services.",
            left.name
        )));
    }
    let mut targets = Vec::new();
    for (service, url, copy) in meant {
        screen.note(&format!("{service}: comparing the copy with the manifest"));
        let file = copy.check(&args.folder)?;
        let ends = copy.lanes.iter().map(|end| end.head()).collect::<Result<_, _>>()?;
        let database = alone(&url, service).await?;
        require_engine(&database, copy)?;
        let note = database.unfinished().await?;
        // Who has begun has agreed to what goes.
        if !args.replace && note.is_none() && !database.is_empty().await? {
            return Err(BackupError::NotEmpty(service).into());
        }
        targets.push(Target { database, ends, file, note });
    }
    Ok(targets)
}

fn require_engine(database: &Exclusive, copy: &Copy) -> Result<(), Failure> {
    if Engine::from(database.kind()) == copy.engine {
        return Ok(());
    }
    let service = database.service();
    let message = format!("the copy of {service} is of another kind of database");
    let remedy = format!("Set services.{service}.database to one of the kind it was copied from.");
    Err(Failure::new(Exit::Refused, message).remedy(remedy))
}

impl Target {
    /// Lists of what was lost by restores that did not come to their end.
    pub(super) fn earlier_lists(&self) -> impl Iterator<Item = PathBuf> {
        self.note.iter().flat_map(|note| note.lines()).map(PathBuf::from)
    }

    /// Makes the copy ready.
    ///
    /// # Errors
    /// [`Exit::Failure`] if it is not sound.
    pub(super) async fn stage(self, tools: &Tools, screen: Screen) -> Result<Ready, Failure> {
        let Self { database, ends, file, .. } = self;
        let service = database.service();
        screen.note(&format!("{service}: checking the copy"));
        let staged =
            database.stage(&file, &ends, tools, counting(service, screen)).await.map_err(|error| {
                let failure = Failure::from(error).during(format!("the copy of {service}"));
                if failure.remedy.is_empty() { failure.remedy("Restore an older backup.") } else { failure }
            })?;
        Ok(Ready { database, ends, staged })
    }
}

impl Ready {
    /// Puts the copy in the place of the database, in a new epoch that is at least `epoch`.
    pub(super) async fn put_back(
        self,
        tools: &Tools,
        tenants: &[TenantId],
        epoch: u64,
    ) -> Result<(Exclusive, Vec<Raised>), Failure> {
        let Self { database, ends, staged } = self;
        let lanes = Raised::all(&ends, tenants, epoch);
        let restored = database.put_back(staged, &lanes, tools).await;
        restored.map_err(|error| Failure::from(error).during(database.service()))?;
        Ok((database, lanes))
    }
}
