//! A session kept in a file of the user, so that one sign-in serves several commands.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ClientTls;
use crate::exit::Failure;

/// What `osallisuus sign-in` keeps: where, and the session's secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSession {
    /// Addresses as given to `--server`.
    pub server: Vec<String>,
    /// The session's secret.
    pub session: String,
    /// Files of certificates as given with it.
    #[serde(default, skip_serializing_if = "ClientTls::is_empty")]
    pub tls: ClientTls,
}

/// `$XDG_STATE_HOME/osallisuus/session.toml`, or the same under `~/.local/state`; None without a home.
pub fn default_session_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/state"));
    Some(state.or_else(home)?.join("osallisuus/session.toml"))
}

impl SavedSession {
    /// Reads the file; None if there is none.
    ///
    /// # Errors
    /// If it cannot be read or is not such a file.
    pub fn load(file: &Path) -> Result<Option<Self>, Failure> {
        let text = match fs::read_to_string(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| Failure::from(error).during(file.display()))?,
        };
        let saved = toml::from_str(&text).map_err(|_| {
            Failure::general(format!("{} is not a session file", file.display()))
                .remedy("Sign in again: osallisuus sign-in")
        })?;
        Ok(Some(saved))
    }

    /// Writes the file, readable for its owner only.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, file: &Path) -> Result<(), Failure> {
        let text = toml::to_string(self).map_err(|error| Failure::general(error.to_string()))?;
        let write = || {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            // Written beside and moved over it, so that a file that was readable for others is not filled.
            let fresh = file.with_extension("new");
            let _ = fs::remove_file(&fresh);
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&fresh)?
                .write_all(text.as_bytes())?;
            fs::rename(&fresh, file)
        };
        write().map_err(|error| Failure::from(error).during(file.display()))
    }

    /// Removes the file if it is there.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(file: &Path) -> Result<(), Failure> {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Failure::from(error).during(file.display()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_saved_session_is_for_its_owner_only_and_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("deep/session.toml");
        let saved = SavedSession {
            server: vec!["https://127.0.0.1:7400".into()],
            session: "secret".into(),
            tls: ClientTls::of(folder.path(), "operator"),
        };
        saved.save(&file).expect("saved");
        assert_eq!(fs::metadata(&file).expect("file").permissions().mode() & 0o777, 0o600);
        assert_eq!(SavedSession::load(&file).expect("loaded"), Some(saved));
        SavedSession::remove(&file).expect("removed");
        assert_eq!(SavedSession::load(&file).expect("loaded"), None);
    }
}
