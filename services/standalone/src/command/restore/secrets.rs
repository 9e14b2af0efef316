//! The secrets of a backup and those that are here.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use chassis::Config;

use super::RestoreArgs;
use crate::backup::{Manifest, SECRETS, about, fingerprint, missing_secrets};
use crate::command::backup::{copy_secret, on_disk};
use crate::exit::{Exit, Failure};

/// That the secrets that are here are those of the backup, and those are in it that are to come from it.
///
/// # Errors
/// [`Exit::Refused`] if not.
pub(super) fn require(args: &RestoreArgs, config: &Config, manifest: &Manifest) -> Result<(), Failure> {
    let others = unlike(&config.secrets_dir, manifest)?;
    if !others.is_empty() {
        let folder = config.secrets_dir.display();
        let message =
            format!("secrets in {folder} are others than those of the backup: {}", others.join(", "));
        return Err(Failure::new(Exit::Refused, message).remedy(
            "What they seal in the backup could not be read. If a new installation has made them, move them away, and \
             take those of the backup: --with-secrets, or from where you keep them.",
        ));
    }
    if !args.with_secrets {
        return Ok(());
    }
    let missing = missing_secrets(config, &manifest.secret_names());
    let kept = args.folder.join(SECRETS);
    let is_there = |name: &String| manifest.with_secrets && kept.join(name).is_file();
    let nowhere: Vec<String> = missing.iter().filter(|name| !is_there(name)).cloned().collect();
    if !nowhere.is_empty() {
        let message = format!("secrets are missing that the backup does not have: {}", nowhere.join(", "));
        return Err(Failure::new(Exit::Refused, message).remedy("Put them back from where you keep them."));
    }
    let damaged = unlike(&kept, manifest)?;
    if !damaged.is_empty() {
        let message = format!("secrets in the backup are not what its manifest says: {}", damaged.join(", "));
        return Err(Failure::new(Exit::Refused, message).remedy("Take another copy of the backup."));
    }
    Ok(())
}

/// The secrets in a folder that are others than the manifest's.
fn unlike(folder: &Path, manifest: &Manifest) -> Result<Vec<String>, Failure> {
    let mut unlike = Vec::new();
    for (name, meant) in &manifest.secrets {
        let here = fingerprint(&folder.join(name))?;
        if meant.is_some() && here.is_some() && here != *meant {
            unlike.push(name.clone());
        }
    }
    Ok(unlike)
}

/// Puts back missing secrets if that was asked for; what is missing then.
///
/// # Errors
/// If one cannot be written.
pub(super) fn put_back(
    args: &RestoreArgs,
    config: &Config,
    manifest: &Manifest,
) -> Result<Vec<String>, Failure> {
    let names = manifest.secret_names();
    let missing = missing_secrets(config, &names);
    if !args.with_secrets || missing.is_empty() {
        return Ok(missing);
    }
    let to: &Path = &config.secrets_dir;
    DirBuilder::new().recursive(true).mode(0o700).create(to).map_err(about(to))?;
    for name in &missing {
        copy_secret(&args.folder.join(SECRETS).join(name), &to.join(name))?;
    }
    on_disk(to)?;
    Ok(missing_secrets(config, &names))
}
