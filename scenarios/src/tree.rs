//! A scenario file as a tree in which everything knows its place.
//!
//! YAML becomes a [`Tree`] first and typed values second, for three reasons: placeholders are
//! replaced in between, one file can report many mistakes, and every mistake has its own place.

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// Where something stands in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Line, from 1; 0 when the file as a whole is meant.
    pub(crate) line: usize,
    /// Column in characters, from 1.
    pub(crate) column: usize,
    /// Width in characters, at least 1.
    pub(crate) width: usize,
}

impl Place {
    fn of(location: serde_saphyr::Location) -> Self {
        let width = usize::try_from(location.span().len()).unwrap_or(1).max(1);
        let as_usize = |number: u64| usize::try_from(number).unwrap_or(0);
        Self {
            line: as_usize(location.line()),
            column: as_usize(location.column()),
            width,
        }
    }

    /// The place that the parser's error names.
    pub(crate) fn of_error(error: &serde_saphyr::Error) -> Self {
        error
            .location()
            .map_or_else(Self::default, |location| Self {
                width: 1,
                ..Self::of(location)
            })
    }
}

/// A node of the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    /// Where it begins.
    pub(crate) place: Place,
    /// What it is.
    pub(crate) value: Value,
}

/// What a node of the file is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Nothing at all, or `null`.
    Nothing,
    /// `true` or `false`.
    Truth(bool),
    /// A whole number.
    Whole(i128),
    /// Any other number.
    Broken(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// Keys and values, in the order of the file.
    Map(Vec<Pair>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pair {
    /// The key.
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) place: Place,
    /// The value.
    pub(crate) tree: Tree,
}

impl Tree {
    /// The value under a key, when this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(pairs) = &self.value else {
            return None;
        };
        pairs
            .iter()
            .find(|pair| pair.key == key)
            .map(|pair| &pair.tree)
    }

    /// The value at this position, when this is a list that has it.
    pub(crate) fn item(&self, index: usize) -> Option<&Self> {
        let Value::List(items) = &self.value else {
            return None;
        };
        items.get(index)
    }

    /// The value at the end of a path of keys, or the deepest one that is there.
    pub(crate) fn deepest(&self, path: &[&str]) -> &Self {
        path.iter()
            .try_fold(self, |tree, key| tree.get(key).ok_or(tree))
            .unwrap_or_else(|tree| tree)
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self {
            place: Place::of(spanned.referenced),
            value: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Truth(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Whole(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Whole(number.into()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Whole(number))
    }

    fn visit_u128<E: de::Error>(self, number: u128) -> Result<Value, E> {
        i128::try_from(number)
            .map(Value::Whole)
            .map_err(|_| E::custom("this number is too large"))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Broken(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let place = Place::of(key.referenced);
            pairs.push(Pair {
                key: key.value,
                place,
                tree: map.next_value()?,
            });
        }
        Ok(Value::Map(pairs))
    }
}
