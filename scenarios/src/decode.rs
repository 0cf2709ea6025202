//! From the tree of a file to typed values, keeping the place of every mistake.

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer,
    Unexpected, VariantAccess, Visitor,
};

use crate::later::is_later;
use crate::mistake::{Unknown, Wrong, suggestion};
use crate::tree::{Pair, Place, Tree, Value};

/// Reads a value of type `T` from a node.
pub(crate) fn decode<T: DeserializeOwned>(tree: &Tree) -> Result<T, Wrong> {
    T::deserialize(Node(tree)).map_err(|wrong| wrong.placed(tree.place))
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl std::error::Error for Wrong {}

impl Wrong {
    /// The same at this place, unless a more exact one is known already.
    fn placed(self, place: Place) -> Self {
        Self {
            place: self.place.or(Some(place)),
            ..self
        }
    }

    /// The same with the kind of word that was expected, where one was not known.
    fn named(mut self, noun: &str) -> Self {
        let Some(unknown) = self.unknown.take() else {
            return self;
        };
        let Unknown { word, known } = *unknown;
        self.what = format!("unknown {noun} `{word}`");
        self.help = Some(suggestion(&word, known.iter().map(String::as_str)));
        if is_later(noun, &word) {
            self.what = format!("{noun} `{word}` is not available in this version");
            self.help = Some(format!("available: {}", known.join(", ")));
        }
        self
    }
}

impl de::Error for Wrong {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self {
            place: None,
            what: message.to_string(),
            help: None,
            unknown: None,
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("expected {expected}, found {found}"))
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        let known = known.iter().map(|&word| word.to_owned()).collect();
        let unknown = Some(Box::new(Unknown {
            word: word.to_owned(),
            known,
        }));
        Self {
            unknown,
            ..Self::custom(format!("unknown word `{word}`"))
        }
    }

    fn unknown_field(word: &str, known: &'static [&'static str]) -> Self {
        Self::unknown_variant(word, known).named("key")
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format!("the key `{field}` is missing"))
    }
}

/// What stands in a file, in words.
pub(crate) fn in_words(value: &Value) -> String {
    match value {
        Value::Nothing => "nothing".to_owned(),
        Value::Truth(truth) => format!("`{truth}`"),
        Value::Whole(number) => format!("the number {number}"),
        Value::Broken(number) => format!("the number {number}"),
        Value::Text(text) => format!("the text `{}`", text.chars().take(60).collect::<String>()),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "keys with values".to_owned(),
    }
}

#[derive(Clone, Copy)]
struct Node<'a>(&'a Tree);

impl Node<'_> {
    fn expected(self, what: &str) -> Wrong {
        let found = in_words(&self.0.value);
        Wrong::new(self.0.place, format!("expected {what}, found {found}"))
    }
}

impl<'de, 'a> IntoDeserializer<'de, Wrong> for Node<'a> {
    type Deserializer = Node<'a>;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A key, which knows its place.
struct Key<'a>(&'a Pair);

impl<'de, 'a> IntoDeserializer<'de, Wrong> for Key<'a> {
    type Deserializer = Key<'a>;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor
            .visit_str(&self.0.key)
            .map_err(|wrong: Wrong| wrong.placed(self.0.place))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Forwards numbers to one rule: whole, not negative.
macro_rules! whole_numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            let Value::Whole(number) = self.0.value else { return Err(self.expected("a whole number")) };
            let number = u64::try_from(number).map_err(|_| self.expected("a whole number from 0 on"))?;
            visitor.visit_u64(number).map_err(|_: Wrong| self.expected("a smaller number"))
        }
    )*};
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.0.value {
            Value::Nothing => visitor.visit_unit(),
            Value::Truth(truth) => visitor.visit_bool(*truth),
            Value::Whole(number) => visitor.visit_i128(*number),
            Value::Broken(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(_) => return self.deserialize_seq(visitor),
            Value::Map(_) => return self.deserialize_map(visitor),
        }
        .map_err(|wrong: Wrong| wrong.placed(self.0.place))
    }

    whole_numbers! { deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.0.value {
            Value::Text(text) => visitor
                .visit_str(text)
                .map_err(|wrong: Wrong| wrong.placed(self.0.place)),
            Value::Whole(number) => Err(self.expected("a text").help(format!(
                "write `{number}s` if a duration is meant, \"{number}\" otherwise"
            ))),
            Value::Truth(_) | Value::Broken(_) => {
                Err(self.expected("a text").help("write it in quotes"))
            }
            _ => Err(self.expected("a text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_str(visitor)
    }

    /// What may be left out has a default; what is written must be something.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.0.value == Value::Nothing {
            return Err(self
                .expected("a value")
                .help("leave the key out for its default"));
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let Value::List(items) = &self.0.value else {
            return Err(self
                .expected("a list")
                .help("write it as `[…]` or with `- ` before each item"));
        };
        SeqDeserializer::new(items.iter().map(Node))
            .deserialize_any(visitor)
            .map_err(|wrong| wrong.placed(self.0.place))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let Value::Map(pairs) = &self.0.value else {
            return Err(self
                .expected("keys with values")
                .help("write `{}` for none"));
        };
        MapDeserializer::new(pairs.iter().map(|pair| (Key(pair), Node(&pair.tree))))
            .deserialize_any(visitor)
            .map_err(|wrong| wrong.placed(self.0.place))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let noun = noun(name);
        let chosen = match &self.0.value {
            Value::Text(text) => Chosen {
                word: text,
                place: self.0.place,
                content: None,
            },
            Value::Map(pairs) => match pairs.as_slice() {
                [pair] => Chosen {
                    word: &pair.key,
                    place: pair.place,
                    content: Some(&pair.tree),
                },
                [] => {
                    return Err(self
                        .expected(&format!("one {noun}"))
                        .help(suggestion("", variants.iter().copied())));
                }
                [first, second, ..] => {
                    let what = format!(
                        "a {noun} has exactly one key; here are `{}` and `{}`",
                        first.key, second.key
                    );
                    return Err(
                        Wrong::new(second.place, what).help("begin another list item with `- `")
                    );
                }
            },
            _ => {
                return Err(self
                    .expected(&format!("a {noun}"))
                    .help(suggestion("", variants.iter().copied())));
            }
        };
        visitor
            .visit_enum(chosen)
            .map_err(|wrong| wrong.named(noun).placed(self.0.place))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

/// What people call the values of an enumeration.
fn noun(name: &str) -> &'static str {
    match name {
        "Fault" => "fault",
        "WrittenEntry" => "timeline entry",
        "WrittenInstaller" => "installer",
        "Component" => "component",
        "Moment" => "moment",
        "Signal" => "signal",
        "Resource" | "Changeable" => "kind of object",
        "Unit" => "unit",
        "WrittenEnd" => "end",
        "RecoverFrom" => "source",
        _ => "word",
    }
}

/// One of an enumeration's words with what it carries.
#[derive(Clone, Copy)]
struct Chosen<'a> {
    word: &'a str,
    place: Place,
    content: Option<&'a Tree>,
}

impl<'de> EnumAccess<'de> for Chosen<'_> {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Wrong> {
        let word: StrDeserializer<'_, Wrong> = self.word.into_deserializer();
        let value = seed
            .deserialize(word)
            .map_err(|wrong| wrong.placed(self.place))?;
        Ok((value, self))
    }
}

impl Chosen<'_> {
    fn content(&self) -> Result<Node<'_>, Wrong> {
        self.content.map(Node).ok_or_else(|| {
            Wrong::new(self.place, format!("`{}` needs a value", self.word)).help(format!(
                "write `{}: …`, or `{}: {{}}` for one without options",
                self.word, self.word
            ))
        })
    }
}

impl<'de> VariantAccess<'de> for Chosen<'_> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        match self.content {
            None => Ok(()),
            Some(tree) => Err(Wrong::new(
                tree.place,
                format!("`{}` takes no value", self.word),
            )),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Wrong> {
        let node = self.content()?;
        seed.deserialize(node)
            .map_err(|wrong| wrong.placed(node.0.place))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.content()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.content()?.deserialize_map(visitor)
    }
}
