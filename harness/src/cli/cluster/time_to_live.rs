//! How long a cluster may live.

use std::time::Duration;

/// Reads `90s`, `30m`, `8h` or `2d`.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration; write it like 90s, 30m, 8h or 2d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => return Err(wrong()),
    };
    let number = text.strip_suffix(unit).ok_or_else(wrong)?;
    let count: u64 = number.parse().map_err(|_| wrong())?;
    let total = count
        .checked_mul(seconds)
        .filter(|total| *total > 0)
        .ok_or_else(wrong)?;
    Ok(Duration::from_secs(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_unit() {
        assert_eq!(parse("8h"), Ok(Duration::from_secs(28800)));
        assert_eq!(parse("90s"), Ok(Duration::from_secs(90)));
        for wrong in [
            "",
            "h",
            "8",
            "-1h",
            "0m",
            "1.5h",
            "8hh",
            "8 h",
            "999999999999999999d",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
