//! Sealing ballots to the election board's key, and the box they lie in.
//!
//! HPKE (RFC 9180), base mode: X25519, HKDF-SHA256, ChaCha20-Poly1305. The `info` of the scheme names election and
//! municipality, so a sealed ballot cannot be moved to another box. The private key stays with the board until the
//! count; nothing here keeps it.
//!
//! # The box, seen by an attacker
//!
//! A box holds nothing but sealed ballots of one length, **sorted by their bytes**. A sealed ballot begins with a
//! fresh random X25519 point, so the order of bytes is a random order, and a box is the same whatever the order of
//! casting was. It is stored as one row that is written anew at each cast: there are no rows of ballots whose order,
//! row ids, `ctid` or `xmin` could tell anything. The voters' marks are rows of their own, with neither time nor
//! number; they are written anew in the order of their references when voting closes, so that from then on their
//! `ctid` and `xmin` are those of one statement. Until then `xmin` of the marks tells an operator of PostgreSQL in
//! which order people voted (as a queue at a polling station does), but not which of the sealed ballots is whose.
//!
//! Not covered: two copies of a box from before and after one cast differ in one sealed ballot. Such copies are in
//! write-ahead logs, in backups, in dead row versions until vacuum, in freed pages of a SQLite file until they are
//! used again, and in memory images. Who has them *and* the board's key can open that ballot and see whose mark was
//! written with it. Nor does sealing help against the board itself, a changed server that looks at ballots before
//! they are sealed, a changed portal, or somebody who watches the voter.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use kernel::{ElectionId, Fault, MunicipalityCode};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Bytes that sealing adds: the encapsulated key and the authentication tag.
const OVERHEAD: usize = 32 + 16;

/// The public key of an election board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoardPublicKey([u8; 32]);

/// The private key of an election board, in memory for one count; wiped when dropped.
pub struct BoardPrivateKey(<X25519HkdfSha256 as Kem>::PrivateKey);

/// Which box a ballot is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoxLabel {
    /// The election.
    pub election: ElectionId,
    /// The municipality.
    pub municipality: MunicipalityCode,
}

impl BoxLabel {
    fn info(&self) -> Vec<u8> {
        format!("osallisuus-ballot-v1|{}|{}", self.election, self.municipality).into_bytes()
    }
}

impl BoardPublicKey {
    /// The key; Invalid `forums.board_key` unless it is 32 bytes of an X25519 key that can be sealed to (points of
    /// small order cannot).
    pub fn new(bytes: &[u8]) -> Result<Self, Fault> {
        let refused = || {
            Fault::invalid(
                "forums.board_key",
                "board_public_key: this is not a public key of an election board.",
            )
            .field(
                "board_public_key",
                "32 bytes, an X25519 public key",
                "make one with `osallisuus board-key`",
            )
        };
        let key = Self(bytes.try_into().map_err(|_| refused())?);
        // Whether the point is usable shows in using it; what is sealed here is thrown away.
        key.seal_bytes(b"", b"", [0; 32]).map_err(|_| refused())?;
        Ok(key)
    }

    /// A key that was checked when it was stored.
    pub fn from_stored(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals a written ballot for its box. `randomness` must be fresh for every ballot, from a cryptographic
    /// generator.
    pub fn seal(&self, label: &BoxLabel, written: &[u8], randomness: [u8; 32]) -> Result<Vec<u8>, Fault> {
        self.seal_bytes(&label.info(), written, randomness)
            .map_err(|error| Fault::internal(format!("{error}")))
    }

    fn seal_bytes(&self, info: &[u8], text: &[u8], randomness: [u8; 32]) -> Result<Vec<u8>, hpke::HpkeError> {
        let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&self.0)?;
        let mut rng = Randomness(ChaCha20Rng::from_seed(randomness));
        let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<
            ChaCha20Poly1305,
            HkdfSha256,
            X25519HkdfSha256,
        >(&OpModeS::Base, &public, info, text, b"", &mut rng)?;
        let mut sealed = encapsulated.to_bytes().to_vec();
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }
}

impl BoardPrivateKey {
    /// The key; Invalid `forums.board_private_key` unless it is 32 bytes and belongs to `public`.
    pub fn new(bytes: &[u8], public: &BoardPublicKey) -> Result<Self, Fault> {
        let key = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(bytes).ok();
        let own = |key: &<X25519HkdfSha256 as Kem>::PrivateKey| {
            X25519HkdfSha256::sk_to_pk(key).to_bytes().as_slice() == public.as_bytes()
        };
        key.filter(own).map(Self).ok_or_else(|| {
            Fault::invalid(
                "forums.board_private_key",
                "board_private_key: this is not the private key of this election's board. Nothing was opened.",
            )
            .field(
                "board_private_key",
                "32 bytes, the X25519 key whose public half was announced",
                "use the file that `osallisuus board-key` made for this election",
            )
        })
    }

    /// Opens a sealed ballot of this box; None if it was not sealed for it.
    pub fn open(&self, label: &BoxLabel, sealed: &[u8]) -> Option<Vec<u8>> {
        let (encapsulated, ciphertext) = sealed.split_at_checked(32)?;
        let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.0,
            &encapsulated,
            &label.info(),
            ciphertext,
            b"",
        )
        .ok()
    }
}

impl std::fmt::Debug for BoardPrivateKey {
    /// Never shows the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BoardPrivateKey")
    }
}

/// The sealed ballots of one municipality: equally long, sorted, one after the other.
#[derive(Clone, PartialEq, Eq)]
pub struct BallotBox {
    sealed_len: usize,
    bytes: Vec<u8>,
}

impl BallotBox {
    /// The box as it was stored, for ballots that are `written_len` bytes long before they are sealed. Internal
    /// fault if the bytes are no whole number of ballots.
    pub fn from_stored(written_len: usize, bytes: Vec<u8>) -> Result<Self, Fault> {
        let sealed_len = written_len + OVERHEAD;
        if !bytes.len().is_multiple_of(sealed_len) {
            return Err(Fault::internal("a ballot box does not hold a whole number of ballots"));
        }
        Ok(Self { sealed_len, bytes })
    }

    /// Puts a sealed ballot at its place in the order of bytes.
    pub fn put(&mut self, sealed: &[u8]) -> Result<(), Fault> {
        if sealed.len() != self.sealed_len {
            return Err(Fault::internal("a sealed ballot has a wrong length"));
        }
        let place = self.ballots().take_while(|other| *other < sealed).count() * self.sealed_len;
        self.bytes.splice(place..place, sealed.iter().copied());
        Ok(())
    }

    /// Number of ballots.
    pub fn len(&self) -> u32 {
        u32::try_from(self.bytes.len() / self.sealed_len).unwrap_or(u32::MAX)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The sealed ballots, in the order of their bytes.
    pub fn ballots(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks_exact(self.sealed_len)
    }

    /// The bytes to store.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl std::fmt::Debug for BallotBox {
    /// Only how many there are.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BallotBox({} ballots)", self.len())
    }
}

/// Our generator with the traits that hpke asks for (of a newer `rand_core`).
struct Randomness(ChaCha20Rng);

impl TryRng for Randomness {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Randomness {}

#[cfg(test)]
mod tests {
    use kernel::Uuid;

    use super::*;

    fn board(seed: u8) -> (Vec<u8>, BoardPublicKey) {
        let (private, public) = X25519HkdfSha256::derive_keypair(&[seed; 32]);
        (private.to_bytes().to_vec(), BoardPublicKey::new(&public.to_bytes()).unwrap())
    }

    fn label(municipality: &str) -> BoxLabel {
        let election = ElectionId::from_uuid(Uuid::from_u128(7));
        BoxLabel { election, municipality: MunicipalityCode::new(municipality).unwrap() }
    }

    #[test]
    fn what_is_sealed_opens_with_the_boards_key_and_in_its_own_box_only() {
        let (private, public) = board(1);
        let sealed = public.seal(&label("139"), b"choice", [9; 32]).unwrap();
        let key = BoardPrivateKey::new(&private, &public).unwrap();
        assert_eq!(key.open(&label("139"), &sealed).as_deref(), Some(b"choice".as_slice()));
        assert_eq!(key.open(&label("615"), &sealed), None);
        let mut broken = sealed.clone();
        broken[40] ^= 1;
        assert_eq!(key.open(&label("139"), &broken), None);
        assert_eq!(key.open(&label("139"), &sealed[..20]), None);
    }

    #[test]
    fn the_same_choice_never_looks_the_same() {
        let (_, public) = board(1);
        let one = public.seal(&label("139"), b"choice", [1; 32]).unwrap();
        let other = public.seal(&label("139"), b"choice", [2; 32]).unwrap();
        assert_ne!(one, other);
        assert_ne!(one[32..], other[32..]);
        assert_eq!(one.len(), other.len());
    }

    #[test]
    fn a_key_that_cannot_be_sealed_to_is_refused_when_it_is_announced() {
        for bytes in [vec![], vec![1; 31], vec![1; 33], vec![0; 32]] {
            assert_eq!(BoardPublicKey::new(&bytes).unwrap_err().code(), "forums.board_key");
        }
    }

    #[test]
    fn another_boards_private_key_is_refused_before_anything_is_opened() {
        let (_, public) = board(1);
        let (other, _) = board(2);
        let fault = BoardPrivateKey::new(&other, &public).unwrap_err();
        assert_eq!(fault.code(), "forums.board_private_key");
        assert!(BoardPrivateKey::new(&[1; 5], &public).is_err());
    }

    #[test]
    fn bal_10_a_box_is_the_same_whatever_the_order_of_casting() {
        let (_, public) = board(1);
        let sealed: Vec<Vec<u8>> =
            (0..20).map(|index| public.seal(&label("139"), &[1, index], [index; 32]).unwrap()).collect();
        let mut forwards = BallotBox::from_stored(2, Vec::new()).unwrap();
        let mut backwards = forwards.clone();
        sealed.iter().for_each(|one| forwards.put(one).unwrap());
        sealed.iter().rev().for_each(|one| backwards.put(one).unwrap());
        assert_eq!(forwards, backwards);
        assert_eq!(forwards.len(), 20);
        assert!(forwards.ballots().is_sorted());
        assert!(forwards.put(&[1; 3]).is_err(), "a ballot of another length does not fit");
    }
}
