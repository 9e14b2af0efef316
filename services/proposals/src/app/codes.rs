//! Codes that a replay must show again: return codes and invitations.
//!
//! A command that is sent twice must answer the same, but an answer with a code in it must not lie in the command log. So a
//! code is not random: it is made from the secret of this service's account and the command (who, key, content). The log
//! keeps the answer without the code, the table keeps a hash of it, and a replay makes the code anew.

use chassis::Secrets;
use hmac::{Hmac, Mac as _};
use kernel::Fault;
use messaging::Command;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::domain::code;

/// Characters of a code: 80 bits, so a fast hash of it gives nothing away.
const LENGTH: usize = 16;

/// What a code is for; each purpose has codes of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Leads an author without a name back to the proposal (P8).
    ReturnCode,
    /// Makes its holder a co-author, once.
    Invitation,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Purpose::ReturnCode => b"proposals return code",
            Purpose::Invitation => b"proposals invitation",
        }
    }
}

/// A code and the hash that is stored of it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Code {
    /// As it is shown, in groups of four.
    pub(super) shown: String,
    /// What is stored.
    pub(super) hash: Vec<u8>,
}

/// The code that only this command gives, the same whenever it is sent again.
pub(super) fn derive(secrets: &Secrets, purpose: Purpose, command: &Command) -> Result<Code, Fault> {
    let secret = secrets.account(crate::SERVICE.name)?;
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(secret.expose_secret().as_bytes())
        .map_err(Fault::internal)?;
    for part in [purpose.label(), command.principal.as_bytes(), command.key.as_bytes(), &command.request_hash]
    {
        mac.update(&u64::try_from(part.len()).map_err(Fault::internal)?.to_be_bytes());
        mac.update(part);
    }
    let code = code::from_bytes(&mac.finalize().into_bytes(), LENGTH);
    Ok(Code { shown: code::grouped(&code), hash: hash(purpose, &code) })
}

/// The hash of a code that somebody typed; None if it cannot be one.
pub(super) fn hash_of(purpose: Purpose, typed: &str) -> Option<Vec<u8>> {
    code::read(typed, LENGTH).map(|code| hash(purpose, &code))
}

fn hash(purpose: Purpose, code: &str) -> Vec<u8> {
    Sha256::new().chain_update(purpose.label()).chain_update(code.as_bytes()).finalize().to_vec()
}
