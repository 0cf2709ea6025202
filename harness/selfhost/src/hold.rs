//! Hold points: at which announcements the installer waits to be released.

use std::str::FromStr;

use terms::{Moment, StepName};

/// `STEP:MOMENT[:OCCURRENCE]`, as on the command line. The occurrence counts from 1, over restarts too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HoldPoint {
    /// The step.
    pub(crate) step: StepName,
    /// Which side of it.
    pub(crate) moment: Moment,
    /// Which of its announcements.
    pub(crate) occurrence: u32,
}

/// A hold point or release that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not STEP:MOMENT[:OCCURRENCE], for example verified:completed or self-hosted-serving:entered:2"
)]
pub(crate) struct ParseHoldPointError(String);

impl FromStr for HoldPoint {
    type Err = ParseHoldPointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseHoldPointError(text.to_owned());
        let mut parts = text.split(':');
        let step = parts
            .next()
            .filter(|step| !step.is_empty())
            .ok_or_else(wrong)?;
        let moment = match parts.next() {
            Some("entered") => Moment::Entered,
            Some("completed") => Moment::Completed,
            _ => return Err(wrong()),
        };
        let occurrence = match parts.next() {
            None => 1,
            Some(number) => number
                .parse()
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(wrong)?,
        };
        if parts.next().is_some() {
            return Err(wrong());
        }
        Ok(Self {
            step: StepName::new(step),
            moment,
            occurrence,
        })
    }
}

/// A line on the control FIFO: `release STEP:MOMENT`.
///
/// # Errors
/// Repeats the line and the form that was expected.
pub(crate) fn parse_release(line: &str) -> Result<(StepName, Moment), ParseHoldPointError> {
    let wrong = || ParseHoldPointError(line.to_owned());
    let point: HoldPoint = line
        .trim()
        .strip_prefix("release ")
        .ok_or_else(wrong)?
        .parse()?;
    Ok((point.step, point.moment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, Moment, u32)>) {
        let parsed = text.parse::<HoldPoint>().ok();
        let expected = expected.map(|(step, moment, occurrence)| HoldPoint {
            step: StepName::new(step),
            moment,
            occurrence,
        });
        assert_eq!(parsed, expected, "{text}");
    }

    #[test]
    fn hold_points_are_read() {
        check(
            "verified:completed",
            Some(("verified", Moment::Completed, 1)),
        );
        check("verified:entered:3", Some(("verified", Moment::Entered, 3)));
        for wrong in [
            "verified",
            ":entered",
            "verified:during",
            "verified:entered:0",
            "a:entered:1:2",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn releases_are_read() {
        let released = parse_release("release verified:completed\n").unwrap();
        assert_eq!(released, (StepName::new("verified"), Moment::Completed));
        assert!(parse_release("verified:completed").is_err());
    }
}
