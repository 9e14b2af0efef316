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
    // The offset is needed to find the moment, and the moment to find the offset; but Finland changes its clocks
    // at 01:00 UTC, hours from midnight on either side, so a first guess lands on the right side.
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
