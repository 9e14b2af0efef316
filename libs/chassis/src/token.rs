//! Actor tokens and vouchers: what membership signs and every service verifies.
//!
//! Both are JWTs signed with ES256 and nothing else. An *actor token* (`typ: at+jwt`) says who calls one service, for at
//! most five minutes. A *voucher* (`typ: voucher+jwt`) is a word of membership about a person who does not call
//! themselves: that they let somebody nominate them, that they stand before an election officer, or that somebody writes
//! down what they say.
//!
//! | claim | meaning |
//! | --- | --- |
//! | `iss` | `osallisuus/<cell>` |
//! | `aud` | the service it is for, for example `forums` |
//! | `sub` | the person's reference at that service; the account's name for a service |
//! | `exp`, `nbf`, `iat` | seconds since 1970, real time |
//! | `jti` | id of the token |
//! | `tenants` | county codes |
//! | `roles` | `[{"r": "election_officer", "s": "forum:<uuid>"}]`; also `tenant:19`, `unit:…`, `region:…`, `cell` |
//! | `rolls` | `[{"e": "<election>", "m": "139"}]` |
//! | `att` | `[{"g": "<group>", "m": "139", "since": "2026-01-31"}]` |
//! | `mode`, `acr` | how the act comes about; how surely the person was identified |
//! | `hlp` | `{"r": "<reference>", "u": ["<unit>"]}`: who helps, and units where they work (M3); absent if none |
//! | `stf` | `true`: staff of the services, or a support person, in some county (F8, M4); for forums, absent if not |
//! | `svc` | name of the calling service; absent for people |
//! | `purpose` | vouchers only: `nominate`, `paper_ballot` or `dictation` |
//! | `unit` | vouchers for `dictation` only: the unit in whose name; `hlp` is then who writes down |

mod claims;
mod issuer;
mod keys;
mod verifier;

use kernel::{Attestation, Helper, RollClaim, Subject, Timestamp, UnitId, Uuid};

pub use issuer::{Issuer, PublicKey};
pub(crate) use keys::KeyStore;
pub use verifier::Verifier;

/// `typ` of an actor token.
pub const ACTOR_TYPE: &str = "at+jwt";
/// `typ` of a voucher.
pub const VOUCHER_TYPE: &str = "voucher+jwt";

/// The issuer named in tokens of a cell.
#[must_use]
pub fn issuer_of(cell: &str) -> String {
    format!("osallisuus/{cell}")
}

/// What a voucher may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The person lets the holder nominate them; carries the attestations.
    Nominate,
    /// The person stands before an election officer and asks for a paper ballot; carries the roll claim.
    PaperBallot,
    /// The person says something and the holder writes it down; for proposals.
    Dictation,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Purpose; 3] = [Purpose::Nominate, Purpose::PaperBallot, Purpose::Dictation];

    /// The name in the token.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Nominate => "nominate",
            Purpose::PaperBallot => "paper_ballot",
            Purpose::Dictation => "dictation",
        }
    }
}

/// A word of membership about a person, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voucher {
    /// Id of the voucher: what is used once is remembered by it.
    pub id: Uuid,
    /// What it may be used for.
    pub purpose: Purpose,
    /// The service it is for, for example "forums".
    pub audience: String,
    /// The person, by the reference of that service.
    pub subject: Subject,
    /// The person's attestations in force; for [`Purpose::Nominate`].
    pub attestations: Vec<Attestation>,
    /// The person's places on rolls; for [`Purpose::PaperBallot`].
    pub rolls: Vec<RollClaim>,
    /// Who may use it; for [`Purpose::Dictation`].
    pub recorder: Option<Recorder>,
    /// Last moment at which it works, real time; at most 15 minutes after it was made.
    pub expires: Timestamp,
}

/// Who writes down what the person of a voucher says, and in the name of which unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorder {
    /// The unit.
    pub unit: UnitId,
    /// Who writes down, by the reference of the voucher's service, and the units where they work (M3).
    pub person: Helper,
}
