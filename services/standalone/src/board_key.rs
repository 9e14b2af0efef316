//! The key pair of an election board (X25519).
//!
//! Ballots are sealed to the public key, which is given when the election is announced. The private key stays with
//! the board in a file and is given to the count only; whoever holds it can read the ballots, and without it nobody
//! can count them.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use data_encoding::HEXLOWER;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, Serializable};
use kernel::Ids;
use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure};

const HEAD: &str = "\
# Key pair of an election board. The private key opens the ballots: keep this file with the board, on a medium of
# its own, and destroy it when the result is final.
";

/// A key pair.
#[derive(Debug)]
pub struct BoardKey {
    private: SecretSlice<u8>,
    public: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct File {
    public_key: String,
    private_key: String,
}

impl BoardKey {
    /// A new key pair.
    pub fn generate(ids: &Ids) -> Self {
        Self::from_private(&ids.bytes::<32>())
            .unwrap_or_else(|_| unreachable!("any 32 bytes are a key of X25519"))
    }

    /// The pair of this private key.
    ///
    /// # Errors
    /// If it has not 32 bytes.
    fn from_private(bytes: &[u8]) -> Result<Self, Failure> {
        let private = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(bytes)
            .map_err(|_| Failure::general("the private key of a board has 32 bytes"))?;
        let mut public = [0; 32];
        public.copy_from_slice(&X25519HkdfSha256::sk_to_pk(&private).to_bytes());
        Ok(Self { private: bytes.to_vec().into(), public })
    }

    /// The public key, for announcing an election.
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// The private key, for the count.
    pub fn private(&self) -> &[u8] {
        self.private.expose_secret()
    }

    /// Writes the pair into a new file, readable for its owner only.
    ///
    /// # Errors
    /// If the file exists (a key is never overwritten) or cannot be written.
    pub fn save(&self, file: &Path) -> Result<(), Failure> {
        let content =
            File { public_key: HEXLOWER.encode(&self.public), private_key: HEXLOWER.encode(self.private()) };
        let text = toml::to_string(&content).map_err(|error| Failure::general(error.to_string()))?;
        let mut open =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(|error| {
                let kind = error.kind();
                let failure = Failure::from(error).during(file.display());
                match kind {
                    io::ErrorKind::AlreadyExists => Failure { exit: Exit::Refused, ..failure }
                        .remedy("A key is never overwritten. Name another file."),
                    _ => failure,
                }
            })?;
        open.write_all(format!("{HEAD}{text}").as_bytes())
            .and_then(|()| open.sync_all())
            .map_err(|error| Failure::from(error).during(file.display()))
    }

    /// Reads a pair from its file.
    ///
    /// # Errors
    /// If it cannot be read, is not such a file, or its two keys do not belong together.
    pub fn load(file: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(file).map_err(|error| Failure::from(error).during(file.display()))?;
        let wrong =
            || Failure::general(format!("{} is not the key file of an election board", file.display()));
        let content: File = toml::from_str(&text).map_err(|_| wrong())?;
        let private = HEXLOWER.decode(content.private_key.as_bytes()).map_err(|_| wrong())?;
        let pair = Self::from_private(&private)?;
        if HEXLOWER.encode(&pair.public) == content.public_key { Ok(pair) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_public_key_is_that_of_rfc_7748() {
        // Bob's key pair of section 6.1.
        let private = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
        let public = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
        let private = HEXLOWER.decode(private.as_bytes()).expect("hexadecimal");
        let pair = BoardKey::from_private(&private).expect("32 bytes");
        assert_eq!(HEXLOWER.encode(&pair.public()), public);
        assert!(BoardKey::from_private(&private[1..]).is_err(), "31 bytes are no key");
    }

    #[test]
    fn a_key_file_is_for_its_owner_only_is_never_overwritten_and_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("board.key");
        let pair = BoardKey::generate(&Ids::system());
        pair.save(&file).expect("saved");
        assert_eq!(fs::metadata(&file).expect("file").permissions().mode() & 0o777, 0o600);
        let again = BoardKey::load(&file).expect("loaded");
        assert_eq!((again.public(), again.private()), (pair.public(), pair.private()));
        let failure =
            BoardKey::generate(&Ids::system()).save(&file).expect_err("a second key in the same file");
        assert!(failure.remedy.contains("never overwritten"), "{failure}");
        assert_eq!(BoardKey::load(&file).expect("still the first").public(), pair.public());
    }

    #[test]
    fn a_key_file_whose_keys_do_not_belong_together_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("board.key");
        let content =
            format!("public_key = \"{}\"\nprivate_key = \"{}\"\n", "00".repeat(32), "01".repeat(32));
        fs::write(&file, content).expect("written");
        assert!(BoardKey::load(&file).is_err());
    }
}
