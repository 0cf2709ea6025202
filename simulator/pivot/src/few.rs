//! A few things in order, in one number: what a step of a machine gives back.
//!
//! A step takes few tens of nanoseconds; a list of things that had to be filled and copied would be most of it.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// What is a number other than zero.
pub trait Numbered: Copy + fmt::Debug + PartialEq {
    /// Its number.
    fn number(self) -> u16;

    /// What has this number.
    ///
    /// # Panics
    /// When nothing has.
    fn of_number(number: u16) -> Self;
}

/// At most eight things, in order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Few<T> {
    /// Sixteen bits each, the first in the lowest.
    numbers: u128,
    of: PhantomData<T>,
}

impl<T: Numbered> Few<T> {
    /// The most effects that one step may have.
    pub const MOST: usize = 8;

    /// No effects.
    pub const fn none() -> Self {
        Self {
            numbers: 0,
            of: PhantomData,
        }
    }

    /// Adds an effect at the end.
    ///
    /// # Panics
    /// When there are eight already: a bug of the machine, which its tests rule out.
    #[inline]
    pub fn push(&mut self, effect: T) {
        self.push_number(effect.number());
    }

    /// The same, for who has its number.
    #[inline]
    pub(crate) fn push_number(&mut self, number: u16) {
        let len = self.len();
        assert!(len < Self::MOST, "a step has at most eight effects");
        self.numbers |= u128::from(number) << (u16::BITS as usize * len);
    }

    /// The effects in order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = T> + use<T> {
        let mut rest = self.numbers;
        std::iter::from_fn(move || {
            let first = rest as u16;
            rest >>= u16::BITS;
            (first != 0).then(|| T::of_number(first))
        })
    }

    /// How many there are.
    #[inline]
    pub const fn len(&self) -> usize {
        (u128::BITS - self.numbers.leading_zeros()).div_ceil(u16::BITS) as usize
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.numbers == 0
    }
}

impl<T: Numbered> fmt::Debug for Few<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl<T: Numbered + Serialize> Serialize for Few<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de, T: Numbered + Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let listed = Vec::<T>::deserialize(deserializer)?;
        if listed.len() > Self::MOST {
            return Err(D::Error::custom(format!(
                "more than {} effects",
                Self::MOST
            )));
        }
        let mut effects = Self::none();
        for effect in listed {
            // A record may hold what no machine says, such as a stage beyond the sixteenth.
            if T::of_number(effect.number()) != effect {
                return Err(D::Error::custom(format!(
                    "no step of a machine has the effect {effect:?}"
                )));
            }
            effects.push(effect);
        }
        Ok(effects)
    }
}
