//! The file in which everything that is lost is listed, however much it is: one JSON document a line.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use kernel::{Clock as _, SystemClock};
use serde::Serialize;

use crate::backup::about;
use crate::command::backup::on_disk;
use crate::exit::Failure;

/// A list that is being written, for its owner only.
pub(super) struct List {
    folder: PathBuf,
    /// Its name until it is whole.
    partial: PathBuf,
    file: PathBuf,
    lines: BufWriter<File>,
    is_empty: bool,
}

impl List {
    /// Begins a list in this folder, named by the time.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(super) fn begin(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(about(folder))?;
        let file = folder.join(format!("lost-{}.jsonl", SystemClock.now().as_micros()));
        let partial = folder.join("lost.partial");
        // There is one only if an earlier run was killed.
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        let lines = BufWriter::new(options.open(&partial).map_err(about(&partial))?);
        Ok(Self { folder: folder.to_owned(), partial, file, lines, is_empty: true })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn add(&mut self, line: &impl Serialize) -> Result<(), Failure> {
        self.is_empty = false;
        let text = serde_json::to_vec(line).map_err(std::io::Error::from);
        text.and_then(|text| {
            self.lines.write_all(&text)?;
            self.lines.write_all(b"\n")
        })
        .map_err(about(&self.partial))
    }

    /// Puts it on the disk; none if nothing is lost.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn end(mut self) -> Result<Option<PathBuf>, Failure> {
        let written = self.lines.flush().and_then(|()| self.lines.get_ref().sync_all());
        written.map_err(about(&self.partial))?;
        if self.is_empty {
            fs::remove_file(&self.partial).map_err(about(&self.partial))?;
            return Ok(None);
        }
        fs::rename(&self.partial, &self.file).map_err(about(&self.file))?;
        on_disk(&self.folder)?;
        Ok(Some(self.file))
    }
}
