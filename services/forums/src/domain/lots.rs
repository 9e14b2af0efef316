//! Lots that nobody can choose and anybody can recompute (F5).
//!
//! When an election is announced a seed is drawn and its *commitment* is published; the seed stays secret. After the
//! count a named witness gives a number of their own. Only then is the order of the tied fixed: it is the order of
//! the hashes of seed, witness number and candidate number. The platform, which fixed the seed before it could know
//! who ties, cannot choose the outcome, nor can the witness, who does not know the seed.
//!
//! An election has one seed. It becomes public with the first lots drawn, so no lots are drawn before every witness
//! of the election has spoken (see [`crate::domain::election`]).

use data_encoding::HEXLOWER;
use kernel::{Caller, ElectionId, Fault, ForumId, MunicipalityCode, Role, ScopeRef};
use sha2::{Digest, Sha256};

/// Names the scheme in everything hashed.
const SCHEME: &str = "osallisuus-lots-v1";

/// The secret seed of an election's lots.
#[derive(Clone, PartialEq, Eq)]
pub struct LotsSeed([u8; 32]);

impl LotsSeed {
    /// The seed made of 32 fresh random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for storing.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The seed as it is revealed: 64 hexadecimal digits.
    pub fn reveal(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// What is published before the election: SHA-256 of "osallisuus-lots-v1|commit|" and the seed's digits.
    pub fn commitment(&self) -> String {
        sha256(&format!("{SCHEME}|commit|{}", self.reveal()))
    }
}

impl std::fmt::Debug for LotsSeed {
    /// Never shows the seed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LotsSeed")
    }
}

/// The witness's part: 1 to 12 decimal digits of their own choice. Empty where no seat depended on the lots at
/// the count and nobody had to witness them: the order of deputies with equal approvals. That order can still give a
/// seat, if one of the elected has left by the confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WitnessNumber(String);

impl WitnessNumber {
    /// The number; Invalid `forums.witness_number` unless it is 1 to 12 decimal digits.
    pub fn new(digits: &str) -> Result<Self, Fault> {
        if (1..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self(digits.to_owned()));
        }
        Err(Fault::invalid(
            "forums.witness_number",
            "number: the witness's number has 1 to 12 decimal digits.",
        )
        .field("number", "1 to 12 decimal digits", "send for example the dice you threw: \"4163\""))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Refuses an election officer of the forum, whatever other role they hold: Forbidden `forums.witness_is_officer`. The
/// witness is there because somebody else than those who run the election must have a hand in its lots (F5).
pub fn refuse_officer(caller: &Caller, forum: ForumId) -> Result<(), Fault> {
    if caller.holds(&[Role::ElectionOfficer], &ScopeRef::Forum(forum)) {
        return Err(Fault::forbidden(
            "forums.witness_is_officer",
            "You are an election officer of this forum. Another person must witness the lots.",
        ));
    }
    Ok(())
}

/// Everything that fixes the lots of one municipality.
#[derive(Debug)]
pub struct Draw<'a> {
    /// The seed.
    pub seed: &'a LotsSeed,
    /// The election.
    pub election: ElectionId,
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// The witness's number.
    pub witness: &'a WitnessNumber,
}

impl Draw<'_> {
    /// The lot of a candidate: 64 hexadecimal digits, compared as text; the least comes first.
    pub fn lot(&self, candidate_number: u32) -> String {
        let Draw { seed, election, municipality, witness } = self;
        let (seed, witness) = (seed.reveal(), witness.as_str());
        sha256(&format!("{SCHEME}|draw|{seed}|{election}|{municipality}|{witness}|{candidate_number}"))
    }
}

fn sha256(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}
