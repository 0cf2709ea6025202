//! Durations as people write them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration in whole milliseconds, written such as `500ms`, `20s`, `1m30s` or `2h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "String")]
pub struct Milliseconds(pub u64);

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a duration: write a number and a unit, such as `500ms`, `20s`, `1m30s` or `2h`, up to 24h"
)]
pub struct ParseDurationError(pub String);

/// No scenario waits for longer than a day.
const LONGEST_MS: u64 = 24 * 3_600_000;

impl Milliseconds {
    /// A duration of whole seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds * 1_000)
    }

    /// The same duration for the standard library.
    pub const fn to_duration(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0)
    }

    /// The same duration in microseconds, the unit of observations.
    pub const fn to_micros(self) -> u64 {
        self.0 * 1_000
    }
}

impl FromStr for Milliseconds {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseDurationError(text.to_owned());
        let mut rest = text;
        let mut total_ms: u64 = 0;
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
            rest = &rest[digits..];
            let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            let unit_ms = match &rest[..letters] {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                _ => return Err(wrong()),
            };
            rest = &rest[letters..];
            total_ms = number
                .checked_mul(unit_ms)
                .and_then(|part_ms| total_ms.checked_add(part_ms))
                .ok_or_else(wrong)?;
        }
        if total_ms > LONGEST_MS {
            Err(wrong())
        } else {
            Ok(Self(total_ms))
        }
    }
}

impl fmt::Display for Milliseconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ms if ms >= 60_000 && ms % 60_000 == 0 => write!(formatter, "{}m", ms / 60_000),
            ms if ms % 1_000 == 0 => write!(formatter, "{}s", ms / 1_000),
            ms => write!(formatter, "{ms}ms"),
        }
    }
}

impl Serialize for Milliseconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Milliseconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [
            ("500ms", 500),
            ("20s", 20_000),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
        ] {
            assert_eq!(text.parse(), Ok(Milliseconds(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "20",
            "s",
            "-1s",
            "1.5s",
            "20 s",
            "20x",
            "99999999999999999999s",
            "25h",
        ] {
            assert!(text.parse::<Milliseconds>().is_err(), "{text}");
        }
    }
}
