//! Finnish holy days and the other days on which no deadline ends.
//!
//! No kept crate lists them as act 150/1930 needs them (what exists are bankers' calendars, and those skip the
//! holy days that fall on a Saturday anyway). The rules are few and fixed; only Easter comes from a crate.

use time::{Date, Duration, Month, Weekday};

/// Whether this is a holy day (pyhäpäivä): a Sunday or a feast of the church, movable or fixed, as celebrated
/// since 1992.
pub fn is_holy_day(date: Date) -> bool {
    if date.weekday() == Weekday::Sunday {
        return true;
    }
    match (date.month(), date.day()) {
        // New Year's Day, Epiphany, Christmas Day, St Stephen's Day.
        (Month::January, 1 | 6) | (Month::December, 25 | 26) => true,
        // Midsummer Day: the Saturday between 20 and 26 June.
        (Month::June, 20..=26) => date.weekday() == Weekday::Saturday,
        // All Saints' Day: the Saturday between 31 October and 6 November.
        (Month::October, 31) | (Month::November, 1..=6) => date.weekday() == Weekday::Saturday,
        _ => is_feast_of_easter(date),
    }
}

/// Good Friday, Easter Monday and Ascension Day (Easter and Pentecost are Sundays).
fn is_feast_of_easter(date: Date) -> bool {
    easter_sunday(date.year()).is_some_and(|easter| matches!((date - easter).whole_days(), -2 | 1 | 39))
}

/// Easter Sunday of the year. None before 1583, where the Gregorian calendar does not reach.
pub fn easter_sunday(year: i32) -> Option<Date> {
    let easter = computus::gregorian(year).ok()?;
    let month = Month::try_from(u8::try_from(easter.month).ok()?).ok()?;
    Date::from_calendar_date(easter.year, month, u8::try_from(easter.day).ok()?).ok()
}

/// Whether a deadline cannot end on this day: Saturday, holy day, Independence Day, 1 May, Christmas Eve or
/// Midsummer Eve (act 150/1930 5 §; MAA-1).
pub fn is_non_working_day(date: Date) -> bool {
    if date.weekday() == Weekday::Saturday || is_holy_day(date) {
        return true;
    }
    match (date.month(), date.day()) {
        (Month::May, 1) | (Month::December, 6 | 24) => true,
        // Midsummer Eve: the Friday between 19 and 25 June.
        (Month::June, 19..=25) => date.weekday() == Weekday::Friday,
        _ => false,
    }
}

/// This day if a deadline may end on it, else the first working day after it (act 150/1930 5 §).
pub fn working_day_from(date: Date) -> Date {
    let mut day = date;
    while is_non_working_day(day) {
        day = day.saturating_add(Duration::DAY);
        if day == Date::MAX {
            break;
        }
    }
    day
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    /// The days of a year on which no deadline ends, weekends left out.
    fn weekdays_off(year: i32) -> Vec<Date> {
        let first = Date::from_ordinal_date(year, 1).unwrap();
        let days =
            (0..).map(|day| first.saturating_add(Duration::days(day))).take_while(|day| day.year() == year);
        days.filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday))
            .filter(|day| is_non_working_day(*day))
            .collect()
    }

    #[test]
    fn maa_1_weekdays_off_in_2026() {
        assert_eq!(
            weekdays_off(2026),
            [
                date!(2026 - 01 - 01),
                date!(2026 - 01 - 06),
                date!(2026 - 04 - 03), // Good Friday
                date!(2026 - 04 - 06), // Easter Monday
                date!(2026 - 05 - 01),
                date!(2026 - 05 - 14), // Ascension Day
                date!(2026 - 06 - 19), // Midsummer Eve
                date!(2026 - 12 - 24),
                date!(2026 - 12 - 25),
            ],
            "Independence Day is a Sunday and St Stephen's Day a Saturday"
        );
    }

    #[test]
    fn maa_1_weekdays_off_in_2027() {
        assert_eq!(
            weekdays_off(2027),
            [
                date!(2027 - 01 - 01),
                date!(2027 - 01 - 06),
                date!(2027 - 03 - 26),
                date!(2027 - 03 - 29),
                date!(2027 - 05 - 06),
                date!(2027 - 06 - 25),
                date!(2027 - 12 - 06),
                date!(2027 - 12 - 24),
            ]
        );
    }

    #[test]
    fn easter_falls_as_published() {
        for (year, easter) in [
            (2008, date!(2008 - 03 - 23)),
            (2011, date!(2011 - 04 - 24)),
            (2024, date!(2024 - 03 - 31)),
            (2025, date!(2025 - 04 - 20)),
            (2026, date!(2026 - 04 - 05)),
            (2038, date!(2038 - 04 - 25)),
        ] {
            assert_eq!(easter_sunday(year), Some(easter));
        }
        assert_eq!(easter_sunday(-1), None);
    }

    #[test]
    fn holy_days_that_fall_on_a_saturday_are_holy_days() {
        for day in
            [date!(2026 - 06 - 20), date!(2025 - 11 - 01), date!(2026 - 10 - 31), date!(2026 - 12 - 26)]
        {
            assert_eq!(day.weekday(), Weekday::Saturday);
            assert!(is_holy_day(day), "{day}");
        }
        assert!(!is_holy_day(date!(2026 - 06 - 19)), "Midsummer Eve is off, but not holy");
        assert!(!is_holy_day(date!(2026 - 12 - 24)), "Christmas Eve is off, but not holy");
        assert!(!is_holy_day(date!(2026 - 06 - 27)), "the Saturday after Midsummer");
        assert!(!is_holy_day(date!(2026 - 11 - 07)), "the Saturday after All Saints'");
    }

    #[test]
    fn days_that_are_free_by_custom_only_are_working_days() {
        assert!(!is_non_working_day(date!(2026 - 12 - 31)), "New Year's Eve");
        assert!(!is_non_working_day(date!(2026 - 04 - 02)), "Maundy Thursday");
    }

    proptest! {
        #[test]
        fn a_working_day_is_found_within_a_week(ordinal in -400_000_i32..2_900_000) {
            let day = Date::from_julian_day(2_400_000 + ordinal).unwrap();
            let found = working_day_from(day);
            prop_assert!(!is_non_working_day(found) && found >= day);
            prop_assert!((found - day).whole_days() <= 6);
            let mut between = day;
            while between < found {
                prop_assert!(is_non_working_day(between));
                between = between.next_day().unwrap();
            }
            prop_assert_eq!(working_day_from(found), found);
        }

        #[test]
        fn midsummer_is_one_friday_and_one_saturday_a_year(year in 1992_i32..3000) {
            let june = |day| Date::from_calendar_date(year, Month::June, day).unwrap();
            let eves: Vec<u8> = (1..=30)
                .filter(|day| june(*day).weekday() == Weekday::Friday && is_non_working_day(june(*day)))
                .collect();
            prop_assert_eq!(eves.len(), 1);
            prop_assert!((19..=25).contains(&eves[0]));
            prop_assert!(is_holy_day(june(eves[0]).next_day().unwrap()));
        }
    }

    #[test]
    fn the_end_of_the_calendar_does_not_hang() {
        assert_eq!(working_day_from(Date::MAX).year(), 9999);
    }
}
