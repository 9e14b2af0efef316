//! Keeps the certificates in use: new files are taken up while the process runs, broken ones are not.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use kernel::{Clock as _, SystemClock, Timestamp};
use rustls::{ClientConfig, ServerConfig};
use sha2::{Digest as _, Sha256};
use tokio::time::MissedTickBehavior;

use super::material::{Material, TlsFault, TlsFiles};

/// The certificates in use, and whether the files hold something better or worse.
pub struct Keeper {
    files: TlsFiles,
    clients_required: bool,
    in_use: RwLock<Arc<InUse>>,
    seen: Mutex<Seen>,
}

struct InUse {
    material: Material,
    /// None for those who only connect.
    server: Option<Arc<ServerConfig>>,
}

/// What the files looked like.
struct Seen {
    digest: [u8; 32],
    /// Why they are not in use.
    trouble: Option<String>,
}

impl Keeper {
    /// Reads the files of a client, or of a server that asks its clients for theirs.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn open(files: TlsFiles, clients_required: bool) -> Result<Arc<Self>, Vec<TlsFault>> {
        let digest = digest(&files);
        let in_use = Arc::new(InUse::load(&files, clients_required)?);
        let seen = Mutex::new(Seen { digest, trouble: None });
        Ok(Arc::new(Self { files, clients_required, in_use: RwLock::new(in_use), seen }))
    }

    /// For a new connection of a client; None for a process without a certificate.
    pub(crate) fn server(&self) -> Option<Arc<ServerConfig>> {
        self.in_use().server.clone()
    }

    /// For a new connection to another server.
    pub(super) fn client(&self, identity: Option<&str>) -> Result<ClientConfig, String> {
        self.in_use().material.client(identity)
    }

    /// The names of the certificate in use.
    #[must_use]
    pub fn identities(&self) -> Vec<String> {
        self.in_use().material.identities().to_vec()
    }

    /// From when to when the certificate in use is valid.
    #[must_use]
    pub fn validity(&self) -> Option<(Timestamp, Timestamp)> {
        self.in_use().material.validity()
    }

    /// Whether all is well: the files are in use, and the certificate is valid.
    ///
    /// # Errors
    /// A sentence that says what is not.
    pub fn state(&self) -> Result<(), String> {
        if let Some(fault) = self.in_use().material.expired(SystemClock.now()) {
            return Err(fault.to_string());
        }
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match (&seen.trouble, self.validity()) {
            (None, _) => Ok(()),
            (Some(trouble), None) => Err(format!("the new files are not used: {trouble}")),
            (Some(trouble), Some((_, until))) => {
                Err(format!("the new files are not used, the certificate valid until {until} is: {trouble}"))
            }
        }
    }

    /// Takes up the files if they have changed; broken ones are told and left alone.
    pub fn look(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = digest(&self.files);
        if seen.digest == digest {
            return;
        }
        seen.digest = digest;
        match InUse::load(&self.files, self.clients_required) {
            Ok(found) => {
                let until = found.material.validity().map(|(_, until)| until.to_string());
                *self.in_use.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(found);
                seen.trouble = None;
                tracing::info!(tls.valid_until = until, "new certificates are in use");
            }
            Err(faults) => {
                let trouble: Vec<String> = faults.iter().map(ToString::to_string).collect();
                let trouble = trouble.join("; ");
                tracing::error!(trouble, "new certificates are not used; the old ones go on");
                seen.trouble = Some(trouble);
            }
        }
    }

    /// Looks again and again, for ever.
    pub(crate) async fn keep(self: Arc<Self>, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let keeper = Arc::clone(&self);
            // It reads files. A panic there would be told by its own log line, and the next look may go better.
            let _ = tokio::task::spawn_blocking(move || keeper.look()).await;
        }
    }

    fn in_use(&self) -> Arc<InUse> {
        Arc::clone(&self.in_use.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl InUse {
    fn load(files: &TlsFiles, clients_required: bool) -> Result<Self, Vec<TlsFault>> {
        let material = Material::load(files)?;
        if let Some(fault) = material.expired(SystemClock.now()) {
            return Err(vec![fault]);
        }
        let server = match &files.own {
            None => None,
            Some(_) => {
                let server = material.server(clients_required).map_err(|rule| {
                    let remedy = "name certificates of authorities".to_owned();
                    vec![TlsFault { part: super::Part::Ca, rule, remedy }]
                })?;
                Some(Arc::new(server))
            }
        };
        Ok(Self { material, server })
    }
}

/// Tells one content of the files from another, and from files that cannot be read.
fn digest(files: &TlsFiles) -> [u8; 32] {
    let mut all = Sha256::new();
    for path in files.paths() {
        let content = std::fs::read(path).map_err(|error| error.kind().to_string());
        let mode = path.metadata().map(|metadata| metadata.permissions());
        all.update(Sha256::digest(format!("{mode:?}")));
        match content {
            Ok(bytes) => all.update(Sha256::digest(&bytes)),
            Err(kind) => all.update(Sha256::digest(format!("unreadable: {kind}"))),
        }
    }
    all.finalize().into()
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("files", &self.files).finish_non_exhaustive()
    }
}
