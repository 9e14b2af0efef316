//! What the public sees of a result (F7): figures, the proof of the lots, and no person who did not agree.

use kernel::MunicipalityCode;

use crate::domain::election::{Constituency, Election, Phase};
use crate::domain::lots::{Draw, LotsSeed, WitnessNumber};
use crate::domain::tally::Tally;

/// A share in hundredths of a per cent, rounded half away from zero; 0 of nothing.
pub fn basis_points(part: u32, whole: u32) -> u32 {
    if whole == 0 {
        return 0;
    }
    let (part, whole) = (u64::from(part), u64::from(whole));
    u32::try_from((part * 20_000 + whole) / (2 * whole)).unwrap_or(u32::MAX)
}

/// The public figures of a municipality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicFigures {
    /// Approvals by candidate number, most first; none before confirmation, where suppressed or uncontested.
    pub tally: Option<Vec<(u32, u32)>>,
    /// Blank ballots, where the tally is public.
    pub blank: u32,
    /// The lots, once drawn; for deputies' order alone, once confirmed.
    pub lots: Option<LotsProof>,
}

/// Everything that anyone needs to recompute the lots of a municipality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotsProof {
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// The revealed seed, 64 hexadecimal digits.
    pub seed: String,
    /// The witness's number; empty if no seat depended on the lots.
    pub witness: WitnessNumber,
    /// The tied at the last seat in the order drawn; empty if no seat depended on the lots.
    pub order: Vec<u32>,
    /// Seats that were left for them.
    pub seats_left: u32,
}

impl PublicFigures {
    /// What is public of this municipality now. `seed` is the election's, needed where [`shows_lots`] says so; without it
    /// no lots are shown.
    pub fn of(
        election: &Election,
        constituency: &Constituency,
        tally: &Tally,
        seed: Option<&LotsSeed>,
    ) -> Self {
        let confirmed = constituency.confirmed.filter(|_| election.phase == Phase::Confirmed);
        let open = confirmed.is_some_and(|result| !result.tally_suppressed) && !constituency.uncontested;
        let witness = constituency.witness_number.clone().unwrap_or_default();
        let seed = seed.filter(|_| shows_lots(election, constituency, tally));
        let draw = |seed| Draw {
            seed,
            election: election.id,
            municipality: constituency.municipality,
            witness: &witness,
        };
        let mut sorted: Vec<(u32, u32)> =
            tally.approvals.iter().map(|(number, count)| (*number, *count)).collect();
        sorted.sort_by_key(|(number, count)| (std::cmp::Reverse(*count), *number));
        Self {
            tally: open.then_some(sorted),
            blank: if open { constituency.blank } else { 0 },
            lots: seed.map(|seed| lots_proof(constituency, tally, &draw(seed))),
        }
    }
}

/// Whether the lots of this municipality are public now, and with them the seed of the election: drawn where a seat
/// depended on them, or, once confirmed, where they order deputies.
pub fn shows_lots(election: &Election, constituency: &Constituency, tally: &Tally) -> bool {
    let confirmed = constituency.confirmed.is_some() && election.phase == Phase::Confirmed;
    let drawn = constituency.lots_drawn && tally.tie(constituency.seats).is_some();
    !constituency.uncontested && (drawn || confirmed && tally.deputies_need_lots(constituency.seats))
}

fn lots_proof(constituency: &Constituency, tally: &Tally, draw: &Draw<'_>) -> LotsProof {
    let tie = tally.tie(constituency.seats).filter(|_| constituency.lots_drawn);
    LotsProof {
        municipality: constituency.municipality,
        seed: draw.seed.reveal(),
        witness: draw.witness.clone(),
        order: tie.as_ref().map(|tie| tie.order(draw)).unwrap_or_default(),
        seats_left: tie.map_or(0, |tie| tie.seats_left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenario_1_shares_are_rounded_half_away_from_zero() {
        assert_eq!(basis_points(27, 28), 9643);
        assert_eq!(basis_points(28, 28), 10_000);
        assert_eq!(basis_points(83, 100), 8300);
        assert_eq!(basis_points(39, 46), 8478);
        assert_eq!(basis_points(33, 41), 8049);
        assert_eq!(basis_points(11, 13), 8462);
        assert_eq!(basis_points(1, 20_000), 1, "half a basis point goes up");
        assert_eq!(basis_points(1, 20_001), 0);
        assert_eq!(basis_points(0, 0), 0);
    }
}
