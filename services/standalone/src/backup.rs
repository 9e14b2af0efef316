//! What is in a backup: a folder with a copy of each service's database and a manifest that says what they are.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use chassis::Config;
use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac as _};
use messaging::DatabaseKind;
use messaging::broker::wire::to_hex;
use messaging::log::LaneHead;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::exit::{Exit, Failure};
use crate::installation::account_file;
use crate::services;

/// Name of the manifest in the folder.
pub(crate) const MANIFEST: &str = "manifest.json";
/// Folder of the secrets, if they are copied too.
pub(crate) const SECRETS: &str = "secrets";
/// Form of the manifest that this program writes and reads.
pub(crate) const FORMAT: u32 = 2;
/// What a secret is recognised by is made of this.
const FINGERPRINT: &[u8] = b"osallisuus backup, fingerprint of a secret, 1";

/// What to do about a restore that was not finished.
pub(crate) const RESTORE_AGAIN: &str =
    "Run it again: osallisuus restore FOLDER; with the same backup or an older one.";

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Form of the manifest.
    pub(crate) format: u32,
    /// Version of the program that made it.
    pub(crate) version: String,
    /// Name of the deployment.
    pub(crate) cell: String,
    /// Counties served.
    pub(crate) tenants: Vec<String>,
    /// When the snapshots were taken, RFC 3339.
    pub(crate) taken_at: String,
    /// The databases.
    pub(crate) services: Vec<Copy>,
    /// The files in the folder of secrets without which the databases cannot be used, each with its fingerprint; null
    /// for one that was not there.
    pub(crate) secrets: BTreeMap<String, Option<String>>,
    /// Whether they were copied.
    pub(crate) with_secrets: bool,
}

/// The copy of one database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Copy {
    /// Whose it is.
    pub(crate) service: String,
    /// "sqlite" or "postgres".
    pub(crate) engine: Engine,
    /// Name of the file.
    pub(crate) file: String,
    /// Its length, bytes.
    pub(crate) bytes: u64,
    /// SHA-256 of it, in hexadecimal digits.
    pub(crate) sha256: String,
    /// Where the service's lanes end in it.
    pub(crate) lanes: Vec<LaneEnd>,
}

/// Kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl From<DatabaseKind> for Engine {
    fn from(kind: DatabaseKind) -> Self {
        match kind {
            DatabaseKind::Sqlite => Self::Sqlite,
            DatabaseKind::Postgres => Self::Postgres,
        }
    }
}

/// Where a lane ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LaneEnd {
    /// Lane: county code.
    pub(crate) lane: String,
    /// Epoch of the log.
    pub(crate) epoch: u64,
    /// Sequence number of the last event.
    pub(crate) seq: u64,
    /// Hash of the last event, in hexadecimal digits; empty for an empty lane.
    pub(crate) hash: String,
}

/// A version to compare by: its numbers, as far as they are some.
fn numbers(version: &str) -> Vec<u64> {
    let release = version.split(['-', '+']).next().unwrap_or_default();
    release.split('.').map_while(|part| part.parse().ok()).collect()
}

impl LaneEnd {
    /// The same as an end of a log.
    ///
    /// # Errors
    /// [`Exit::Failure`] if the hash is none.
    pub(crate) fn head(&self) -> Result<LaneHead, Failure> {
        let hash = HEXLOWER.decode(self.hash.as_bytes());
        let hash =
            hash.map_err(|_| Failure::general(format!("lane {}: the manifest has no hash", self.lane)))?;
        let (lane, epoch, seq) = (self.lane.clone(), self.epoch, self.seq);
        Ok(LaneHead { lane, epoch, seq, hash, ..LaneHead::default() })
    }
}

impl From<&LaneHead> for LaneEnd {
    fn from(head: &LaneHead) -> Self {
        Self { lane: head.lane.clone(), epoch: head.epoch, seq: head.seq, hash: to_hex(&head.hash) }
    }
}

impl Manifest {
    /// Reads the manifest of a backup.
    ///
    /// # Errors
    /// [`Exit::Failure`] if there is none, or one of another form; [`Exit::Refused`] if a newer version made it, whose
    /// tables this one does not know.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let file = folder.join(MANIFEST);
        let text = fs::read(&file).map_err(|error| {
            Failure::general(format!("{}: {error}", file.display())).remedy("Name the folder of a backup.")
        })?;
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|error| Failure::general(format!("{} is no manifest: {error}", file.display())))?;
        if manifest.format != FORMAT {
            let message =
                format!("{} has form {}, this program reads form {FORMAT}", file.display(), manifest.format);
            return Err(
                Failure::general(message).remedy("Use the version of the program that made the backup.")
            );
        }
        let own = env!("CARGO_PKG_VERSION");
        if numbers(&manifest.version) > numbers(own) {
            let message = format!("version {} made the backup, this is {own}", manifest.version);
            return Err(Failure::new(Exit::Refused, message).remedy(
                "An older version does not know its tables: use the version that made it, or a newer one.",
            ));
        }
        Ok(manifest)
    }

    /// Names of the secrets.
    pub(crate) fn secret_names(&self) -> Vec<String> {
        self.secrets.keys().cloned().collect()
    }
}

impl Copy {
    /// Compares the file with what the manifest says of it.
    ///
    /// # Errors
    /// [`Exit::Failure`] if it is missing or was changed.
    pub(crate) fn check(&self, folder: &Path) -> Result<PathBuf, Failure> {
        let file = folder.join(&self.file);
        let sha256 = sha256(&file)?;
        if sha256 == self.sha256 {
            return Ok(file);
        }
        let message = format!("{} is not what the manifest says: its SHA-256 is {sha256}", file.display());
        Err(Failure::general(message).remedy("Take another copy of the backup, or an older one."))
    }
}

/// Names of the secrets that the databases cannot be used without: the keys that seal what is in them, and the accounts
/// by which services know each other.
pub(crate) fn secrets() -> Vec<String> {
    let keys = [membership::vault::KEY_FILE.to_owned(), forums::vault::KEY_FILE.to_owned()];
    let accounts =
        services::names().map(|service| account_file(Path::new(""), service).display().to_string());
    keys.into_iter().chain(accounts).collect()
}

/// The secrets among these that are not in the folder of secrets.
pub(crate) fn missing_secrets(config: &Config, names: &[String]) -> Vec<String> {
    names.iter().filter(|name| !config.secrets_dir.join(name).is_file()).cloned().collect()
}

/// By what a secret is recognised: a MAC of a fixed text under it, in hexadecimal digits. It tells nothing of the secret,
/// which is made of 32 random bytes. None if there is no such file.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn fingerprint(file: &Path) -> Result<Option<String>, Failure> {
    let secret = match fs::read(file) {
        Ok(secret) => secret,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(about(file)(error)),
    };
    // As the services read it: a line end is no part of it.
    let mac = Hmac::<Sha256>::new_from_slice(secret.trim_ascii());
    let mut mac = mac.map_err(|_| Failure::general(format!("{} is no secret", file.display())))?;
    mac.update(FINGERPRINT);
    Ok(Some(to_hex(&mac.finalize().into_bytes())))
}

/// SHA-256 of a file, in hexadecimal digits.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn sha256(path: &Path) -> Result<String, Failure> {
    let mut file = File::open(path).map_err(about(path))?;
    let (mut hasher, mut part) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut part).map_err(about(path))? {
            0 => return Ok(to_hex(&hasher.finalize())),
            length => hasher.update(&part[..length]),
        }
    }
}

/// An error of the operating system with the file it is about.
pub(crate) fn about(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::general(format!("{path}: {error}"))
}

impl From<messaging::backup::BackupError> for Failure {
    fn from(error: messaging::backup::BackupError) -> Self {
        use messaging::OpenError;
        use messaging::backup::BackupError;
        let exit = match &error {
            BackupError::Open(OpenError::InUse(_)) => {
                return Self::new(Exit::Refused, error.to_string()).remedy("Stop the system first.");
            }
            BackupError::Open(OpenError::Unfinished(_)) => {
                return Self::new(Exit::Refused, error.to_string()).remedy(RESTORE_AGAIN);
            }
            BackupError::Open(OpenError::Lost(_)) => {
                return Self::new(Exit::Unreachable, error.to_string()).remedy("Run it again.");
            }
            BackupError::NotEmpty(_) => {
                return Self::new(Exit::Refused, error.to_string())
                    .remedy("To put the backup in its place, say so with --replace: what is there goes.");
            }
            BackupError::Open(_) | BackupError::Database(_) => Exit::Unreachable,
            BackupError::File { .. } | BackupError::Tool(_) | BackupError::Damaged(_) => Exit::Failure,
        };
        Self::new(exit, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_version_is_newer() {
        assert!(numbers("0.10.0") > numbers("0.9.12") && numbers("1.0.0") > numbers("0.99.0"));
        assert!(numbers("0.1.1") > numbers("0.1.0-rc1") && numbers("0.1.0") == numbers("0.1.0+build"));
    }

    #[test]
    fn a_secret_is_recognised_and_does_not_show() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let file = folder.path().join(name);
            fs::write(&file, text).unwrap();
            fingerprint(&file).unwrap().unwrap()
        };
        let (one, again, other) = (file("1", "5e5e"), file("2", "5e5e\n"), file("3", "5e5f"));
        assert_eq!(one, again);
        assert!(one != other && one.len() == 64 && !one.contains("5e5e"), "{one}");
        assert_eq!(fingerprint(&folder.path().join("none")).unwrap(), None);
    }
}
