//! How often a linking by pure chance is right, and from where on it is not chance.
//!
//! An attacker who knows nothing and links n voters to n different ballots one to one is right for as many of them as a
//! random permutation has fixed points. All factorial moments of that number up to the n-th are 1, like those of a
//! Poisson variable with mean 1, and the later ones are 0; so for z ≥ 0 its generating function E\[(1+z)^X\] is at most
//! e^z. For the sum S over b independent boxes Chernoff's bound therefore is, with t > b,
//!
//! ```text
//! P(S ≥ t) ≤ exp(t − b) · (b / t)^t
//! ```
//!
//! which holds exactly, not only for large n; and for an attacker who leaves voters out too, whose factorial moments are
//! smaller.

/// The smallest number of right links over `boxes` boxes that, tried with `strategies` strategies, pure chance reaches
/// with any of them in less than `false_alarm` of all runs.
pub(super) fn bound(boxes: usize, strategies: usize, false_alarm: f64) -> usize {
    let share = false_alarm / strategies as f64;
    let least = boxes + 1;
    (least..).find(|hits| tail(boxes, *hits) <= share).expect("the tail falls to zero")
}

/// Chernoff's bound for `hits` right links or more over `boxes` boxes.
fn tail(boxes: usize, hits: usize) -> f64 {
    let (boxes, hits) = (boxes as f64, hits as f64);
    (hits - boxes + hits * (boxes / hits).ln()).exp()
}

#[cfg(test)]
mod tests {
    use rand::seq::SliceRandom as _;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn chance_stays_below_the_bound_and_knowledge_does_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (boxes, voters, runs) = (24, 16, 2_000);
        let mut most = 0;
        for _ in 0..runs {
            let mut hits = 0;
            for _ in 0..boxes {
                let mut guess: Vec<usize> = (0..voters).collect();
                guess.shuffle(&mut rng);
                hits += guess.iter().enumerate().filter(|(voter, ballot)| voter == *ballot).count();
            }
            most = most.max(hits);
        }
        let bound = bound(boxes, 1_000, 1e-6);
        assert!(most < bound, "chance reached {most}, the bound is {bound}");
        // One in five links known is enough to be noticed.
        assert!(bound < boxes * voters / 5 + boxes, "a bound of {bound} notices nothing");
    }

    #[test]
    fn the_bound_is_not_below_the_exact_tail() {
        // One box of many voters: P(X ≥ 4) of a Poisson variable with mean 1 is 0.018988…
        assert!(tail(1, 4) >= 0.018_988);
        assert!(tail(1, 4) < 0.1);
    }
}
