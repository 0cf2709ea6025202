//! What survives a kill of the installer.

use pivot::{Durable, Why};

/// How the marker of a stage may read: entered, completed, three kinds of holding for each reason, and
/// that the whole procedure is done.
const READINGS: u16 = 30;
const READING_DONE: u16 = READINGS - 1;
const REASONS: u16 = Why::ALL.len() as u16;
const _: () = assert!(3 + 3 * REASONS == READINGS && 16 * READINGS < 1 << Marker::BITS);

/// What the installer wrote down and synced, as the number that it is packed as: it is read much more seldom
/// than packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Marker(u16);

impl Marker {
    /// So many bits hold its number.
    pub(crate) const BITS: u32 = 9;

    /// Nothing was written.
    pub(crate) const NONE: Self = Self(0);

    /// What a process wrote.
    pub(crate) fn of(durable: Durable) -> Self {
        let Durable {
            stage,
            completed,
            holding,
            reinstating,
            done,
        } = durable;
        let reading = match holding {
            _ if done => READING_DONE,
            None => u16::from(completed),
            Some(why) => {
                let kind = if reinstating { 2 } else { u16::from(completed) };
                2 + kind * REASONS + why as u16
            }
        };
        Self(1 + u16::from(stage) * READINGS + reading)
    }

    /// What the next process reads.
    pub fn read(self) -> Option<Durable> {
        let number = self.0.checked_sub(1)?;
        let (stage, reading) = ((number / READINGS) as u8, number % READINGS);
        let plain = Durable {
            stage,
            completed: false,
            holding: None,
            reinstating: false,
            done: false,
        };
        Some(match reading {
            READING_DONE => Durable {
                completed: true,
                done: true,
                ..plain
            },
            0 | 1 => Durable {
                completed: reading == 1,
                ..plain
            },
            _ => {
                let (kind, why) = ((reading - 2) / REASONS, (reading - 2) % REASONS);
                Durable {
                    completed: kind == 1,
                    reinstating: kind == 2,
                    holding: Why::ALL.get(why as usize).copied(),
                    ..plain
                }
            }
        })
    }

    /// The number that it is packed as.
    #[inline]
    pub(crate) const fn number(self) -> u16 {
        self.0
    }

    /// The marker of such a number.
    #[inline]
    pub(crate) const fn of_number(number: u16) -> Self {
        Self(number)
    }
}
