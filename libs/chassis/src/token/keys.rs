//! The public keys of membership: fetched from its directory, with the last copy kept in a file, so that a service
//! that starts while membership is away still knows whose tokens to trust.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use kernel::{Clock, Fault, Timestamp};
use proto::membership::directory_service_client::DirectoryServiceClient;
use proto::membership::{ListSigningKeysRequest, SigningKey};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::peers::Peers;
use crate::status::fault;

/// How long one try to fetch the keys may take.
const FETCH: Duration = Duration::from_secs(5);
/// Pauses between tries while there is no key at all.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// More keys than this are no answer of a membership in order.
const MOST_KEYS: usize = 64;

/// Keys by their id, kept current.
pub(crate) struct KeyStore {
    keys: RwLock<HashMap<String, Key>>,
    known: watch::Sender<bool>,
    peers: Arc<Peers>,
    clock: Arc<dyn Clock>,
    file: PathBuf,
    refetch: Duration,
    fetched_for_unknown: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Clone)]
struct Key {
    decoding: Arc<DecodingKey>,
    not_after: Timestamp,
}

/// One key in the file.
#[derive(Serialize, Deserialize)]
struct Stored {
    key_id: String,
    x: String,
    y: String,
    /// Microseconds since 1970.
    not_after: i64,
}

impl KeyStore {
    /// Starts with the copy in `file`, if there is one. `refetch` is the shortest time between two fetches for tokens
    /// with unknown keys.
    pub(crate) fn new(peers: Arc<Peers>, clock: Arc<dyn Clock>, file: PathBuf, refetch: Duration) -> Self {
        let store = Self {
            keys: RwLock::default(),
            known: watch::Sender::new(false),
            peers,
            clock,
            file,
            refetch,
            fetched_for_unknown: tokio::sync::Mutex::default(),
        };
        store.read_copy();
        store
    }

    /// Whether any key is known; without one no token can be judged.
    pub(crate) fn is_known(&self) -> bool {
        *self.known.borrow()
    }

    /// Completes as soon as a key is known.
    pub(crate) async fn known(&self) {
        // The sender lives as long as `self`.
        let _ = self.known.subscribe().wait_for(|known| *known).await;
    }

    /// The key with this id, unless its time is over.
    pub(crate) fn get(&self, key_id: &str) -> Option<Arc<DecodingKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(key_id).filter(|key| self.clock.now() <= key.not_after)?;
        Some(Arc::clone(&key.decoding))
    }

    /// Fetches the keys because a token names one we do not know, unless that was done a moment ago.
    pub(crate) async fn look_again(&self) {
        // Those who come while one fetches wait for its answer.
        let mut last = self.fetched_for_unknown.lock().await;
        if last.is_some_and(|at| at.elapsed() < self.refetch) {
            return;
        }
        *last = Some(Instant::now());
        if let Err(fault) = self.fetch().await {
            tracing::warn!(
                error = fault.internal_text().unwrap_or(fault.message()),
                "keys of tokens were not fetched"
            );
        }
    }

    /// Keeps the keys current for ever: at once, then again and again, and soon again while there are none.
    pub(crate) async fn keep(self: Arc<Self>, every: Duration) {
        let mut pause = PAUSES.0;
        loop {
            match self.fetch().await {
                Ok(()) => {
                    pause = PAUSES.0;
                    tokio::time::sleep(every).await;
                }
                Err(fault) => {
                    tracing::debug!(code = fault.code(), "keys of tokens not fetched yet");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    async fn fetch(&self) -> Result<(), Fault> {
        let channel = self.peers.channel("membership")?;
        let mut request = tonic::Request::new(ListSigningKeysRequest {});
        request.set_timeout(FETCH);
        let answer = DirectoryServiceClient::new(channel).list_signing_keys(request).await;
        let keys = answer.map_err(|status| fault(&status))?.into_inner().keys;
        self.take(&keys)?;
        if let Err(error) = self.write_copy(&keys) {
            tracing::warn!(%error, file = %self.file.display(), "keys of tokens could not be kept in a file");
        }
        Ok(())
    }

    fn take(&self, keys: &[SigningKey]) -> Result<(), Fault> {
        let taken: HashMap<String, Key> = keys.iter().take(MOST_KEYS).filter_map(Key::read).collect();
        if taken.is_empty() {
            return Err(Fault::unavailable("tokens.no_keys", "Membership has published no signing key."));
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = taken;
        self.known.send_replace(true);
        Ok(())
    }

    fn read_copy(&self) {
        let Ok(text) = std::fs::read_to_string(&self.file) else { return };
        let Ok(stored) = serde_json::from_str::<Vec<Stored>>(&text) else {
            tracing::warn!(file = %self.file.display(), "the kept copy of the tokens' keys cannot be read");
            return;
        };
        let keys: Vec<SigningKey> = stored.iter().filter_map(Stored::read).collect();
        // A copy without a usable key is as good as none.
        let _ = self.take(&keys);
    }

    /// A new file in place of the old one, so that a crash leaves one of the two. Processes of several services may
    /// share the folder.
    fn write_copy(&self, keys: &[SigningKey]) -> std::io::Result<()> {
        let stored: Vec<Stored> = keys.iter().filter_map(Stored::write).collect();
        let new = self.file.with_extension(format!("{}.new", std::process::id()));
        let mut file = std::fs::File::create(&new)?;
        file.write_all(&serde_json::to_vec_pretty(&stored)?)?;
        file.sync_all()?;
        std::fs::rename(new, &self.file)
    }
}

impl Key {
    fn read(key: &SigningKey) -> Option<(String, Key)> {
        let mut point = vec![4];
        point.extend_from_slice(&key.x);
        point.extend_from_slice(&key.y);
        // Refuses what is not on the curve.
        p256::PublicKey::from_sec1_bytes(&point).ok().filter(|_| key.x.len() == 32 && key.y.len() == 32)?;
        let not_after = key.not_after.map_or(Timestamp::MAX, |at| {
            Timestamp::from_micros(at.seconds.saturating_mul(1_000_000) + i64::from(at.nanos) / 1_000)
        });
        let decoding = Arc::new(DecodingKey::from_ec_der(&point));
        Some((key.key_id.clone(), Key { decoding, not_after }))
    }
}

impl Stored {
    fn write(key: &SigningKey) -> Option<Stored> {
        let (key_id, read) = Key::read(key)?;
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(Stored { key_id, x: hex(&key.x), y: hex(&key.y), not_after: read.not_after.as_micros() })
    }

    fn read(&self) -> Option<SigningKey> {
        let at = self.not_after;
        let not_after = prost_types::Timestamp {
            seconds: at.div_euclid(1_000_000),
            nanos: i32::try_from(at.rem_euclid(1_000_000) * 1_000).ok()?,
        };
        Some(SigningKey {
            key_id: self.key_id.clone(),
            x: unhex(&self.x)?,
            y: unhex(&self.y)?,
            not_after: Some(not_after),
        })
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
