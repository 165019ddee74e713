//! Instants and durations as people write them. The clock itself is read in `cli`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An instant in whole seconds of UTC, written `2026-03-01T09:30:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Instant(i64);

const DAY: i64 = 86_400;

impl Instant {
    /// Returns the instant so many seconds after the first of January 1970.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Returns the seconds since the first of January 1970.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Returns the instant so many seconds later.
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Reads the forms of OpenSSH: `YYYYMMDD`, `YYYYMMDDHHMM`, `YYYYMMDDHHMMSS`, each with an
    /// optional `Z`. Without it OpenSSH takes local time; here both are UTC, the same everywhere.
    pub fn from_compact(text: &str) -> Option<Self> {
        let digits = text.strip_suffix(['Z', 'z']).unwrap_or(text);
        if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number = |range: std::ops::Range<usize>| -> i64 {
            digits.get(range).and_then(|part| part.parse().ok()).unwrap_or(0)
        };
        civil(
            number(0..4),
            number(4..6),
            number(6..8),
            [number(8..10), number(10..12), number(12..14)],
        )
    }
}

fn civil(year: i64, month: i64, day: i64, [hour, minute, second]: [i64; 3]) -> Option<Instant> {
    let fits = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    let days = days_before_year(year) - days_before_year(1970)
        + (1..month).map(|month| days_in(year, month)).sum::<i64>()
        + day
        - 1;
    fits.then_some(Instant(days * DAY + hour * 3600 + minute * 60 + second))
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

const fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

const fn days_before_year(year: i64) -> i64 {
    let year = year - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400)
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut days, seconds) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        days += days_before_year(1970);
        let mut year = days.div_euclid(366) + 1;
        while days_before_year(year + 1) <= days {
            year += 1;
        }
        days -= days_before_year(year);
        let mut month = 1;
        while days >= days_in(year, month) {
            days -= days_in(year, month);
            month += 1;
        }
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1)
    }
}

impl From<Instant> for String {
    fn from(instant: Instant) -> Self {
        instant.to_string()
    }
}

impl TryFrom<String> for Instant {
    type Error = BadInstant;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Instant {
    type Err = BadInstant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let compact: String = text.chars().filter(|c| !matches!(c, '-' | ':' | 'T')).collect();
        let read = Self::from_compact(&compact).filter(|instant| instant.to_string() == text);
        read.ok_or_else(|| BadInstant(text.to_owned()))
    }
}

/// A text that is no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a time: write it like 2026-03-01T09:30:00Z")]
pub struct BadInstant(pub String);

/// A span of time as configuration writes it: `90s`, `15m`, `12h`, `14d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(u32);

impl Period {
    /// Returns the span of so many seconds.
    pub const fn from_seconds(seconds: u32) -> Self {
        Self(seconds)
    }

    /// Returns the seconds.
    pub const fn seconds(self) -> i64 {
        self.0 as i64
    }

    /// Returns the milliseconds.
    pub const fn milliseconds(self) -> u64 {
        self.0 as u64 * 1000
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, letter) = match self.0 {
            s if s != 0 && s % 86_400 == 0 => (86_400, 'd'),
            s if s != 0 && s % 3600 == 0 => (3600, 'h'),
            s if s != 0 && s % 60 == 0 => (60, 'm'),
            _ => (1, 's'),
        };
        write!(f, "{}{letter}", self.0 / unit)
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl TryFrom<String> for Period {
    type Error = BadPeriod;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Period {
    type Err = BadPeriod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadPeriod(text.to_owned());
        let letter = text.chars().last().ok_or_else(bad)?;
        let unit = match letter {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(bad()),
        };
        let number: u32 = text.trim_end_matches(letter).parse().map_err(|_| bad())?;
        number.checked_mul(unit).map(Self).ok_or_else(bad)
    }
}

/// A text that is no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a span of time: write it like 90s, 15m, 12h or 14d")]
pub struct BadPeriod(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_and_read() {
        for (unix, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_772_357_400, "2026-03-01T09:30:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(Instant::from_unix(unix).to_string(), text);
            assert_eq!(text.parse(), Ok(Instant::from_unix(unix)));
        }
        assert!("2026-02-29T00:00:00Z".parse::<Instant>().is_err());
        assert!("2026-3-1".parse::<Instant>().is_err());
    }

    #[test]
    fn compact_forms_of_openssh_are_read() {
        assert_eq!(Instant::from_compact("19700102"), Some(Instant::from_unix(DAY)));
        assert_eq!(Instant::from_compact("197001020001Z"), Some(Instant::from_unix(DAY + 60)));
        assert_eq!(Instant::from_compact("1970"), None);
        assert_eq!(Instant::from_compact("19701302"), None);
    }

    #[test]
    fn periods_are_written_and_read() {
        for text in ["0s", "90s", "15m", "12h", "14d"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
        for bad in ["", "5", "m", "-1s", "1w", "99999999999s"] {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
    }
}
