//! Rankings by municipality: only where so many took part that no single one can be seen through them, and so that what
//! is not told cannot be found by subtracting what is told from the whole.
//!
//! Sessions are not persons: whoever wants to can begin several, and name any municipality. So the threshold is ten times
//! that of a count of people, and of a municipality ranks are told only: whoever knows all answers but one cannot take
//! theirs away from a rank.

use kernel::{Date, MunicipalityCode, Policies, PolicyKey};

/// How many times as many sessions as a count of people needs (policy `small_cell`) a ranking of a municipality needs.
pub const SESSIONS_PER_PERSON: u64 = 10;

/// How many compared in a municipality, by their own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// Sessions that compared at least once.
    pub sessions: u64,
    /// Comparisons.
    pub comparisons: u64,
}

/// What a ranking needs to be told at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Least {
    /// Sessions of a municipality.
    pub sessions: u64,
    /// Comparisons (policy `ranking_comparisons`).
    pub comparisons: u64,
}

impl Least {
    /// As a county's policies have it.
    pub fn by(policies: &Policies, today: Date) -> Self {
        let on = |key| u64::from(policies.on(today, key));
        Self {
            sessions: SESSIONS_PER_PERSON * on(PolicyKey::SmallCell),
            comparisons: on(PolicyKey::RankingComparisons),
        }
    }
}

/// The municipalities whose ranking may be told, in the order of their codes. `unnamed` is the number of sessions that
/// named no municipality: they hide those of small ones, as long as they are enough.
pub fn published(places: &[Place], unnamed: u64, least: Least) -> Vec<MunicipalityCode> {
    let enough = |place: &&Place| place.sessions >= least.sessions && place.comparisons >= least.comparisons;
    let mut told: Vec<Place> = places.iter().filter(enough).copied().collect();
    let all: u64 = places.iter().map(|place| place.sessions).sum::<u64>() + unnamed;
    // The smallest go first; of equal ones the last by code.
    told.sort_by_key(|place| (std::cmp::Reverse(place.sessions), place.municipality));
    loop {
        let hidden = all - told.iter().map(|place| place.sessions).sum::<u64>();
        if hidden == 0 || hidden >= least.sessions || told.pop().is_none() {
            break;
        }
    }
    let mut codes: Vec<MunicipalityCode> = told.into_iter().map(|place| place.municipality).collect();
    codes.sort();
    codes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEAST: Least = Least { sessions: 5, comparisons: 30 };

    fn place(code: &str, sessions: u64, comparisons: u64) -> Place {
        Place { municipality: MunicipalityCode::new(code).unwrap(), sessions, comparisons }
    }

    fn told(places: &[Place], unnamed: u64) -> Vec<&'static str> {
        published(places, unnamed, LEAST).iter().map(MunicipalityCode::as_str).collect()
    }

    #[test]
    fn a_municipality_needs_ten_times_the_sessions_of_a_small_cell() {
        let today = kernel::deadline::parse_date("2026-10-01").unwrap();
        let least = Least::by(&Policies::default(), today);
        assert_eq!(least, Least { sessions: 50, comparisons: 30 });
        assert!(published(&[place("139", 49, 400)], 0, least).is_empty());
        assert_eq!(published(&[place("139", 50, 400)], 0, least).len(), 1);
    }

    #[test]
    fn a_municipality_needs_sessions_and_comparisons() {
        let places = [place("139", 12, 100), place("615", 4, 60), place("785", 9, 29), place("889", 5, 30)];
        assert_eq!(told(&places, 0), ["139", "889"]);
    }

    #[test]
    fn a_small_one_alone_takes_the_next_smallest_with_it() {
        let places = [place("139", 12, 100), place("615", 4, 60), place("889", 5, 30)];
        assert_eq!(told(&places, 0), ["139"], "else 615 is the whole without the other two");
        assert_eq!(told(&places, 1), ["139", "889"], "somebody without a municipality hides it");
    }

    #[test]
    fn where_all_are_large_enough_all_are_told() {
        let places = [place("139", 12, 100), place("889", 5, 30)];
        assert_eq!(told(&places, 0), ["139", "889"]);
        assert_eq!(told(&places, 2), ["139"], "two without a municipality must not be seen either");
        assert_eq!(told(&[], 9), Vec::<&str>::new());
    }

    proptest! {
        #[test]
        fn what_is_not_told_is_nobody_or_enough(
            sizes in proptest::collection::vec((0_u64..12, 0_u64..90), 0..8), unnamed in 0_u64..12,
        ) {
            let codes = ["139", "615", "785", "889", "751", "564", "009", "069"];
            let places: Vec<Place> =
                sizes.iter().zip(codes).map(|((sessions, comparisons), code)| place(code, *sessions, *comparisons)).collect();
            let told = published(&places, unnamed, LEAST);
            let hidden: u64 = unnamed
                + places.iter().filter(|one| !told.contains(&one.municipality)).map(|one| one.sessions).sum::<u64>();
            prop_assert!(told.is_empty() || hidden == 0 || hidden >= 5);
            for one in places.iter().filter(|one| told.contains(&one.municipality)) {
                prop_assert!(one.sessions >= 5 && one.comparisons >= 30);
            }
        }
    }
}
