//! Counts of people in coarse steps, for events and pages that must not tell small numbers (SEC-34).

use std::fmt;

/// A count of people, told only coarsely: "0", "1–4", "5–9", "10–19", "20–49" or "50+".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CountBucket {
    /// None.
    Zero,
    /// 1 to 4.
    OneToFour,
    /// 5 to 9.
    FiveToNine,
    /// 10 to 19.
    TenToNineteen,
    /// 20 to 49.
    TwentyToFortyNine,
    /// 50 or more.
    FiftyOrMore,
}

impl CountBucket {
    /// The bucket of this count.
    pub fn of(count: u64) -> Self {
        match count {
            0 => CountBucket::Zero,
            1..=4 => CountBucket::OneToFour,
            5..=9 => CountBucket::FiveToNine,
            10..=19 => CountBucket::TenToNineteen,
            20..=49 => CountBucket::TwentyToFortyNine,
            50.. => CountBucket::FiftyOrMore,
        }
    }

    /// The text in events and on pages; the ranges have an en dash.
    pub fn as_str(self) -> &'static str {
        match self {
            CountBucket::Zero => "0",
            CountBucket::OneToFour => "1–4",
            CountBucket::FiveToNine => "5–9",
            CountBucket::TenToNineteen => "10–19",
            CountBucket::TwentyToFortyNine => "20–49",
            CountBucket::FiftyOrMore => "50+",
        }
    }
}

impl fmt::Display for CountBucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_edge_falls_into_its_bucket() {
        let edges = [
            (0, "0"),
            (1, "1–4"),
            (4, "1–4"),
            (5, "5–9"),
            (9, "5–9"),
            (10, "10–19"),
            (19, "10–19"),
            (20, "20–49"),
            (49, "20–49"),
            (50, "50+"),
            (u64::MAX, "50+"),
        ];
        for (count, text) in edges {
            assert_eq!(CountBucket::of(count).to_string(), text);
        }
    }

    #[test]
    fn more_people_are_never_a_smaller_bucket() {
        assert!((0..100).map(CountBucket::of).is_sorted());
    }
}
