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
