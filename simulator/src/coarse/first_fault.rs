//! Where the first fault may happen, so that a world that is too large as a whole can be tried in parts.

use pivot::StageIndex;
use serde::{Deserialize, Serialize};

/// Where the first fault may happen; what follows it happens anywhere and at any time. A person's help is no fault.
///
/// A first fault happens at one stage, and either on the bootstrap node or on another one. So parts that
/// between them leave out no stage and no node leave out nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirstFault {
    /// While the installer's procedure is at this stage of its plan or at a later one; `None`: from the beginning.
    pub from: Option<StageIndex>,
    /// While it is at an earlier stage than this; `None`: to the end.
    pub before: Option<StageIndex>,
    /// What it hits.
    pub hits: Hits,
}

/// What the first fault hits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hits {
    /// Anything.
    #[default]
    Anything,
    /// The bootstrap node, or what runs there: the installer, whose answers and timers are its own, is among it.
    BootstrapNode,
    /// Another node.
    OtherNode,
}

impl FirstFault {
    /// Whether the first fault may happen while the procedure is at this stage.
    #[inline]
    pub(crate) fn may_happen_at(self, stage: StageIndex) -> bool {
        self.from.is_none_or(|first| stage >= first) && self.before.is_none_or(|end| stage < end)
    }
}

impl Hits {
    /// Whether the first fault may hit this node.
    #[inline]
    pub(crate) const fn may_be(self, node: usize) -> bool {
        match self {
            Self::Anything => true,
            Self::BootstrapNode => node == 0,
            Self::OtherNode => node != 0,
        }
    }

    /// In words that end a list of bounds; `None` if it bounds nothing.
    pub(crate) const fn in_words(self) -> Option<&'static str> {
        match self {
            Self::Anything => None,
            Self::BootstrapNode => Some("the first on the bootstrap node"),
            Self::OtherNode => Some("the first on another node than the bootstrap node"),
        }
    }

    /// Whether it bounds nothing.
    pub(crate) fn is_anything(&self) -> bool {
        *self == Self::Anything
    }
}
