//! Signing tokens: membership's side. Tests sign their callers' tokens with it too.

use std::fmt;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::{Caller, Fault, Timestamp, Uuid};
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use p256::pkcs8::EncodePrivateKey as _;

use super::claims::Claims;
use super::{ACTOR_TYPE, VOUCHER_TYPE, Voucher};

/// A private key with its id, for one cell.
pub struct Issuer {
    issuer: String,
    key: EncodingKey,
    public: PublicKey,
}

/// The public half of a signing key on P-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its id: `kid` in the header of tokens.
    pub key_id: String,
    /// X coordinate, 32 bytes.
    pub x: Vec<u8>,
    /// Y coordinate, 32 bytes.
    pub y: Vec<u8>,
}

impl Issuer {
    /// The issuer `osallisuus/<cell>` with the private key `secret`: 32 random bytes, from [`kernel::Ids::bytes`].
    ///
    /// # Errors
    /// Internal if the bytes are not a key (all zeros, or above the curve's order: one in 2³² random ones is).
    pub fn new(cell: &str, key_id: impl Into<String>, secret: &[u8; 32]) -> Result<Self, Fault> {
        let secret = p256::SecretKey::from_slice(secret).map_err(Fault::internal)?;
        let point = secret.public_key().to_encoded_point(false);
        let (Some(x), Some(y)) = (point.x(), point.y()) else {
            return Err(Fault::internal("a signing key has no coordinates"));
        };
        let public = PublicKey { key_id: key_id.into(), x: x.to_vec(), y: y.to_vec() };
        let der = secret.to_pkcs8_der().map_err(Fault::internal)?;
        Ok(Self { issuer: super::issuer_of(cell), key: EncodingKey::from_ec_der(der.as_bytes()), public })
    }

    /// The key to publish.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// An actor token that says all of `caller`, for the service `caller.audience` and until `caller.expires`.
    /// `id` is new for each token; `now` is real time.
    ///
    /// # Errors
    /// Internal, if signing fails.
    pub fn actor_token(&self, caller: &Caller, id: Uuid, now: Timestamp) -> Result<String, Fault> {
        self.sign(ACTOR_TYPE, &Claims::of_caller(&self.issuer, caller, id, now))
    }

    /// A voucher; `now` is real time.
    ///
    /// # Errors
    /// Internal, if signing fails.
    pub fn voucher(&self, voucher: &Voucher, now: Timestamp) -> Result<String, Fault> {
        self.sign(VOUCHER_TYPE, &Claims::of_voucher(&self.issuer, voucher, now))
    }

    fn sign(&self, kind: &str, claims: &Claims) -> Result<String, Fault> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(kind.to_owned());
        header.kid = Some(self.public.key_id.clone());
        jsonwebtoken::encode(&header, claims, &self.key).map_err(Fault::internal)
    }
}

impl fmt::Debug for Issuer {
    /// Leaves the private key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("issuer", &self.issuer)
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}
