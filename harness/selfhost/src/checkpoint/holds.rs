//! Where the agent waits: hold points of the command line, and those of a file that somebody outside
//! may write at any time, one a line.

use std::path::PathBuf;
use std::time::Duration;

use pivot::checkpoint::Step;
use terms::{Component, Moment, StepName};
use tokio::time::Instant;

use crate::durable_file::{self, FileError};
use crate::hold::HoldPoint;

/// Hold points, and what is held at one now.
pub(super) struct Holds {
    given: Vec<HoldPoint>,
    file: PathBuf,
    deadline: Duration,
    held: Vec<Held>,
}

/// A machine that waits to be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    component: Component,
    step: Step,
    moment: Moment,
    until: Instant,
}

impl Holds {
    /// The points that were given, and those of the file.
    pub(super) fn new(given: Vec<HoldPoint>, file: PathBuf, deadline: Duration) -> Self {
        Self {
            given,
            file,
            deadline,
            held: Vec::new(),
        }
    }

    /// Whether an announcement is held from now on.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub(super) fn hold(
        &mut self,
        component: Component,
        (step, moment): (Step, Moment),
        occurrence: u32,
    ) -> Result<bool, FileError> {
        let point = HoldPoint {
            step: step.of(component),
            moment,
            occurrence,
        };
        let is_held = self.given.contains(&point) || self.of_file()?.contains(&point);
        if is_held {
            let until = Instant::now() + self.deadline;
            self.held.push(Held {
                component,
                step,
                moment,
                until,
            });
        }
        Ok(is_held)
    }

    /// Read at each announcement: there are few, and so no change is ever missed.
    fn of_file(&self) -> Result<Vec<HoldPoint>, FileError> {
        let text = durable_file::read_if_present(&self.file)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let points = lines.filter_map(|line| match line.parse() {
            Ok(point) => Some(point),
            Err(error) => {
                eprintln!("{}: {error}", self.file.display());
                None
            }
        });
        Ok(points.collect())
    }

    /// Releases what is held at this announcement, and gives it.
    pub(super) fn release(&mut self, name: &StepName, moment: Moment) -> Option<(Component, Step)> {
        let is_meant = |held: &Held| held.moment == moment && held.step.of(held.component) == *name;
        let place = self.held.iter().position(is_meant)?;
        let held = self.held.remove(place);
        Some((held.component, held.step))
    }

    /// When the next hold ends by itself.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.held.iter().map(|held| held.until).min()
    }

    /// Gives up the holds whose time is over.
    pub(super) fn release_overdue(&mut self) -> Vec<(Component, Step, Moment)> {
        let now = Instant::now();
        let overdue = self.held.extract_if(.., |held| held.until <= now);
        overdue
            .map(|held| (held.component, held.step, held.moment))
            .collect()
    }
}
