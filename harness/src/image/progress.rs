//! What is said while an image is built.

use std::fmt;
use std::time::Duration;

/// One thing that happened while an image is built. Printed, it is a line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A stage begins.
    Begun {
        /// The stage.
        stage: String,
        /// How long it usually takes on two cores.
        usual: Duration,
    },
    /// A stage goes on; said every half minute.
    Going {
        /// The stage.
        stage: String,
        /// Since it began.
        elapsed: Duration,
        /// How long it usually takes.
        usual: Duration,
    },
    /// A stage is done.
    Done {
        /// The stage.
        stage: String,
        /// How long it took.
        elapsed: Duration,
    },
    /// The result of a stage is there already.
    Reused(String),
    /// Another process builds in the same cache; it is waited for.
    Waiting,
}

impl fmt::Display for Progress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun { stage, usual } => {
                write!(out, "[image] {stage}: begun, usually {}", spoken(*usual))
            }
            Self::Going {
                stage,
                elapsed,
                usual,
            } => write!(
                out,
                "[image] {stage}: {} so far, usually {}",
                spoken(*elapsed),
                spoken(*usual)
            ),
            Self::Done { stage, elapsed } => {
                write!(
                    out,
                    "[image] {stage}: done in {:.1} s",
                    elapsed.as_secs_f64()
                )
            }
            Self::Reused(stage) => write!(out, "[image] {stage}: there already"),
            Self::Waiting => {
                write!(
                    out,
                    "[image] another image build is under way here; waiting for it"
                )
            }
        }
    }
}

fn spoken(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..90 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_the_stage_and_the_time() {
        let stage = "kubernetes-1.34".to_owned();
        let going = Progress::Going {
            stage: stage.clone(),
            elapsed: Duration::from_secs(30),
            usual: Duration::from_secs(300),
        };
        assert_eq!(
            going.to_string(),
            "[image] kubernetes-1.34: 30 s so far, usually 5 min 0 s"
        );
        let done = Progress::Done {
            stage,
            elapsed: Duration::from_millis(1250),
        };
        assert_eq!(done.to_string(), "[image] kubernetes-1.34: done in 1.2 s");
    }
}
