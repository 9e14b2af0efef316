//! The key of forums: 32 bytes in a file that no database holds. It seals the seeds of lots, so that whoever reads the
//! database, a backup or a copy of it included, does not know a seed before it is revealed.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use kernel::{ElectionId, Fault, Ids};
use zeroize::Zeroizing;

use crate::domain::lots::LotsSeed;

/// Name of the file with the key, below the folder of secrets.
pub const KEY_FILE: &str = "forums.key";
/// Bytes of a nonce before a sealed seed.
pub const NONCE: usize = 24;

/// The key and what is done with it. Clones share it.
#[derive(Clone)]
pub struct Vault {
    key: Arc<Zeroizing<[u8; 32]>>,
}

impl Vault {
    /// A vault with this key.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: Arc::new(Zeroizing::new(key)) }
    }

    /// The vault whose key is in this folder of secrets, as 64 hexadecimal digits.
    ///
    /// # Errors
    /// Internal, naming the file, if it is not there or holds something else.
    pub fn open(secrets: &Path) -> Result<Self, Fault> {
        let path = secrets.join(KEY_FILE);
        let wrong = |why: String| Fault::internal(format!("the key of forums {}: {why}", path.display()));
        let text = std::fs::read_to_string(&path).map(Zeroizing::new);
        let text = text.map_err(|error| wrong(error.to_string()))?;
        let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| wrong("not hexadecimal".to_owned()))?;
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| wrong("not 32 bytes".to_owned()))?;
        Ok(Self::new(key))
    }

    /// Makes the key file in this folder of secrets, for its owner only. One that is there stays.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn prepare(secrets: &Path, ids: &Ids) -> io::Result<()> {
        let key = Zeroizing::new(ids.bytes::<32>());
        let text = Zeroizing::new(HEXLOWER.encode(key.as_slice()) + "\n");
        let path = secrets.join(KEY_FILE);
        match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => file.write_all(text.as_bytes()).and_then(|()| file.sync_all()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Seals the seed of an election's lots for storing. The nonce must be random and new.
    ///
    /// # Errors
    /// Internal, if sealing fails.
    pub fn seal(&self, election: ElectionId, nonce: [u8; NONCE], seed: &LotsSeed) -> Result<Vec<u8>, Fault> {
        let election = election.as_uuid();
        let payload = Payload { msg: seed.as_bytes(), aad: election.as_bytes() };
        let sealed = self.cipher().encrypt(XNonce::from_slice(&nonce), payload);
        let sealed = sealed.map_err(|_| Fault::internal("the seed of the lots could not be sealed"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens a sealed seed.
    ///
    /// # Errors
    /// Internal, if it was sealed with another key, for another election, or was changed.
    pub fn unseal(&self, election: ElectionId, sealed: &[u8]) -> Result<LotsSeed, Fault> {
        let refused = || {
            Fault::internal(
                "the sealed seed of the lots does not open: is forums.key the one it was made with?",
            )
        };
        let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or_else(refused)?;
        let election = election.as_uuid();
        let payload = Payload { msg: sealed, aad: election.as_bytes() };
        let seed = self.cipher().decrypt(XNonce::from_slice(nonce), payload).map(Zeroizing::new);
        let seed = seed.map_err(|_| refused())?;
        Ok(LotsSeed::new(seed.as_slice().try_into().map_err(|_| refused())?))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.key.as_slice().into())
    }
}

impl fmt::Debug for Vault {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;

    use super::*;

    #[test]
    fn f5_a_sealed_seed_opens_with_its_key_and_for_its_election_only() {
        let [election, other] = [1, 2].map(|id| ElectionId::from_uuid(Uuid::from_u128(id)));
        let (vault, seed) = (Vault::new([1; 32]), LotsSeed::new([7; 32]));
        let sealed = vault.seal(election, [3; NONCE], &seed).unwrap();
        assert!(!sealed.windows(32).any(|part| part == seed.as_bytes()));
        assert_eq!(vault.unseal(election, &sealed).unwrap(), seed);
        assert!(vault.unseal(other, &sealed).is_err());
        assert!(Vault::new([2; 32]).unseal(election, &sealed).is_err());
        assert!(vault.unseal(election, &sealed[..10]).is_err());
        let mut changed = sealed.clone();
        changed[30] ^= 1;
        assert!(vault.unseal(election, &changed).is_err());
    }

    #[test]
    fn a_key_is_made_once_and_a_missing_or_broken_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let fault = Vault::open(folder.path()).unwrap_err();
        assert!(fault.internal_text().unwrap().contains("forums.key"));
        let read = || std::fs::read_to_string(folder.path().join(KEY_FILE)).unwrap();
        let ids = Ids::system();
        Vault::prepare(folder.path(), &ids).unwrap();
        let made = read();
        Vault::prepare(folder.path(), &ids).unwrap();
        assert_eq!(read(), made);
        assert!(Vault::open(folder.path()).is_ok());
        for bad in ["", "zz", "abcd"] {
            std::fs::write(folder.path().join(KEY_FILE), bad).unwrap();
            assert!(Vault::open(folder.path()).is_err(), "{bad:?}");
        }
    }
}
