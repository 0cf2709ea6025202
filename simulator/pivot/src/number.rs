//! Effects as numbers of sixteen bits.
//!
//! | number | what |
//! |---|---|
//! | `11tttttt aaaaaaaa` | start task t, attempt a |
//! | `0000kk kk pppppppppp` | kind k (1 to 8), and what belongs to it in ten bits |

use terms::{Component, Moment};

use crate::effect::{Attempt, Durable, Effect, Task, Timer};
use crate::few::Numbered;
use crate::plan::{AssetGroup, Why};

const START: u16 = 0b11 << 14;
const KIND_AT: u32 = 10;
const PERSIST: u16 = 1;
const CANCEL: u16 = 2;
const ARM: u16 = 3;
const DISARM: u16 = 4;
const ANNOUNCE: u16 = 5;
const HOLD: u16 = 6;
const REINSTATE: u16 = 7;
const FINISH: u16 = 8;

const TIMERS: [Timer; 3] = [Timer::Stage, Timer::Stable, Timer::Retry];
const MOMENTS: [Moment; 2] = [Moment::Entered, Moment::Completed];

impl Numbered for Effect {
    #[inline]
    fn number(self) -> u16 {
        let of = |kind: u16, part: u16| kind << KIND_AT | part;
        match self {
            Self::Start(task, attempt) => start(task.number(), attempt),
            Self::Persist(durable) => of(PERSIST, durable.number()),
            Self::Cancel(task) => of(CANCEL, u16::from(task.number())),
            Self::Arm(timer) => of(ARM, timer as u16),
            Self::Disarm(timer) => of(DISARM, timer as u16),
            Self::Announce(stage, moment) => {
                of(ANNOUNCE, u16::from(stage & 15) << 1 | moment as u16)
            }
            Self::Hold(stage, why) => of(HOLD, u16::from(stage & 15) << 4 | why as u16),
            Self::Reinstate(stage, why) => of(REINSTATE, u16::from(stage & 15) << 4 | why as u16),
            Self::Finish => of(FINISH, 0),
        }
    }

    #[inline]
    fn of_number(number: u16) -> Self {
        if number >= START {
            return Self::Start(Task::of_number((number >> 8 & 63) as u8), number as u8);
        }
        let part = number & ((1 << KIND_AT) - 1);
        let at = usize::from(part);
        let (stage, why) = ((part >> 4) as u8, at & 15);
        match number >> KIND_AT {
            PERSIST => Self::Persist(Durable::of_number(part)),
            CANCEL => Self::Cancel(Task::of_number(part as u8)),
            ARM => Self::Arm(TIMERS[at]),
            DISARM => Self::Disarm(TIMERS[at]),
            ANNOUNCE => Self::Announce((part >> 1) as u8, MOMENTS[at & 1]),
            HOLD => Self::Hold(stage, Why::EVERY[why]),
            REINSTATE => Self::Reinstate(stage, Why::EVERY[why]),
            FINISH => Self::Finish,
            _ => panic!("no effect has the number {number}"),
        }
    }
}

/// The number of the start of the task with this number.
#[inline]
pub(crate) fn start(task: u8, attempt: Attempt) -> u16 {
    START | u16::from(task) << 8 | u16::from(attempt)
}

/// In place of the reason: the whole procedure is done.
const DONE: u16 = 15;

/// Stage (4 bits), reason (4; 0 is none), completed, reinstating.
impl Durable {
    #[inline]
    fn number(self) -> u16 {
        let Self {
            stage,
            completed,
            holding,
            reinstating,
            done,
        } = self;
        let reason = if done {
            DONE
        } else {
            holding.map_or(0, |why| why as u16 + 1)
        };
        u16::from(stage & 15)
            | reason << 4
            | u16::from(completed) << 8
            | u16::from(reinstating) << 9
    }

    #[inline]
    fn of_number(number: u16) -> Self {
        let reason = number >> 4 & 15;
        let is_kept = reason != 0 && reason != DONE;
        Self {
            stage: (number & 15) as u8,
            completed: number >> 8 & 1 == 1,
            holding: is_kept.then(|| Why::EVERY[usize::from(reason) - 1]),
            reinstating: number >> 9 & 1 == 1,
            done: reason == DONE,
        }
    }
}

/// Below sixteen: tasks that are one each, and assets; then nodes to label; then manifests.
const LABEL: u8 = 16;
const PLACE: u8 = 32;
const STASH: u8 = PLACE + Component::ALL.len() as u8;
const DELETE: u8 = STASH + Component::ALL.len() as u8;
const _: () = assert!(DELETE as usize + Component::ALL.len() <= 64);
const SINGLE: [Task; 15] = [
    Task::ClaimCluster,
    Task::ClaimExisting,
    Task::StageSecrets,
    Task::PurgeStale,
    Task::StashSecrets,
    Task::DeleteSecrets,
    Task::Canary,
    Task::VerifyApi,
    Task::DestroyStash,
    Task::Apply(AssetGroup::Namespaces),
    Task::Apply(AssetGroup::Rbac),
    Task::Apply(AssetGroup::Configuration),
    Task::Apply(AssetGroup::Network),
    Task::Apply(AssetGroup::ControlPlane),
    Task::Apply(AssetGroup::Dns),
];
const APPLY: u8 = 9;

impl Task {
    /// Its number, below 64.
    #[inline]
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::ClaimCluster => 0,
            Self::ClaimExisting => 1,
            Self::StageSecrets => 2,
            Self::PurgeStale => 3,
            Self::StashSecrets => 4,
            Self::DeleteSecrets => 5,
            Self::Canary => 6,
            Self::VerifyApi => 7,
            Self::DestroyStash => 8,
            Self::Apply(group) => APPLY + group as u8,
            Self::LabelNode(node) => LABEL + (node & 15),
            Self::PlaceManifest(component) => PLACE + component as u8,
            Self::StashManifest(component) => STASH + component as u8,
            Self::DeleteManifest(component) => DELETE + component as u8,
        }
    }

    #[inline]
    pub(crate) fn of_number(number: u8) -> Self {
        let component = |first: u8| Component::ALL[usize::from(number - first)];
        match number {
            ..LABEL => SINGLE[usize::from(number)],
            LABEL..PLACE => Self::LabelNode(number - LABEL),
            PLACE..STASH => Self::PlaceManifest(component(PLACE)),
            STASH..DELETE => Self::StashManifest(component(STASH)),
            _ => Self::DeleteManifest(component(DELETE)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn tasks() -> impl Iterator<Item = Task> {
        let manifests = [
            Task::PlaceManifest,
            Task::StashManifest,
            Task::DeleteManifest,
        ];
        let manifests = manifests
            .into_iter()
            .flat_map(|task| Component::ALL.map(task));
        SINGLE
            .into_iter()
            .chain((0..16).map(Task::LabelNode))
            .chain(manifests)
    }

    fn durables(stage: u8) -> impl Iterator<Item = Durable> {
        let reasons = std::iter::once(None).chain(Why::EVERY.map(Some));
        let holding = reasons.flat_map(move |holding| {
            [(false, false), (false, true), (true, false), (true, true)].map(
                |(completed, reinstating)| Durable {
                    stage,
                    completed,
                    holding,
                    reinstating,
                    done: false,
                },
            )
        });
        holding.chain([Durable {
            stage,
            completed: true,
            holding: None,
            reinstating: false,
            done: true,
        }])
    }

    #[test]
    fn every_effect_is_its_number_and_no_two_share_one() {
        let mut all = vec![Effect::Finish];
        for task in tasks() {
            all.extend([0, 1, 255].map(|attempt| Effect::Start(task, attempt)));
            all.push(Effect::Cancel(task));
        }
        for timer in TIMERS {
            all.extend([Effect::Arm(timer), Effect::Disarm(timer)]);
        }
        for stage in 0..16 {
            all.extend(durables(stage).map(Effect::Persist));
            all.extend(MOMENTS.map(|moment| Effect::Announce(stage, moment)));
            for why in Why::EVERY {
                all.extend([Effect::Hold(stage, why), Effect::Reinstate(stage, why)]);
            }
        }
        let numbers: BTreeSet<u16> = all.iter().map(|effect| effect.number()).collect();
        assert_eq!(numbers.len(), all.len());
        assert!(!numbers.contains(&0));
        for effect in all {
            assert_eq!(Effect::of_number(effect.number()), effect);
        }
    }
}
