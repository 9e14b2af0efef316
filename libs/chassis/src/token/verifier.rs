//! Verifying tokens without asking anybody, each full check at most once.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jsonwebtoken::{Algorithm, Header, Validation};
use kernel::{Caller, Clock, Fault, Timestamp};
use lru::LruCache;
use sha2::{Digest as _, Sha256};

use super::claims::Claims;
use super::{ACTOR_TYPE, KeyStore, Purpose, VOUCHER_TYPE, Voucher};

/// How much the clocks of two machines may differ.
const LEEWAY: time::Duration = time::Duration::seconds(30);
/// Longer tokens are refused unread; a token with a hundred roles has 10 KiB.
const LONGEST: usize = 16 * 1024;
/// The longest life of an actor token; one that claims more is not from membership.
const LONGEST_LIFE: time::Duration = time::Duration::minutes(5);
/// The longest life of a voucher.
const LONGEST_VOUCHER: time::Duration = time::Duration::minutes(15);

/// Verifies tokens for one service. Clones share the keys and the cache.
#[derive(Clone)]
pub struct Verifier {
    shared: Arc<Shared>,
    audience: &'static str,
}

struct Shared {
    issuer: String,
    keys: Arc<KeyStore>,
    clock: Arc<dyn Clock>,
    /// By the SHA-256 of the token: the cache holds no token that could be stolen from memory.
    verified: Mutex<LruCache<[u8; 32], Verified>>,
}

#[derive(Clone)]
struct Verified {
    key_id: String,
    caller: Arc<Caller>,
}

impl Verifier {
    /// A verifier for tokens of `issuer` that remembers `cache` of them.
    pub(crate) fn new(
        issuer: String,
        keys: Arc<KeyStore>,
        clock: Arc<dyn Clock>,
        cache: NonZeroUsize,
        audience: &'static str,
    ) -> Self {
        let verified = Mutex::new(LruCache::new(cache));
        Self { shared: Arc::new(Shared { issuer, keys, clock, verified }), audience }
    }

    /// The same for another service.
    #[must_use]
    pub(crate) fn for_audience(&self, audience: &'static str) -> Self {
        Self { shared: Arc::clone(&self.shared), audience }
    }

    /// The caller an actor token speaks of.
    ///
    /// # Errors
    /// Unauthenticated `access.token_invalid` or `access.token_expired`; Unavailable `access.no_keys` as long as
    /// membership has never been reached.
    pub async fn actor(&self, token: &str) -> Result<Arc<Caller>, Fault> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let now = self.shared.clock.now();
        let cached = self.shared.cache().get(&digest).cloned();
        if let Some(Verified { key_id, caller }) = cached {
            // The key may have been withdrawn, the time be over, or the token be for another service since.
            if self.shared.keys.get(&key_id).is_some() {
                self.check_audience(&caller.audience)?;
                check_time(None, caller.expires, now)?;
                return Ok(caller);
            }
        }
        let (key_id, claims) = self.claims(token, ACTOR_TYPE, LONGEST_LIFE).await?;
        let caller = Arc::new(claims.into_caller().ok_or_else(invalid)?);
        self.shared.cache().put(digest, Verified { key_id, caller: Arc::clone(&caller) });
        Ok(caller)
    }

    /// The voucher in a request. Whether it was used before is the service's own record, by its id.
    ///
    /// # Errors
    /// As [`actor`](Self::actor), but as Invalid `access.voucher_invalid` or `access.voucher_expired`: the caller is
    /// somebody else.
    pub async fn voucher(&self, voucher: &str) -> Result<Voucher, Fault> {
        let claims = self.claims(voucher, VOUCHER_TYPE, LONGEST_VOUCHER).await.map_err(of_voucher)?;
        claims.1.into_voucher().ok_or_else(|| of_voucher(invalid()))
    }

    /// The voucher in a request, made for this purpose; see [`voucher`](Self::voucher).
    ///
    /// # Errors
    /// Also Invalid `access.voucher_purpose` for one that was made for something else.
    pub async fn voucher_for(&self, voucher: &str, purpose: Purpose) -> Result<Voucher, Fault> {
        let voucher = self.voucher(voucher).await?;
        if voucher.purpose == purpose {
            return Ok(voucher);
        }
        let made_for = format!("a voucher of membership for \"{}\"", purpose.as_str());
        Err(Fault::invalid("access.voucher_purpose", "The voucher was made for something else.").field(
            "voucher",
            made_for,
            "ask membership for the right one",
        ))
    }

    async fn claims(
        &self,
        token: &str,
        kind: &str,
        longest: time::Duration,
    ) -> Result<(String, Claims), Fault> {
        if token.len() > LONGEST {
            return Err(invalid());
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid())?;
        let key_id = check_header(header, kind)?;
        let key = self.key(&key_id).await?;
        let validation = validation();
        let decoded = jsonwebtoken::decode::<Claims>(token, &key, &validation).map_err(|_| invalid())?;
        let claims = decoded.claims;
        if claims.iss != self.shared.issuer {
            return Err(invalid());
        }
        self.check_audience(&claims.aud)?;
        let (begins, ends) = (Timestamp::from_seconds(claims.nbf), Timestamp::from_seconds(claims.exp));
        check_time(Some(begins), ends, self.shared.clock.now())?;
        if ends - begins > longest {
            return Err(invalid());
        }
        Ok((key_id, claims))
    }

    async fn key(&self, key_id: &str) -> Result<Arc<jsonwebtoken::DecodingKey>, Fault> {
        let keys = &self.shared.keys;
        if let Some(key) = keys.get(key_id) {
            return Ok(key);
        }
        if !keys.is_known() {
            return Err(Fault::unavailable(
                "access.no_keys",
                "Tokens cannot be checked yet: membership has not been reached. Try again.",
            )
            .with_retry_after(Duration::from_secs(1)));
        }
        keys.look_again().await;
        keys.get(key_id).ok_or_else(invalid)
    }

    fn check_audience(&self, audience: &str) -> Result<(), Fault> {
        if audience == self.audience { Ok(()) } else { Err(invalid()) }
    }
}

impl Shared {
    fn cache(&self) -> std::sync::MutexGuard<'_, LruCache<[u8; 32], Verified>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Only the signature is left to the library: it knows neither our clock nor our words.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::ES256);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}

/// The key's id. A header that brings its own key, or asks for what we do not do, is refused.
fn check_header(header: Header, kind: &str) -> Result<String, Fault> {
    let brings_key =
        header.jku.is_some() || header.jwk.is_some() || header.x5u.is_some() || header.x5c.is_some();
    let asks_more = header.crit.is_some() || header.enc.is_some() || header.zip.is_some();
    if header.alg != Algorithm::ES256 || header.typ.as_deref() != Some(kind) || brings_key || asks_more {
        return Err(invalid());
    }
    header.kid.filter(|key_id| !key_id.is_empty()).ok_or_else(invalid)
}

fn check_time(begins: Option<Timestamp>, ends: Timestamp, now: Timestamp) -> Result<(), Fault> {
    if begins.is_some_and(|begins| now + LEEWAY < begins) {
        return Err(invalid());
    }
    if now >= ends + LEEWAY {
        return Err(Fault::unauthenticated(
            "access.token_expired",
            "The token has expired. Fetch a new one.",
        ));
    }
    Ok(())
}

/// One answer for everything that is wrong with a token: an attacker learns nothing from it.
fn invalid() -> Fault {
    Fault::unauthenticated("access.token_invalid", "The token is not valid here. Fetch one for this service.")
}

fn of_voucher(fault: Fault) -> Fault {
    match fault.code() {
        "access.token_expired" => {
            Fault::invalid("access.voucher_expired", "The voucher has expired. Ask for a new one.")
        }
        "access.token_invalid" => Fault::invalid("access.voucher_invalid", "The voucher is not valid here."),
        _ => fault,
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("audience", &self.audience).finish_non_exhaustive()
    }
}
