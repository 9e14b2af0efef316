//! A disk of a few megabytes.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use tempfile::TempDir;

/// A file system in memory, mounted in a folder of its own; gone when dropped.
pub(super) struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one of this size, for example `24m`.
    ///
    /// # Errors
    /// If this user or machine may not.
    pub(super) fn mount(size: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("osallisuus-disk-").tempdir()?;
        let mut command = Command::new("mount");
        let output =
            command.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder.path()).output();
        let output = output.context("run mount")?;
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(Self { folder })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it to the last byte with a file, and says which.
    pub(super) fn fill(&self) -> anyhow::Result<PathBuf> {
        let path = self.folder.path().join("ballast");
        let mut file = File::create(&path)?;
        for size in [1 << 16, 1 << 10, 1] {
            loop {
                match file.write(&vec![0; size]) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still has a file open there keeps it until they end.
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}
