//! Secrets are files in one folder; nothing else holds them (SEC-60).

use std::path::{Path, PathBuf};

use kernel::Fault;
use secrecy::SecretString;

/// The folder of secret files.
#[derive(Clone, Debug)]
pub struct Secrets {
    folder: PathBuf,
}

impl Secrets {
    /// The secrets in this folder, which need not exist yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the account secret of a service lies.
    #[must_use]
    pub fn account_path(&self, service: &str) -> PathBuf {
        self.folder.join(format!("{service}.secret"))
    }

    /// The account secret of a service at membership.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn account(&self, service: &str) -> Result<SecretString, Fault> {
        self.read(&format!("{service}.secret"))
    }

    /// The content of a secret file without white space around it.
    ///
    /// # Errors
    /// Internal, naming the file: if it cannot be read or is empty.
    pub fn read(&self, name: &str) -> Result<SecretString, Fault> {
        let path = self.folder.join(name);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Fault::internal(format!("secret file {}: {error}", path.display())))?;
        let text = text.trim();
        if text.is_empty() {
            return Err(Fault::internal(format!("secret file {} is empty", path.display())));
        }
        Ok(SecretString::from(text.to_owned()))
    }
}
