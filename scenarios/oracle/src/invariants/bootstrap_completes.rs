//! Being written.

use super::{Invariant, unknown};
use crate::observation::Observation;
use crate::verdict::{Finding, Judgement};
use crate::view::View;

struct Stub;

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::new(Stub)
}

impl Invariant for Stub {
    fn observe(&mut self, _view: &View, _seen: &Observation) {}

    fn finding(&self) -> Option<&Finding> {
        None
    }

    fn otherwise(&self, _view: &View) -> Judgement {
        unknown("being written")
    }
}
