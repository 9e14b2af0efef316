//! The membership key: 32 bytes in a file that no database holds. It seals signing keys, peppers and derives codes, and
//! hashes identity links and rolls, so that a stolen database alone opens nothing.
//!
//! **Secrets that a replay must show again.** A command that is sent twice must answer the same, but an answer with a
//! code in it must not lie in the command log. So a code is not random: it is made from the membership key and the
//! command (who, key, content). The log keeps the answer without the code, the table keeps a hash of it, and a replay
//! makes the code anew.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, Mac as _};
use kernel::Fault;
use messaging::Command;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Name of the file with the key, below the folder of secrets.
pub const KEY_FILE: &str = "membership.key";
/// Slow hashes at a time: each takes 19 MiB and a core.
const SLOW_HASHES: usize = 2;
/// Bytes of a nonce before a sealed value.
const NONCE: usize = 24;

/// What a keyed hash or a derived secret is for; each purpose has hashes of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The code of a card.
    CardCode,
    /// The secret of a session.
    Session,
    /// A nomination code.
    NominationCode,
    /// The secret of a service account.
    Account,
    /// The setup code.
    SetupCode,
    /// The link of one human over counties.
    IdentityLink,
    /// An entry of a roll.
    RollEntry,
    /// The private half of a signing key.
    SigningKey,
    /// How a person wants to be told, with their addresses.
    Contact,
}

impl Purpose {
    fn label(self) -> &'static str {
        match self {
            Purpose::CardCode => "card code",
            Purpose::Session => "session",
            Purpose::NominationCode => "nomination code",
            Purpose::Account => "account",
            Purpose::SetupCode => "setup code",
            Purpose::IdentityLink => "identity link",
            Purpose::RollEntry => "roll entry",
            Purpose::SigningKey => "signing key",
            Purpose::Contact => "contact",
        }
    }
}

/// The key and what is done with it. Clones share it.
#[derive(Clone)]
pub struct Vault {
    key: Arc<Zeroizing<[u8; 32]>>,
    slow_hashes: Arc<Semaphore>,
}

impl Vault {
    /// A vault with this key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: Arc::new(Zeroizing::new(key)), slow_hashes: Arc::new(Semaphore::new(SLOW_HASHES)) }
    }

    /// The vault whose key is in this folder of secrets, as 64 hexadecimal digits.
    ///
    /// # Errors
    /// Internal, naming the file, if it is not there or holds something else.
    pub fn open(secrets: &Path) -> Result<Self, Fault> {
        let path = secrets.join(KEY_FILE);
        let wrong = |why: String| Fault::internal(format!("the membership key {}: {why}", path.display()));
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let text = Zeroizing::new(text);
        let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| wrong("not hexadecimal".to_owned()))?;
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| wrong("not 32 bytes".to_owned()))?;
        Ok(Self::new(key))
    }

    /// The text of a key file.
    #[must_use]
    pub fn key_text(key: &[u8; 32]) -> String {
        HEXLOWER.encode(key)
    }

    /// HMAC-SHA-256 of the parts, each with its length before it, under the key and for one purpose.
    fn mac(&self, use_: &str, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let key: &[u8] = self.key.as_slice();
        let mut mac =
            <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).expect("HMAC takes keys of any length");
        for part in [use_.as_bytes(), purpose.label().as_bytes()].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// A keyed hash, by which a secret of many bits is found again, or by which rolls and links are told apart.
    #[must_use]
    pub fn hash(&self, purpose: Purpose, secret: &[u8]) -> [u8; 32] {
        self.mac("hash", purpose, &[secret])
    }

    /// Whether the secret has this hash, in constant time.
    #[must_use]
    pub fn is_hash_of(&self, purpose: Purpose, hash: &[u8], secret: &[u8]) -> bool {
        self.hash(purpose, secret).as_slice().ct_eq(hash).into()
    }

    /// 32 secret bytes that only this command gives, the same whenever it is sent again.
    #[must_use]
    pub fn derive(&self, purpose: Purpose, command: &Command) -> [u8; 32] {
        let parts = [command.principal.as_bytes(), command.key.as_bytes(), &command.request_hash];
        self.mac("derive", purpose, &parts)
    }

    /// Such bytes as a text for programs.
    #[must_use]
    pub fn derive_text(&self, purpose: Purpose, command: &Command) -> String {
        BASE64URL_NOPAD.encode(&self.derive(purpose, command))
    }

    /// Seals a value for storing under the key; `context` is bound to it. The nonce must be random and new.
    ///
    /// # Errors
    /// Internal, if sealing fails.
    pub fn seal(
        &self,
        purpose: Purpose,
        context: &str,
        nonce: [u8; NONCE],
        value: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        let cipher = self.cipher(purpose);
        let payload = Payload { msg: value, aad: context.as_bytes() };
        let sealed = cipher.encrypt(XNonce::from_slice(&nonce), payload);
        let sealed = sealed.map_err(|_| Fault::internal("a value could not be sealed"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens a sealed value.
    ///
    /// # Errors
    /// Internal, if it was sealed with another key, for another context, or was changed.
    pub fn unseal(
        &self,
        purpose: Purpose,
        context: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let refused =
            || Fault::internal("a sealed value does not open: is membership.key the one it was sealed with?");
        let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or_else(refused)?;
        let payload = Payload { msg: sealed, aad: context.as_bytes() };
        let value = self.cipher(purpose).decrypt(XNonce::from_slice(nonce), payload);
        value.map(Zeroizing::new).map_err(|_| refused())
    }

    fn cipher(&self, purpose: Purpose) -> XChaCha20Poly1305 {
        let key = Zeroizing::new(self.mac("seal", purpose, &[]));
        XChaCha20Poly1305::new(key.as_slice().into())
    }

    /// The slow hash (Argon2id over a peppered code) under which a card's code is kept. `salt` is random and new.
    ///
    /// # Errors
    /// Internal, if hashing fails.
    pub async fn slow_hash(&self, card: &str, code: &str, salt: [u8; 16]) -> Result<String, Fault> {
        let peppered = self.pepper(card, code);
        self.slowly(move || {
            let salt = SaltString::encode_b64(&salt).map_err(Fault::internal)?;
            let hash =
                Argon2::default().hash_password(peppered.as_slice(), &salt).map_err(Fault::internal)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether a card's code has this slow hash. Takes as long for a wrong code as for the right one.
    ///
    /// # Errors
    /// Internal, if the stored hash cannot be read.
    pub async fn is_slow_hash_of(&self, card: &str, code: &str, hash: String) -> Result<bool, Fault> {
        let peppered = self.pepper(card, code);
        self.slowly(move || {
            let hash = PasswordHash::new(&hash).map_err(Fault::internal)?;
            Ok(Argon2::default().verify_password(peppered.as_slice(), &hash).is_ok())
        })
        .await
    }

    fn pepper(&self, card: &str, code: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.mac("pepper", Purpose::CardCode, &[card.as_bytes(), code.as_bytes()]))
    }

    /// Runs slow work aside from the requests, a few at a time.
    async fn slowly<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Fault> + Send + 'static,
    {
        let _permit = self.slow_hashes.acquire().await.map_err(Fault::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Fault::internal)?
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
    use super::*;

    fn command(principal: &str, key: &str) -> Command {
        Command {
            principal: principal.to_owned(),
            key: key.to_owned(),
            rpc: "test",
            request_hash: [7; 32],
            deadline: None,
            traceparent: None,
            correlation_id: String::new(),
            audit: None,
        }
    }

    #[test]
    fn a_replay_makes_the_same_secret_and_nothing_else_does() {
        let vault = Vault::new([1; 32]);
        let secret = vault.derive(Purpose::CardCode, &command("person:1", "key"));
        assert_eq!(secret, vault.derive(Purpose::CardCode, &command("person:1", "key")));
        let other_request = Command { request_hash: [8; 32], ..command("person:1", "key") };
        let others = [
            vault.derive(Purpose::CardCode, &command("person:1", "key2")),
            vault.derive(Purpose::CardCode, &command("person:1k", "ey")),
            vault.derive(Purpose::CardCode, &other_request),
            vault.derive(Purpose::Session, &command("person:1", "key")),
            Vault::new([2; 32]).derive(Purpose::CardCode, &command("person:1", "key")),
        ];
        assert!(others.iter().all(|other| *other != secret));
    }

    #[test]
    fn a_sealed_value_opens_with_its_key_and_context_only() {
        let vault = Vault::new([1; 32]);
        let sealed = vault.seal(Purpose::SigningKey, "k1", [3; 24], b"private").unwrap();
        assert_eq!(vault.unseal(Purpose::SigningKey, "k1", &sealed).unwrap().as_slice(), b"private");
        assert!(vault.unseal(Purpose::SigningKey, "k2", &sealed).is_err());
        assert!(Vault::new([2; 32]).unseal(Purpose::SigningKey, "k1", &sealed).is_err());
        assert!(vault.unseal(Purpose::SigningKey, "k1", &sealed[..10]).is_err());
        let mut changed = sealed.clone();
        changed[30] ^= 1;
        assert!(vault.unseal(Purpose::SigningKey, "k1", &changed).is_err());
    }

    #[tokio::test]
    async fn a_code_matches_its_slow_hash_on_its_own_card_and_with_the_key_only() {
        let vault = Vault::new([1; 32]);
        let hash = vault.slow_hash("CARD0001", "ABCD", [9; 16]).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(vault.is_slow_hash_of("CARD0001", "ABCD", hash.clone()).await.unwrap());
        assert!(!vault.is_slow_hash_of("CARD0001", "ABCE", hash.clone()).await.unwrap());
        assert!(!vault.is_slow_hash_of("CARD0002", "ABCD", hash.clone()).await.unwrap());
        assert!(!Vault::new([2; 32]).is_slow_hash_of("CARD0001", "ABCD", hash).await.unwrap());
    }

    #[test]
    fn a_missing_or_broken_key_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let fault = Vault::open(folder.path()).unwrap_err();
        assert!(fault.internal_text().unwrap().contains("membership.key"));
        for bad in ["", "zz", "abcd"] {
            std::fs::write(folder.path().join(KEY_FILE), bad).unwrap();
            assert!(Vault::open(folder.path()).is_err(), "{bad:?}");
        }
        std::fs::write(folder.path().join(KEY_FILE), Vault::key_text(&[5; 32]) + "\n").unwrap();
        assert!(Vault::open(folder.path()).is_ok());
    }
}
