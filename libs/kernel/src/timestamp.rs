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
