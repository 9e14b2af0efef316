//! Notices: that something waits in the service, without saying what. At most one a person a day.

use std::collections::BTreeSet;

use kernel::Date;

/// The day on which a new notice reaches the person: today, or the first day after on which no other notice does.
/// `taken` are the days that have one. The rest of a burst trickles out one a day.
pub fn delivery_day(taken: &BTreeSet<Date>, today: Date) -> Date {
    let mut day = today;
    while taken.contains(&day) {
        let Some(next) = day.next_day() else { return day };
        day = next;
    }
    day
}

/// Where the e-mail or letter of a notice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// On its way.
    Waiting,
    /// Taken by the mail server; printed.
    Done,
    /// Did not get through: the notice is in the service only.
    Failed,
}

impl Delivery {
    /// Every state.
    pub const ALL: [Delivery; 3] = [Delivery::Waiting, Delivery::Done, Delivery::Failed];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Delivery::Waiting => "waiting",
            Delivery::Done => "done",
            Delivery::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    proptest! {
        #[test]
        fn one_notice_a_person_a_day(mut steps in proptest::collection::vec(0i64..40, 1..40)) {
            steps.sort_unstable();
            let mut taken = BTreeSet::new();
            for offset in steps {
                let today = date!(2026 - 03 - 02) + time::Duration::days(offset);
                let day = delivery_day(&taken, today);
                prop_assert!(day >= today);
                prop_assert!(taken.insert(day), "two notices on {day}");
            }
        }
    }

    #[test]
    fn the_second_of_a_day_waits_until_the_next() {
        let today = date!(2026 - 03 - 02);
        assert_eq!(delivery_day(&BTreeSet::new(), today), today);
        assert_eq!(delivery_day(&BTreeSet::from([today]), today), date!(2026 - 03 - 03));
    }
}
