//! Deadlines: the one calculator for statutory and policy deadlines (act 150/1930, MAA-1), in Europe/Helsinki.
//!
//! A deadline is a *day*, and what is due may be done until that day ends in Finland. The day from which a period
//! runs is not counted (2 §). A period of months ends on the day with the same number, or the last day of a month
//! that has no such day (3 §). A period that would end on a day off ends on the next working day (5 §).

use time::format_description::well_known::Iso8601;
use time::{Date, Duration, Month, OffsetDateTime, Time, UtcOffset};
use tzdb_data::time_zone::europe::HELSINKI;

use crate::{Invalid, Timestamp};

pub use crate::holiday::{is_non_working_day, working_day_from};

/// Reads a day written as "2026-03-01"; [`Invalid`] for any other form and for days that do not exist.
pub fn parse_date(text: &str) -> Result<Date, Invalid> {
    let date = Date::parse(text, &Iso8601::DATE).ok();
    // The standard allows other forms too (week dates, no hyphens); one day has one spelling here.
    date.filter(|date| date.to_string() == text)
        .ok_or_else(|| Invalid::new("a day is written year-month-day", "send for example \"2026-03-01\""))
}

/// The day so many calendar days later (or earlier, if negative), working day or not.
pub fn add_days(date: Date, days: i32) -> Date {
    date.saturating_add(Duration::days(days.into()))
}

/// The day so many months later with the same number, or the last day of a month that has no such day
/// (act 150/1930 3 §), working day or not.
pub fn add_months(date: Date, months: u32) -> Date {
    let first = date.month() as i64 - 1;
    let total = i64::from(date.year()) * 12 + first + i64::from(months);
    let ordinal = u8::try_from(total.rem_euclid(12) + 1).ok();
    let month = ordinal.and_then(|number| Month::try_from(number).ok());
    let year = i32::try_from(total.div_euclid(12)).ok();
    let (Some(month), Some(year)) = (month, year) else { return Date::MAX };
    let day = date.day().min(month.length(year));
    Date::from_calendar_date(year, month, day).unwrap_or(Date::MAX)
}

/// The last day of a period of so many days that runs from `date`: 20.4.2026 and 60 days give 19.6.2026, which is
/// Midsummer Eve, so Monday 22.6.2026.
pub fn due_after_days(date: Date, days: u32) -> Date {
    working_day_from(date.saturating_add(Duration::days(days.into())))
}

/// The last day of a period of so many months that runs from `date`: 31.1.2027 and one month give Sunday
/// 28.2.2027, so Monday 1.3.2027.
pub fn due_after_months(date: Date, months: u32) -> Date {
    working_day_from(add_months(date, months))
}

/// The first moment of this day in Finland.
pub fn start_of_day(date: Date) -> Timestamp {
    let midnight = Timestamp::from(date.with_time(Time::MIDNIGHT).assume_utc());
    // The offset is needed to find the moment, and the moment to find the offset. Clocks change after midnight, and
    // in 1981 and 1982 they did so at 00:00 UTC sharp, so the offset is read at the first guess, which lies before.
    let guess = midnight - offset_at(midnight);
    midnight - offset_at(guess)
}

/// The last moment of this day in Finland, a microsecond before the next day: what is due on the day may be done
/// at this moment still.
pub fn end_of_day(date: Date) -> Timestamp {
    match date.next_day() {
        Some(next) => start_of_day(next) - Duration::MICROSECOND,
        None => Timestamp::MAX,
    }
}

/// The moment as a calendar time in Finland.
pub(crate) fn to_helsinki(at: Timestamp) -> OffsetDateTime {
    let offset = i32::try_from(offset_at(at).whole_seconds()).unwrap_or(0);
    let offset = UtcOffset::from_whole_seconds(offset).unwrap_or(UtcOffset::UTC);
    at.to_offset().checked_to_offset(offset).unwrap_or(at.to_offset())
}

/// How far ahead of UTC Finland's clocks are at this moment: two hours, or three in summer.
fn offset_at(at: Timestamp) -> Duration {
    // The compiled-in zone answers for every moment; two hours is the law's standard time.
    let seconds = HELSINKI.find_local_time_type(at.as_seconds()).map_or(7_200, |local| local.ut_offset());
    Duration::seconds(seconds.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::{date, datetime};

    use super::*;

    #[test]
    fn maa_1_a_supplementary_election_of_20_4_2026_is_due_on_22_6_2026() {
        assert_eq!(add_days(date!(2026 - 04 - 20), 60), date!(2026 - 06 - 19), "which is Midsummer Eve");
        assert_eq!(due_after_days(date!(2026 - 04 - 20), 60), date!(2026 - 06 - 22), "Monday");
    }

    #[test]
    fn maa_1_days_that_end_on_a_day_off_move_on() {
        let due = [
            (date!(2026 - 11 - 06), 30, date!(2026 - 12 - 07)), // Sunday 6.12., Independence Day
            (date!(2026 - 10 - 12), 30, date!(2026 - 11 - 11)), // a Wednesday stays
            (date!(2026 - 08 - 31), 30, date!(2026 - 09 - 30)),
            (date!(2026 - 12 - 10), 14, date!(2026 - 12 - 28)), // Christmas Eve, then a long weekend
            (date!(2026 - 03 - 20), 14, date!(2026 - 04 - 07)), // Good Friday, then Easter Monday
            (date!(2026 - 04 - 24), 7, date!(2026 - 05 - 04)),  // 1 May, a Friday
            (date!(2026 - 03 - 02), 0, date!(2026 - 03 - 02)),
        ];
        for (from, days, expected) in due {
            assert_eq!(due_after_days(from, days), expected, "{from} and {days} days");
        }
    }

    #[test]
    fn maa_1_months_end_on_the_same_number_or_the_last_day() {
        let ends = [
            (date!(2027 - 01 - 31), 1, date!(2027 - 02 - 28)),
            (date!(2028 - 01 - 31), 1, date!(2028 - 02 - 29)),
            (date!(2026 - 08 - 31), 6, date!(2027 - 02 - 28)),
            (date!(2026 - 05 - 15), 24, date!(2028 - 05 - 15)),
            (date!(2026 - 12 - 31), 1, date!(2027 - 01 - 31)),
            (date!(2026 - 03 - 31), 3, date!(2026 - 06 - 30)),
            (date!(2026 - 03 - 31), 0, date!(2026 - 03 - 31)),
            (date!(2024 - 02 - 29), 12, date!(2025 - 02 - 28)),
        ];
        for (from, months, expected) in ends {
            assert_eq!(add_months(from, months), expected, "{from} and {months} months");
        }
    }

    #[test]
    fn maa_1_months_that_end_on_a_day_off_move_on() {
        assert_eq!(
            due_after_months(date!(2027 - 01 - 31), 1),
            date!(2027 - 03 - 01),
            "a request for one's data"
        );
        assert_eq!(
            due_after_months(date!(2026 - 08 - 31), 6),
            date!(2027 - 03 - 01),
            "six months from filing"
        );
        assert_eq!(due_after_months(date!(2026 - 04 - 01), 1), date!(2026 - 05 - 04), "1 May is a Friday");
    }

    #[test]
    fn a_day_in_finland_begins_at_local_midnight() {
        let starts = [
            (date!(2026 - 01 - 15), datetime!(2026-01-14 22:00 UTC)),
            (date!(2026 - 07 - 15), datetime!(2026-07-14 21:00 UTC)),
            // Summer time begins on 29.3.2026 at 03:00 and ends on 25.10.2026 at 04:00.
            (date!(2026 - 03 - 29), datetime!(2026-03-28 22:00 UTC)),
            (date!(2026 - 03 - 30), datetime!(2026-03-29 21:00 UTC)),
            (date!(2026 - 10 - 25), datetime!(2026-10-24 21:00 UTC)),
            (date!(2026 - 10 - 26), datetime!(2026-10-25 22:00 UTC)),
            (date!(1981 - 03 - 29), datetime!(1981-03-28 22:00 UTC)),
            (date!(1981 - 09 - 27), datetime!(1981-09-26 21:00 UTC)),
        ];
        for (day, expected) in starts {
            assert_eq!(start_of_day(day), Timestamp::from(expected), "{day}");
        }
    }

    #[test]
    fn the_days_when_clocks_change_have_23_and_25_hours() {
        let hours = |day| (end_of_day(day) + Duration::MICROSECOND - start_of_day(day)).whole_hours();
        assert_eq!(hours(date!(2026 - 03 - 29)), 23);
        assert_eq!(hours(date!(2026 - 10 - 25)), 25);
        assert_eq!(hours(date!(2026 - 03 - 28)), 24);
        let repeated = [datetime!(2026-10-25 0:30 UTC), datetime!(2026-10-25 1:30 UTC)];
        assert_eq!(repeated.map(|at| to_helsinki(at.into()).hour()), [3, 3], "half past three comes twice");
    }

    #[test]
    fn what_is_due_may_be_done_until_the_day_ends_in_finland() {
        let due = end_of_day(date!(2026 - 06 - 22));
        assert_eq!(due.to_string(), "2026-06-22T20:59:59.999999Z");
        assert_eq!(due.helsinki_date(), date!(2026 - 06 - 22));
        assert_eq!((due + Duration::MICROSECOND).helsinki_date(), date!(2026 - 06 - 23));
    }

    #[test]
    fn a_day_has_one_spelling() {
        assert_eq!(parse_date("2026-03-01"), Ok(date!(2026 - 03 - 01)));
        for wrong in [
            "",
            "2026-3-1",
            "20260301",
            "1.3.2026",
            "2026-02-29",
            "2026-W09-7",
            "2026-060",
            "2026-03-01T00:00:00Z",
        ] {
            assert!(parse_date(wrong).is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn the_ends_of_the_calendar_are_answered() {
        assert_eq!(add_months(Date::MAX, 1), Date::MAX);
        assert_eq!(add_months(date!(2026 - 01 - 31), u32::MAX), Date::MAX);
        assert_eq!(add_days(Date::MAX, 1), Date::MAX);
        assert_eq!(end_of_day(Date::MAX), Timestamp::MAX);
    }

    proptest! {
        #[test]
        fn days_follow_each_other_without_gap_or_overlap(ordinal in 0_i32..55_000) {
            // From 1980, before summer time came to Finland, to 2130.
            let day = date!(1980 - 01 - 01).saturating_add(Duration::days(ordinal.into()));
            let (first, last) = (start_of_day(day), end_of_day(day));
            prop_assert_eq!(first.helsinki_date(), day);
            prop_assert_eq!(last.helsinki_date(), day);
            prop_assert_eq!((first - Duration::MICROSECOND).helsinki_date(), day.previous_day().unwrap());
            prop_assert_eq!(last + Duration::MICROSECOND, start_of_day(day.next_day().unwrap()));
            prop_assert_eq!(first.to_helsinki().time(), Time::MIDNIGHT);
        }

        #[test]
        fn a_longer_period_is_never_due_earlier(ordinal in 0_i32..55_000, days in 0_u32..800, months in 0_u32..60) {
            let day = date!(1980 - 01 - 01).saturating_add(Duration::days(ordinal.into()));
            prop_assert!(due_after_days(day, days) <= due_after_days(day, days + 1));
            prop_assert!(due_after_months(day, months) <= due_after_months(day, months + 1));
            prop_assert!(!is_non_working_day(due_after_days(day, days)));
            prop_assert!(!is_non_working_day(due_after_months(day, months)));
        }

        #[test]
        fn months_keep_the_number_of_the_day_or_take_the_last(ordinal in 0_i32..55_000, months in 0_u32..60) {
            let day = date!(1980 - 01 - 01).saturating_add(Duration::days(ordinal.into()));
            let end = add_months(day, months);
            prop_assert!(end.day() == day.day() || (end.day() < day.day() && end.next_day().unwrap().day() == 1));
            let distance = (end.year() - day.year()) * 12 + i32::from(end.month() as u8) - i32::from(day.month() as u8);
            prop_assert_eq!(distance, i32::try_from(months).unwrap());
        }
    }
}
