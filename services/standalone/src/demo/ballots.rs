//! Ballots that add up to given totals.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Why there are no such ballots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// A ballot approves a candidate once at most.
    #[error("a candidate has more approvals than there are ballots")]
    MoreThanBallots,
    /// All ballots together have fewer places.
    #[error("there are more approvals than all ballots may hold")]
    MoreThanPlaces,
}

/// Makes `ballots` ballots, each a list of candidates (by their place in `totals`), so that candidate `i` is approved
/// `totals[i]` times and no ballot approves more than `most` candidates or one of them twice.
///
/// The approvals are dealt like cards, candidate by candidate, round and round the ballots. A candidate never comes
/// twice to one ballot, because nobody has more approvals than there are ballots; and no ballot gets more than its
/// share of the whole, rounded up. The ballots are then shuffled by the seed.
///
/// # Errors
/// [`Impossible`] exactly when no such ballots exist.
pub fn ballots_for(
    totals: &[u32],
    ballots: usize,
    most: usize,
    seed: u64,
) -> Result<Vec<Vec<usize>>, Impossible> {
    let approvals =
        totals.iter().enumerate().flat_map(|(candidate, total)| (0..*total).map(move |_| candidate));
    let whole: u64 = totals.iter().copied().map(u64::from).sum();
    if totals.iter().any(|total| u64::from(*total) > ballots as u64) {
        return Err(Impossible::MoreThanBallots);
    }
    if whole > ballots as u64 * most as u64 {
        return Err(Impossible::MoreThanPlaces);
    }
    let mut dealt = vec![Vec::new(); ballots];
    for (card, candidate) in approvals.enumerate() {
        dealt[card % ballots].push(candidate);
    }
    dealt.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    Ok(dealt)
}
