//! A new deployment: the membership key, the accounts of the services, the first signing key, and the one-time code
//! with which the first administrator comes in. `osallisuus init` calls [`prepare`]; calling it again mends what is
//! missing and changes nothing else. A county that joined later has no administrator either: the same code is for it.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use data_encoding::BASE64URL_NOPAD;
use futures::FutureExt as _;
use kernel::{Fault, Ids, TenantId};
use messaging::{Clocks, Database, Tx, Writer, WriterSettings};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use crate::app::{SETUP_CODE_LENGTH, account_hash, new_key, put_key};
use crate::domain::code;
use crate::store;
use crate::vault::{KEY_FILE, Purpose, Vault};

/// The code that makes an administrator where there is none. Show it once and keep it nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupCode {
    /// The code, in groups of four.
    pub code: String,
    /// The counties that have no administrator: the one who comes in with the code will be theirs.
    pub tenants: Vec<TenantId>,
}

/// Why a deployment could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file or folder of secrets cannot be made or read.
    #[error("{}: {source}; make the folder writable for this user, or choose another in secrets.dir", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The database refused, or a file of secrets holds something else.
    #[error("{}", .0.internal_text().unwrap_or(.0.message()))]
    Fault(Fault),
}

impl From<Fault> for SetupError {
    fn from(fault: Fault) -> Self {
        SetupError::Fault(fault)
    }
}

/// What the database has to know.
struct Prepared {
    vault: Vault,
    accounts: Vec<(String, [u8; 32])>,
    key: store::keys::SigningKey,
    code_hash: [u8; 32],
    tenants: Vec<TenantId>,
}

/// Prepares membership's database and the folder of secrets (files readable by their owner only).
///
/// `services` are the platform's services, each of which gets an account and a file `<service>.secret`; `cell` is the
/// name of the deployment, and `tenants` are the counties it serves. Gives the setup code, or None if each of them has an
/// administrator already; a code that was not used yet is replaced.
///
/// The database must not be in use by a running membership.
///
/// # Errors
/// If a file cannot be made, or the database fails.
pub async fn prepare(
    database: &Database,
    secrets: &Path,
    cell: &str,
    services: &[&str],
    tenants: &[TenantId],
    clocks: Clocks,
    ids: Ids,
) -> Result<Option<SetupCode>, SetupError> {
    make_folder(secrets)?;
    let vault = membership_key(secrets, &ids)?;
    let mut accounts = Vec::with_capacity(services.len());
    for service in services {
        let secret = account_secret(secrets, service, &ids)?;
        accounts.push(((*service).to_owned(), account_hash(&vault, service, &secret)));
    }
    let setup_code = code::from_bytes(&ids.bytes::<SETUP_CODE_LENGTH>(), SETUP_CODE_LENGTH);
    let code_hash = vault.hash(Purpose::SetupCode, setup_code.as_bytes());
    let key = new_key(&vault, &ids, cell, clocks.real.now())?;
    let prepared = Prepared { vault, accounts, key, code_hash, tenants: tenants.to_vec() };

    // A writer of our own, for one write.
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let settings = WriterSettings::for_kind(database.kind());
    let writer = Writer::start(database, clocks, ids, settings, &tracker, stop.clone());
    let stored =
        writer.internal("membership.setup", prepared, |tx, prepared| store_all(tx, prepared).boxed()).await;
    stop.cancel();
    tracker.close();
    tracker.wait().await;
    let tenants = stored?;
    Ok((!tenants.is_empty()).then(|| SetupCode { code: code::grouped(&setup_code), tenants }))
}

/// The counties without an administrator, for which the setup code was stored; not if there are none.
async fn store_all(tx: &Tx, prepared: &Prepared) -> Result<Vec<TenantId>, Fault> {
    for (name, hash) in &prepared.accounts {
        store::accounts::put(tx.conn(), name, hash).await?;
    }
    match store::keys::current(tx.conn()).await? {
        // That the key file is the one this database was made with is better found out now than at the first sign-in.
        Some(key) => drop(prepared.vault.unseal(Purpose::SigningKey, &key.key_id, &key.sealed)?),
        None => put_key(tx, &prepared.key).await?,
    }
    let tenants = store::roles::without_administrator(tx.conn(), &prepared.tenants).await?;
    if !tenants.is_empty() {
        store::accounts::put_setup_code(tx.conn(), &prepared.code_hash).await?;
    }
    Ok(tenants)
}

fn make_folder(folder: &Path) -> Result<(), SetupError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| SetupError::File { path: folder.to_owned(), source })
}

fn membership_key(secrets: &Path, ids: &Ids) -> Result<Vault, SetupError> {
    let key = Zeroizing::new(ids.bytes::<32>());
    let text = Zeroizing::new(Vault::key_text(&key));
    read_or_make(&secrets.join(KEY_FILE), &text)?;
    Ok(Vault::open(secrets)?)
}

fn account_secret(secrets: &Path, service: &str, ids: &Ids) -> Result<Zeroizing<String>, SetupError> {
    let new = Zeroizing::new(BASE64URL_NOPAD.encode(&ids.bytes::<32>()));
    read_or_make(&secrets.join(format!("{service}.secret")), &new)
}

/// The content of a secret file; one that is missing is made with this content, for its owner only.
fn read_or_make(path: &Path, content: &str) -> Result<Zeroizing<String>, SetupError> {
    let failed = |source| SetupError::File { path: path.to_owned(), source };
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(content.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(failed)?;
            file.sync_all().map_err(failed)?;
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(failed)?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}
