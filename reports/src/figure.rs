//! Figures as people read them.

/// A duration in milliseconds as people read it: `340ms`, `12.3s`, `4m05s`, `1h02m`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..59_950 => {
            let tenths = (ms + 50) / 100;
            format!("{}.{}s", tenths / 10, tenths % 10)
        }
        59_950..3_599_500 => {
            let seconds = (ms + 500) / 1_000;
            format!("{}m{:02}s", seconds / 60, seconds % 60)
        }
        _ => {
            let minutes = ms / 60_000 + u64::from(ms % 60_000 >= 30_000);
            format!("{}h{:02}m", minutes / 60, minutes % 60)
        }
    }
}

/// A figure by its name, whose last word is its unit: (`api_write_gap_ms`, 1240) is
/// (`api write gap`, `1.2s`).
pub fn figure(name: &str, value: u64) -> (String, String) {
    let (base, text) = match name.rsplit_once('_') {
        Some((base, "ms")) => (base, duration(value)),
        Some((base, "us")) => (base, duration(value / 1_000)),
        Some((base, "s")) => (base, duration(value.saturating_mul(1_000))),
        Some((base, "bytes")) => (base, bytes(value)),
        Some((base, "count")) => (base, value.to_string()),
        _ => (name, value.to_string()),
    };
    (base.replace('_', " "), text)
}

/// A number of bytes as people read it.
fn bytes(value: u64) -> String {
    const MEBIBYTE: u64 = 1 << 20;
    match value {
        0..1_024 => format!("{value} B"),
        1_024..MEBIBYTE => format!("{} KiB", value / 1_024),
        _ => format!("{} MiB", value / MEBIBYTE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_naturally_and_carry_over() {
        for (ms, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (1_000, "1.0s"),
            (12_349, "12.3s"),
            (59_949, "59.9s"),
            (59_950, "1m00s"),
            (245_000, "4m05s"),
            (3_599_499, "59m59s"),
            (3_599_500, "1h00m"),
            (3_720_000, "1h02m"),
        ] {
            assert_eq!(duration(ms), text);
        }
        assert!(!duration(u64::MAX).is_empty());
    }

    #[test]
    fn a_figure_is_shown_in_its_unit() {
        assert_eq!(
            figure("api_write_gap_ms", 1_240),
            ("api write gap".into(), "1.2s".into())
        );
        assert_eq!(
            figure("memory_bytes", 5 << 20),
            ("memory".into(), "5 MiB".into())
        );
        assert_eq!(figure("acknowledged_writes", 412).1, "412");
        assert_eq!(figure("writes_count", 412), ("writes".into(), "412".into()));
    }
}
