//! Win share: how often an idea won of the times it was compared, and how sure that is.

/// The quantile of the normal distribution that leaves 2.5 % above it.
const Z: f64 = 1.959_963_984_540_054;

/// Wins in a hundred comparisons as a fraction from 0 to 1; none for an idea that was never compared.
pub fn win_share(wins: u64, comparisons: u64) -> Option<f64> {
    (comparisons > 0).then(|| float(wins) / float(comparisons))
}

/// The 95 % Wilson score interval of a win share, as fractions from 0 to 1; none without comparisons.
pub fn wilson(wins: u64, comparisons: u64) -> Option<(f64, f64)> {
    let n = float(comparisons);
    let share = win_share(wins, comparisons)?;
    let widened = 1.0 + Z * Z / n;
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    // At the ends the formula gives 0 and 1 but for rounding.
    let least = if wins == 0 { 0.0 } else { (middle - half) / widened };
    let most = if wins == comparisons { 1.0 } else { (middle + half) / widened };
    Some((least, most))
}

/// A count as a number to divide by.
#[expect(clippy::cast_precision_loss, reason = "counts of comparisons are far below 2^52")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_idea_that_was_never_compared_has_no_share() {
        assert_eq!((win_share(0, 0), wilson(0, 0)), (None, None));
    }

    #[test]
    fn the_interval_of_89_wins_of_140_is_known() {
        let (least, most) = wilson(89, 140).unwrap();
        assert_eq!((format!("{least:.4}"), format!("{most:.4}")), ("0.5534".to_owned(), "0.7108".to_owned()));
    }

    #[test]
    fn the_interval_ends_where_nothing_or_everything_was_won() {
        assert_eq!(wilson(0, 10).unwrap().0, 0.0);
        assert_eq!(wilson(10, 10).unwrap().1, 1.0);
    }

    proptest! {
        #[test]
        fn the_share_lies_in_its_interval_and_the_interval_in_what_can_be(
            comparisons in 1_u64..1_000_000, part in 0.0..=1.0_f64,
        ) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a count")]
            let wins = ((float(comparisons) * part) as u64).min(comparisons);
            let (least, most) = wilson(wins, comparisons).unwrap();
            let share = win_share(wins, comparisons).unwrap();
            prop_assert!(0.0 <= least && least <= share && share <= most && most <= 1.0, "{least} {share} {most}");
            // What is lost is the mirror image of what is won.
            let (mirrored, _) = wilson(comparisons - wins, comparisons).unwrap();
            prop_assert!((1.0 - most - mirrored).abs() < 1e-12);
        }
    }
}
