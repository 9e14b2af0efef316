//! A moment in time: microseconds in UTC.
//!
//! Microseconds because PostgreSQL keeps no more, and a whole number because text times do not sort in SQLite.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{Date, Duration, OffsetDateTime};

use crate::{Invalid, deadline};

const MICROS_PER_SECOND: i64 = 1_000_000;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z: what RFC 3339 can write.
const MIN_MICROS: i64 = -62_135_596_800 * MICROS_PER_SECOND;
const MAX_MICROS: i64 = 253_402_300_800 * MICROS_PER_SECOND - 1;

/// A moment in UTC with microsecond precision, between the years 1 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Timestamp = Timestamp(0);
    /// The first moment there is.
    pub const MIN: Timestamp = Timestamp(MIN_MICROS);
    /// The last moment there is.
    pub const MAX: Timestamp = Timestamp(MAX_MICROS);

    /// The moment so many microseconds after 1970-01-01T00:00:00Z; values outside of the years 1–9999 become
    /// the nearest moment inside.
    pub const fn from_micros(micros: i64) -> Self {
        if micros < MIN_MICROS {
            Self::MIN
        } else if micros > MAX_MICROS {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z, for storing and ordering.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The moment so many whole seconds after 1970-01-01T00:00:00Z (the `exp` and `iat` of tokens).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self::from_micros(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// The same moment as a calendar time in UTC.
    pub fn to_offset(self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::microseconds(self.0)
    }

    /// The date a calendar in Finland shows at this moment.
    pub fn helsinki_date(self) -> Date {
        self.to_helsinki().date()
    }

    /// The same moment as a calendar time in Europe/Helsinki.
    pub fn to_helsinki(self) -> OffsetDateTime {
        deadline::to_helsinki(self)
    }
}

impl From<i64> for Timestamp {
    fn from(micros: i64) -> Self {
        Self::from_micros(micros)
    }
}

impl From<Timestamp> for i64 {
    fn from(at: Timestamp) -> Self {
        at.0
    }
}

impl From<OffsetDateTime> for Timestamp {
    /// Rounds down to the microsecond.
    fn from(at: OffsetDateTime) -> Self {
        let micros = at.unix_timestamp_nanos().div_euclid(1_000);
        Self::from_micros(i64::try_from(micros).unwrap_or(if micros < 0 { MIN_MICROS } else { MAX_MICROS }))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    /// The later moment, at most [`Timestamp::MAX`]. The duration is cut to whole microseconds.
    fn add(self, duration: Duration) -> Timestamp {
        Self::from_micros(self.0.saturating_add(micros_of(duration)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    /// The earlier moment, at least [`Timestamp::MIN`]. The duration is cut to whole microseconds.
    fn sub(self, duration: Duration) -> Timestamp {
        Self::from_micros(self.0.saturating_sub(micros_of(duration)))
    }
}

impl Sub<Timestamp> for Timestamp {
    type Output = Duration;

    /// The time from the other moment to this one; negative if the other is later.
    fn sub(self, other: Timestamp) -> Duration {
        Duration::microseconds(self.0 - other.0)
    }
}

fn micros_of(duration: Duration) -> i64 {
    let micros = duration.whole_microseconds();
    i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX })
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, for example 2026-04-20T09:00:00Z.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_offset().format(&Rfc3339).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl FromStr for Timestamp {
    type Err = Invalid;

    /// Reads RFC 3339 with any offset; digits past the microsecond are cut.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        OffsetDateTime::parse(text, &Rfc3339).map(Self::from).map_err(|_| {
            Invalid::new("a time is written as in RFC 3339", "send for example \"2026-04-20T09:00:00Z\"")
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::{date, datetime};

    use super::*;

    proptest! {
        #[test]
        fn text_and_number_read_back_the_same(micros in MIN_MICROS..=MAX_MICROS) {
            let at = Timestamp::from_micros(micros);
            prop_assert_eq!(at.as_micros(), micros);
            prop_assert_eq!(at.to_string().parse::<Timestamp>(), Ok(at));
            prop_assert_eq!(Timestamp::from(at.to_offset()), at);
        }

        #[test]
        fn later_is_greater_and_differences_add_up(a in MIN_MICROS..=MAX_MICROS, b in MIN_MICROS..=MAX_MICROS) {
            let (first, second) = (Timestamp::from_micros(a), Timestamp::from_micros(b));
            prop_assert_eq!(first.cmp(&second), first.to_offset().cmp(&second.to_offset()));
            prop_assert_eq!(first + (second - first), second);
            prop_assert_eq!(second - (second - first), first);
        }

        #[test]
        fn no_number_breaks_a_timestamp(micros: i64, seconds: i64) {
            for at in [Timestamp::from_micros(micros), Timestamp::from_seconds(seconds)] {
                prop_assert!(Timestamp::MIN <= at && at <= Timestamp::MAX);
                prop_assert!(!at.to_string().is_empty());
                let _ = at.helsinki_date();
            }
        }
    }

    #[test]
    fn text_is_rfc_3339_in_utc() {
        let at = Timestamp::from(datetime!(2026-04-20 12:00:00.25 +3));
        assert_eq!(at.to_string(), "2026-04-20T09:00:00.25Z");
        assert_eq!("2026-04-20T12:00:00.25+03:00".parse(), Ok(at));
        for wrong in ["", "2026-04-20", "2026-04-20 09:00", "20.4.2026", "2026-02-30T00:00:00Z"] {
            assert!(wrong.parse::<Timestamp>().is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn nanoseconds_are_cut_downwards() {
        assert_eq!(Timestamp::from(datetime!(2026-01-01 0:00:00.000_001_999 UTC)).as_micros() % 10, 1);
        assert_eq!(Timestamp::from(datetime!(1969-12-31 23:59:59.999_999_999 UTC)).as_micros(), -1);
    }

    #[test]
    fn seconds_are_rounded_down() {
        assert_eq!(Timestamp::from_seconds(90).as_micros(), 90_000_000);
        assert_eq!(Timestamp::from_micros(1_999_999).as_seconds(), 1);
        assert_eq!(Timestamp::from_micros(-1).as_seconds(), -1);
    }

    #[test]
    fn sums_stop_at_the_ends_of_time() {
        assert_eq!(Timestamp::MAX + Duration::MAX, Timestamp::MAX);
        assert_eq!(Timestamp::MIN - Duration::MAX, Timestamp::MIN);
        assert_eq!(Timestamp::EPOCH + Duration::MIN, Timestamp::MIN);
        assert_eq!(Timestamp::EPOCH + Duration::nanoseconds(1_999), Timestamp::from_micros(1));
    }

    #[test]
    fn the_date_in_finland_is_two_or_three_hours_ahead() {
        assert_eq!(
            Timestamp::from(datetime!(2026-01-14 21:59:59 UTC)).helsinki_date(),
            date!(2026 - 01 - 14)
        );
        assert_eq!(
            Timestamp::from(datetime!(2026-01-14 22:00:00 UTC)).helsinki_date(),
            date!(2026 - 01 - 15)
        );
        assert_eq!(
            Timestamp::from(datetime!(2026-07-14 21:00:00 UTC)).helsinki_date(),
            date!(2026 - 07 - 15)
        );
    }
}
