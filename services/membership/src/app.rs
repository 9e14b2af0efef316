//! What membership does, one function per command and per query. A command runs in the writer; what it may touch there
//! is `tx`, and it may run twice.
//!
//! | file | what it does |
//! | --- | --- |
//! | `app/tenancy.rs` | counties, policy, regions, units |
//! | `app/participants.rs` | the register, suspending, leaving, mandates |
//! | `app/attestations.rs` | attesting, revoking, expiring |
//! | `app/roles.rs` | giving and ending roles |
//! | `app/cards.rs` | code cards |
//! | `app/sessions.rs` | signing in and out |
//! | `app/tokens.rs` | actor tokens, service accounts, signing keys |
//! | `app/rolls.rs` | rolls: freezing, reading, vouchers, assistance |
//! | `app/roll_checks.rs` | whether a roll is still the published one |
//! | `app/support.rs` | who helps whom |
//! | `app/dictation.rs` | vouchers to write down what a member says |
//! | `app/vouchers.rs` | vouchers, signed on the way out |
//! | `app/nominations.rs` | nomination codes |
//! | `app/contact.rs` | how people want to be told, e-mail and letters |
//! | `app/directory.rs` | notices and retired references |
//! | `app/import.rs` | the register file |
//! | `app/upkeep.rs` | deleting what has run out |

mod attestations;
mod cards;
mod contact;
mod dictation;
mod directory;
mod import;
mod nominations;
mod participants;
mod roles;
mod roll_checks;
mod rolls;
mod sessions;
mod support;
mod tenancy;
mod tokens;
mod upkeep;
mod vouchers;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use chassis::token::Issuer;
use kernel::{ActingMode, Caller, Clock, Date, ElectionId, Fault, Ids, Subject, TenantId, Timestamp};
use messaging::{Database, Writer};
use sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::domain::{PersonId, Rejection};
use crate::mail::Mailer;
use crate::store;
use crate::vault::Vault;

pub use attestations::{EXPIRY_JOB, Eligibility};
pub use cards::CARD_MADE;
pub use contact::MAIL_JOB;
pub use directory::{Ask, NOTICE_JOB};
pub use participants::NewParticipant;
pub use roles::{NewRole, ROLE_END_JOB};
use roll_checks::Looked;
pub use roll_checks::ROLL_CHECK_JOB;
pub(crate) use roll_checks::look_at_roll;
pub use rolls::Announced;
pub(crate) use rolls::FORUMS;
pub(crate) use sessions::SETUP_CODE_LENGTH;
pub use sessions::{CARD_LOCKED, ISSUED_CARD_LOCKED, NewAdministrator};
pub use support::{SUPPORT_ACCEPTED, SUPPORT_ENDED, SUPPORT_OFFERED};
pub use tokens::Asked;
pub(crate) use tokens::{account_hash, new_key, put_key};
pub use upkeep::PURGE_JOB;

/// The service that speaks here: the audience of its callers' tokens.
const SERVICE: &str = "membership";

/// What the application is made from.
#[derive(Debug, Clone)]
pub struct Wiring {
    /// Counties served.
    pub tenants: Vec<TenantId>,
    /// Name of the deployment: tokens are issued by `osallisuus/<cell>`.
    pub cell: String,
    /// For reads.
    pub database: Database,
    /// For writes.
    pub writer: Writer,
    /// The business clock: rules go by it.
    pub clock: Arc<dyn Clock>,
    /// Real time: sessions and tokens.
    pub real_clock: Arc<dyn Clock>,
    /// New ids and random bytes.
    pub ids: Ids,
    /// The membership key.
    pub vault: Vault,
    /// The way to people's mailboxes; None if the deployment has none.
    pub mailer: Option<Mailer>,
}

/// The application. Clones share everything.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    wiring: Wiring,
    /// The signing key in use, unsealed, by its id.
    issuer: Mutex<Option<Arc<Issuer>>>,
    /// The last look at the roll of each election, and when it was.
    looks: tokio::sync::Mutex<BTreeMap<ElectionId, (Timestamp, Arc<Looked>)>>,
}

impl App {
    /// The application on these parts.
    #[must_use]
    pub fn new(mut wiring: Wiring) -> Self {
        wiring.tenants.sort_unstable();
        Self {
            inner: Arc::new(Inner { wiring, issuer: Mutex::default(), looks: tokio::sync::Mutex::default() }),
        }
    }

    fn writer(&self) -> &Writer {
        &self.inner.wiring.writer
    }

    /// The read pool.
    fn reads(&self) -> &DatabaseConnection {
        self.inner.wiring.database.read()
    }

    fn vault(&self) -> &Vault {
        &self.inner.wiring.vault
    }

    fn ids(&self) -> &Ids {
        &self.inner.wiring.ids
    }

    /// Today in Finland, by the business clock.
    fn today(&self) -> Date {
        self.inner.wiring.clock.now().helsinki_date()
    }

    fn real_now(&self) -> Timestamp {
        self.inner.wiring.real_clock.now()
    }

    /// That the deployment serves this county.
    fn served(&self, tenant: TenantId) -> Result<TenantId, Fault> {
        if self.inner.wiring.tenants.contains(&tenant) {
            Ok(tenant)
        } else {
            Err(Rejection::TenantNotServed.into())
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("wiring", &self.inner.wiring).finish_non_exhaustive()
    }
}

/// The caller, for what nobody does for another: leaving, standing as a candidate, saying who helped to vote (M5).
fn own_act(caller: &Caller) -> Result<Subject, Fault> {
    if caller.mode == ActingMode::OnBehalf {
        return Err(Rejection::MandateOwnActs.into());
    }
    caller.subject()
}

/// The human behind membership's own reference in a caller's token. Who has left since the token was made is refused.
async fn person_of(db: &impl ConnectionTrait, subject: Subject) -> Result<PersonId, Fault> {
    let found = store::references::people(db, SERVICE, &[subject]).await?;
    let person = found.first().map(|(_, person)| *person);
    person.ok_or_else(|| Rejection::SessionRefused.into())
}
