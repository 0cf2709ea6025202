//! A few things in order, without heap: what a step of a machine gives back.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// At most eight things, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Few<T> {
    all: [Option<T>; 8],
    len: u8,
}

impl<T: Copy> Few<T> {
    /// The most effects that one step may have.
    pub const MOST: usize = 8;

    /// No effects.
    pub const fn none() -> Self {
        Self {
            all: [None; 8],
            len: 0,
        }
    }

    /// Adds an effect at the end.
    ///
    /// # Panics
    /// When there are eight already: a bug of the machine, which its tests rule out.
    pub fn push(&mut self, effect: T) {
        let slot = self
            .all
            .get_mut(usize::from(self.len))
            .expect("a step has at most eight effects");
        *slot = Some(effect);
        self.len += 1;
    }

    /// The effects in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        self.all.iter().flatten().copied()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<T: Copy + Serialize> Serialize for Few<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de, T: Copy + Deserialize<'de>> Deserialize<'de> for Few<T> {
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
            effects.push(effect);
        }
        Ok(effects)
    }
}
