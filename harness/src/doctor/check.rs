//! One thing that was examined.

use std::fmt;

use serde::Serialize;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Clusters can be made, but something works less well or has never been tested.
    Warning,
    /// No cluster can be made here.
    Problem,
}

/// One thing that was examined. The field names are contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A stable name, such as `fsync-latency`.
    pub name: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was seen.
    pub seen: String,
    /// What to do about it; `None` when there is nothing to do.
    pub way_out: Option<String>,
}

impl Check {
    pub(crate) fn ok(name: &'static str, seen: impl Into<String>) -> Self {
        Self {
            name,
            level: Level::Ok,
            seen: seen.into(),
            way_out: None,
        }
    }

    pub(crate) fn warning(
        name: &'static str,
        seen: impl Into<String>,
        way_out: impl Into<String>,
    ) -> Self {
        let (seen, way_out) = (seen.into(), Some(way_out.into()));
        Self {
            name,
            level: Level::Warning,
            seen,
            way_out,
        }
    }

    pub(crate) fn problem(
        name: &'static str,
        seen: impl Into<String>,
        way_out: impl Into<String>,
    ) -> Self {
        let (seen, way_out) = (seen.into(), Some(way_out.into()));
        Self {
            name,
            level: Level::Problem,
            seen,
            way_out,
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Problem => "PROBLEM",
        };
        write!(out, "{level:<8} {:<18} {}", self.name, self.seen)?;
        if let Some(way_out) = &self.way_out {
            write!(out, "\n{:<8} {:<18} -> {way_out}", "", "")?;
        }
        Ok(())
    }
}
