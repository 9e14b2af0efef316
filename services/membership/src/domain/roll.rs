//! Electoral rolls: who may vote, frozen when an election is announced.
//!
//! One human has one entry (decision of the joint forum): the earliest attestation counts, over both counties, and of
//! two made on one day the one with the lower municipality code. A human belongs to that constituency of the *forum*,
//! so a supplementary election in another municipality does not give them a second one.

use std::collections::BTreeMap;

use kernel::{Date, ElectionId, MunicipalityCode, ParticipantId};
use sha2::{Digest as _, Sha256};

use super::participant::PersonId;

/// An attestation in force on the day of the freeze, as a claim to a place on the roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The human.
    pub person: PersonId,
    /// The human in the register of the county that attested.
    pub participant: ParticipantId,
    /// The municipality attested.
    pub municipality: MunicipalityCode,
    /// First day of the attestation.
    pub attested_on: Date,
}

/// A place on the roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The human.
    pub person: PersonId,
    /// In the register of which county.
    pub participant: ParticipantId,
    /// Constituency.
    pub municipality: MunicipalityCode,
}

/// A frozen roll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roll {
    /// One a human, in the order of the person's id.
    pub entries: Vec<Entry>,
    /// Exact number of entries for every municipality of the election, zero included.
    pub counts: BTreeMap<MunicipalityCode, u32>,
}

/// Freezes a roll.
///
/// `plan` are the municipalities of the forum's seat plan, `election` those with seats to fill now; claims to other
/// municipalities do not count.
pub fn freeze(claims: &[Claim], plan: &[MunicipalityCode], election: &[MunicipalityCode]) -> Roll {
    let mut earliest: BTreeMap<PersonId, &Claim> = BTreeMap::new();
    for claim in claims {
        if !plan.contains(&claim.municipality) && !election.contains(&claim.municipality) {
            continue;
        }
        let best = earliest.entry(claim.person).or_insert(claim);
        if order(claim) < order(best) {
            *best = claim;
        }
    }
    let mut counts: BTreeMap<MunicipalityCode, u32> = election.iter().map(|code| (*code, 0)).collect();
    let mut entries = Vec::new();
    for claim in earliest.values() {
        if let Some(count) = counts.get_mut(&claim.municipality) {
            *count += 1;
            entries.push(Entry {
                person: claim.person,
                participant: claim.participant,
                municipality: claim.municipality,
            });
        }
    }
    Roll { entries, counts }
}

fn order(claim: &Claim) -> (Date, MunicipalityCode, ParticipantId) {
    (claim.attested_on, claim.municipality, claim.participant)
}

/// The bytes of an entry that are hashed with membership's own key: election, municipality, person and their entry in
/// the register as text, with a line break after each.
pub fn entry_bytes(election: ElectionId, entry: &Entry) -> Vec<u8> {
    let Entry { municipality, person, participant } = entry;
    format!("{election}\n{municipality}\n{person}\n{participant}\n").into_bytes()
}

/// The hash of a roll, published so that the roll cannot be changed unseen.
///
/// Canonical form: SHA-256 over the ASCII text `osallisuus-roll-v1`, a line break, the election's id, a line break, and
/// the entries' hashes in ascending order, 32 bytes each. An entry's hash is HMAC-SHA-256 of [`entry_bytes`] under a
/// key that only membership has; sorted and keyed, the hashes reveal neither who is on the roll nor who is not, and
/// two rolls of the same people have nothing in common.
pub fn hash(election: ElectionId, mut entry_hashes: Vec<[u8; 32]>) -> [u8; 32] {
    entry_hashes.sort_unstable();
    let mut hasher = Sha256::new();
    hasher.update(format!("osallisuus-roll-v1\n{election}\n"));
    for entry in entry_hashes {
        hasher.update(entry);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kernel::Uuid;
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    const PLAN: [&str; 5] = ["139", "615", "751", "785", "889"];

    fn codes(codes: &[&str]) -> Vec<MunicipalityCode> {
        codes.iter().map(|code| MunicipalityCode::new(code).unwrap()).collect()
    }

    fn claim(person: u128, municipality: &str, day: i64) -> Claim {
        Claim {
            person: PersonId::from(Uuid::from_u128(person)),
            participant: ParticipantId::from_uuid(Uuid::from_u128(
                person * 100 + u128::from(day.unsigned_abs()),
            )),
            municipality: MunicipalityCode::new(municipality).unwrap(),
            attested_on: date!(2026 - 01 - 01) + time::Duration::days(day),
        }
    }

    #[test]
    fn one_human_one_entry_where_attested_first() {
        let claims = [claim(1, "751", 5), claim(1, "139", 3), claim(2, "751", 0), claim(2, "139", 0)];
        let roll = freeze(&claims, &codes(&PLAN), &codes(&PLAN));
        let where_: Vec<&str> = roll.entries.iter().map(|entry| entry.municipality.as_str()).collect();
        assert_eq!(where_, ["139", "139"], "the earlier day, then the lower code");
        assert_eq!(roll.counts.values().sum::<u32>(), 2);
        assert_eq!(roll.counts.len(), 5, "municipalities without voters are counted as zero");
    }

    #[test]
    fn a_supplementary_election_gives_nobody_a_second_constituency() {
        let claims = [claim(1, "751", 5), claim(1, "139", 3), claim(2, "751", 0)];
        let roll = freeze(&claims, &codes(&PLAN), &codes(&["751"]));
        assert_eq!(roll.entries.len(), 1, "the first human votes in Ii");
        assert_eq!(roll.counts[&codes(&["751"])[0]], 1);
    }

    #[test]
    fn claims_outside_of_the_forum_do_not_count() {
        let claims = [claim(1, "564", 0), claim(1, "139", 3)];
        let roll = freeze(&claims, &codes(&PLAN), &codes(&PLAN));
        assert_eq!(roll.entries[0].municipality.as_str(), "139", "Oulu is not in the forum");
    }

    #[test]
    fn the_hash_depends_on_the_entries_and_the_election_only() {
        let election = ElectionId::from_uuid(Uuid::from_u128(7));
        let hashes = vec![[2; 32], [1; 32]];
        let reversed = vec![[1; 32], [2; 32]];
        assert_eq!(hash(election, hashes.clone()), hash(election, reversed));
        assert_ne!(hash(election, hashes.clone()), hash(election, vec![[1; 32]]));
        assert_ne!(hash(election, hashes.clone()), hash(ElectionId::from_uuid(Uuid::from_u128(8)), hashes));
    }

    proptest! {
        #[test]
        fn f3_one_human_one_roll_entry_whatever_is_attested(
            claims in proptest::collection::vec((1u128..20, 0usize..5, 0i64..30), 0..80),
            plan in proptest::sample::subsequence(PLAN.to_vec(), 1..=5),
        ) {
            let claims: Vec<Claim> = claims.iter().map(|(who, at, day)| claim(*who, PLAN[*at], *day)).collect();
            let roll = freeze(&claims, &codes(&PLAN), &codes(&plan));
            let people: BTreeSet<PersonId> = roll.entries.iter().map(|entry| entry.person).collect();
            prop_assert_eq!(people.len(), roll.entries.len());
            prop_assert_eq!(roll.counts.values().sum::<u32>() as usize, roll.entries.len());
            // The order in which attestations are read does not matter.
            let mut turned = claims.clone();
            turned.reverse();
            prop_assert_eq!(freeze(&turned, &codes(&PLAN), &codes(&plan)), roll);
        }
    }
}
