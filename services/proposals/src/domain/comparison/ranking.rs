//! The order of a round's ideas: by which score, how sure, and what may be said beside it.
//!
//! Win share is what people understand, and is fair as long as all ideas were compared about as often. Where they were
//! not, or where ideas joined while others had been compared already, an idea may have met weak ones only; then the
//! order follows the Bradley–Terry strengths.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::IdeaNo;
use super::scores::float;
use super::strength::{self, Group};
use super::sums::PairSums;

/// Strengths that differ by less than this part share a rank: they are found to some 1e-12.
const SAME: f64 = 1e-9;
/// Counts of comparisons that differ by no more are balanced, however few there are.
const ALWAYS_BALANCED: u64 = 2;

/// Which score the order follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Wins divided by comparisons.
    WinShare,
    /// Bradley–Terry strength.
    BradleyTerry,
}

impl Basis {
    /// Both.
    pub const ALL: [Basis; 2] = [Basis::WinShare, Basis::BradleyTerry];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Basis::WinShare => "win_share",
            Basis::BradleyTerry => "bradley_terry",
        }
    }
}

/// One idea in a ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The idea.
    pub idea: IdeaNo,
    /// Place within its group, from 1; equal ones share it. None for an idea that was never compared.
    pub rank: Option<u32>,
    /// Group of ideas that comparisons link, from 1; 0 for an idea that was never compared.
    pub group: u32,
    /// How often it won.
    pub wins: u64,
    /// How often it was compared.
    pub comparisons: u64,
    /// Bradley–Terry strength; all of them add up to 1. None where there is more than one group, or where it is not
    /// known who met whom.
    pub strength: Option<f64>,
}

/// The order of a round's ideas.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// Which score it follows.
    pub basis: Basis,
    /// True if the comparisons do not link all ideas both ways, or not about as often where who met whom is not known: more
    /// of them could turn the order round.
    pub provisional: bool,
    /// How many groups there are that nothing links. With more than one there is no overall order.
    pub groups: u32,
    /// The ideas: group by group, in each by rank, then by number; those never compared at the end.
    pub standings: Vec<Standing>,
}

/// Ranks these ideas by who won over whom. `joined_late`: ideas joined while others were compared already.
pub fn rank(ideas: &[IdeaNo], sums: &PairSums, joined_late: bool) -> Ranking {
    let groups = strength::groups(sums);
    let counts: BTreeMap<IdeaNo, (u64, u64)> = ideas.iter().map(|idea| (*idea, sums.of(*idea))).collect();
    let balanced = is_balanced(counts.values().map(|(_, comparisons)| *comparisons));
    let basis = if joined_late || !balanced { Basis::BradleyTerry } else { Basis::WinShare };
    let mut standings = Vec::with_capacity(ideas.len());
    for (group, number) in groups.iter().zip(1..) {
        standings.extend(in_group(group, number, basis, &counts));
    }
    if groups.len() > 1 {
        standings.iter_mut().for_each(|standing| standing.strength = None);
    }
    standings.extend(never_compared(&counts));
    let uncompared = counts.values().any(|(_, comparisons)| *comparisons == 0);
    let provisional = uncompared || groups.len() > 1 || groups.iter().any(|group| group.provisional);
    Ranking { basis, provisional, groups: u32::try_from(groups.len()).unwrap_or(u32::MAX), standings }
}

/// Ranks ideas of which only wins and comparisons are known, by win share.
pub fn rank_by_share(counts: &BTreeMap<IdeaNo, (u64, u64)>) -> Ranking {
    let compared = counts.iter().filter(|(_, (_, comparisons))| *comparisons > 0);
    let mut standings: Vec<Standing> =
        compared.map(|(idea, (wins, comparisons))| standing(*idea, 1, *wins, *comparisons)).collect();
    place(&mut standings, Basis::WinShare);
    let groups = u32::from(!standings.is_empty());
    standings.extend(never_compared(counts));
    let uncompared = standings.iter().any(|standing| standing.comparisons == 0);
    let provisional = uncompared || !is_balanced(counts.values().map(|(_, comparisons)| *comparisons));
    Ranking { basis: Basis::WinShare, provisional, groups, standings }
}

/// How many ideas have another place in the other of two rankings of the same ideas.
pub fn moved(one: &Ranking, other: &Ranking) -> u32 {
    let places = |ranking: &Ranking| -> BTreeMap<IdeaNo, (u32, Option<u32>)> {
        ranking.standings.iter().map(|standing| (standing.idea, (standing.group, standing.rank))).collect()
    };
    let (one, other) = (places(one), places(other));
    let moved = one.iter().filter(|(idea, place)| other.get(idea) != Some(place)).count();
    u32::try_from(moved).unwrap_or(u32::MAX)
}

/// Whether all ideas were compared about as often: the counts differ by a tenth of their mean at most.
fn is_balanced(counts: impl Iterator<Item = u64> + Clone) -> bool {
    let (least, most) = (counts.clone().min().unwrap_or(0), counts.clone().max().unwrap_or(0));
    let (sum, ideas) = counts.fold((0, 0_u64), |(sum, ideas), count| (sum + count, ideas + 1));
    let apart = most - least;
    apart <= ALWAYS_BALANCED || float(apart) * float(ideas) <= float(sum) / 10.0
}

fn in_group(
    group: &Group,
    number: u32,
    basis: Basis,
    counts: &BTreeMap<IdeaNo, (u64, u64)>,
) -> Vec<Standing> {
    let mut standings: Vec<Standing> = group
        .strengths
        .iter()
        .map(|(idea, strength)| {
            let (wins, comparisons) = counts.get(idea).copied().unwrap_or_default();
            Standing { strength: Some(*strength), ..standing(*idea, number, wins, comparisons) }
        })
        .collect();
    place(&mut standings, basis);
    standings
}

fn standing(idea: IdeaNo, group: u32, wins: u64, comparisons: u64) -> Standing {
    Standing { idea, rank: None, group, wins, comparisons, strength: None }
}

fn never_compared(counts: &BTreeMap<IdeaNo, (u64, u64)>) -> Vec<Standing> {
    let never = counts.iter().filter(|(_, (_, comparisons))| *comparisons == 0);
    never.map(|(idea, _)| standing(*idea, 0, 0, 0)).collect()
}

/// Sorts the ideas of a group and gives them their ranks: equal ones the same, the next one the place it stands at.
fn place(standings: &mut [Standing], basis: Basis) {
    let better = |one: &Standing, other: &Standing| match basis {
        Basis::WinShare => by_share(one, other),
        Basis::BradleyTerry => by_strength(one, other),
    };
    // By the score alone first: what counts as equal is not transitive for strengths.
    standings.sort_by(|one, other| {
        let exactly = match basis {
            Basis::WinShare => by_share(one, other),
            Basis::BradleyTerry => other.strength.partial_cmp(&one.strength).unwrap_or(Ordering::Equal),
        };
        exactly.then(one.idea.cmp(&other.idea))
    });
    let mut rank = 0;
    for index in 0..standings.len() {
        let equal = index > 0 && better(&standings[index - 1], &standings[index]) == Ordering::Equal;
        if !equal {
            rank = u32::try_from(index + 1).unwrap_or(u32::MAX);
        }
        standings[index].rank = Some(rank);
    }
}

/// The greater share first; exactly, in whole numbers.
fn by_share(one: &Standing, other: &Standing) -> Ordering {
    let across = |wins: u64, comparisons: u64| u128::from(wins) * u128::from(comparisons);
    across(other.wins, one.comparisons).cmp(&across(one.wins, other.comparisons))
}

fn by_strength(one: &Standing, other: &Standing) -> Ordering {
    let (first, second) = (one.strength.unwrap_or(0.0), other.strength.unwrap_or(0.0));
    if (first - second).abs() <= SAME * first.max(second) {
        return Ordering::Equal;
    }
    second.partial_cmp(&first).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests;
