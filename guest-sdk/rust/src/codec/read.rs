//! Reading MessagePack: a serde deserializer over a slice. It takes all that `write` and rmp-serde write, structs as
//! arrays too.
//!
//! Bytes come from other actors: whatever they are, reading ends with a value or an error, and nests at most `DEPTH`
//! deep, so that the small stack of an actor is enough. Errors are made of few words: the number formatting that serde's
//! own would bring along is a tenth of a small actor.

use std::fmt::Display;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Expected, Unexpected, Visitor};

use crate::Error;

/// How deep arrays and maps may nest.
const DEPTH: u32 = 64;

fn unexpected(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a floating-point number",
        Unexpected::Char(_) | Unexpected::Str(_) => "a string",
        Unexpected::Bytes(_) => "bytes",
        Unexpected::Unit => "nothing",
        Unexpected::Option => "an option",
        Unexpected::Seq => "an array",
        Unexpected::Map => "a map",
        _ => "something else",
    }
}

impl de::Error for Error {
    fn custom<T: Display>(text: T) -> Self {
        Self::invalid(text)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid(format_args!("found {}, expected {expected}", unexpected(&found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid(format_args!("{} that does not fit, expected {expected}", unexpected(&found)))
    }
}

#[cold]
fn short() -> Error {
    Error::invalid("the bytes end too early")
}

/// What a marker says comes next.
enum Next {
    Nil,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Single(f32),
    Double(f64),
    String(usize),
    Bytes(usize),
    Array(u32),
    Map(u32),
}

pub(super) struct Reader<'de> {
    rest: &'de [u8],
    depth: u32,
}

impl<'de> Reader<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self { rest: bytes, depth: DEPTH }
    }

    fn bytes(&mut self, count: usize) -> Result<&'de [u8], Error> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(short)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(short)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// An unsigned number of 1, 2, 4 or 8 bytes.
    fn number(&mut self, power: u8) -> Result<u64, Error> {
        Ok(match power {
            0 => self.fixed::<1>()?[0].into(),
            1 => u16::from_be_bytes(self.fixed()?).into(),
            2 => u32::from_be_bytes(self.fixed()?).into(),
            _ => u64::from_be_bytes(self.fixed()?),
        })
    }

    fn length(&mut self, power: u8) -> Result<usize, Error> {
        usize::try_from(self.number(power)?).map_err(|_| short())
    }

    fn count(&mut self, power: u8) -> Result<u32, Error> {
        u32::try_from(self.number(power)?).map_err(|_| short())
    }

    fn next(&mut self) -> Result<Next, Error> {
        let [marker] = self.fixed()?;
        Ok(match marker {
            0x00..=0x7f => Next::Unsigned(marker.into()),
            0x80..=0x8f => Next::Map(u32::from(marker & 0xf)),
            0x90..=0x9f => Next::Array(u32::from(marker & 0xf)),
            0xa0..=0xbf => Next::String(usize::from(marker & 0x1f)),
            0xc0 => Next::Nil,
            0xc2 | 0xc3 => Next::Bool(marker == 0xc3),
            0xc4..=0xc6 => Next::Bytes(self.length(marker - 0xc4)?),
            0xca => Next::Single(f32::from_be_bytes(self.fixed()?)),
            0xcb => Next::Double(f64::from_be_bytes(self.fixed()?)),
            0xcc..=0xcf => Next::Unsigned(self.number(marker - 0xcc)?),
            0xd0 => Next::Signed(i8::from_be_bytes(self.fixed()?).into()),
            0xd1 => Next::Signed(i16::from_be_bytes(self.fixed()?).into()),
            0xd2 => Next::Signed(i32::from_be_bytes(self.fixed()?).into()),
            0xd3 => Next::Signed(i64::from_be_bytes(self.fixed()?)),
            0xd9..=0xdb => Next::String(self.length(marker - 0xd9)?),
            0xdc | 0xdd => Next::Array(self.count(marker - 0xdb)?),
            0xde | 0xdf => Next::Map(self.count(marker - 0xdd)?),
            0xe0..=0xff => Next::Signed(i8::from_be_bytes([marker]).into()),
            0xc1 | 0xc7..=0xc9 | 0xd4..=0xd8 => {
                return Err(Error::invalid("MessagePack's extensions are not read here"));
            }
        })
    }

    /// Reads the parts of an array or a map, all of them.
    fn parts<T>(
        &mut self,
        count: u32,
        visit: impl FnOnce(&mut Parts<'_, 'de>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.depth = self.depth.checked_sub(1).ok_or_else(|| Error::invalid("nested too deep"))?;
        let mut parts = Parts { reader: self, left: count };
        let value = visit(&mut parts)?;
        if parts.left > 0 {
            return Err(Error::invalid("an array or a map is too long"));
        }
        self.depth += 1;
        Ok(value)
    }

    fn any<V: Visitor<'de>>(&mut self, visitor: V, bytes: bool) -> Result<V::Value, Error> {
        match self.next()? {
            Next::Nil => visitor.visit_unit(),
            Next::Bool(value) => visitor.visit_bool(value),
            Next::Unsigned(number) => visitor.visit_u64(number),
            Next::Signed(number) => visitor.visit_i64(number),
            Next::Single(number) => visitor.visit_f32(number),
            Next::Double(number) => visitor.visit_f64(number),
            Next::String(length) => {
                let bytes = self.bytes(length)?;
                match str::from_utf8(bytes) {
                    Ok(text) => visitor.visit_borrowed_str(text),
                    // Bytes may have come as a string.
                    Err(_) => visitor
                        .visit_borrowed_bytes(bytes)
                        .map_err(|_: Error| Error::invalid("a string that is not UTF-8")),
                }
            }
            Next::Bytes(length) => {
                let found = self.bytes(length)?;
                if bytes {
                    visitor.visit_borrowed_bytes(found)
                } else {
                    visitor.visit_seq(de::value::SeqDeserializer::new(found.iter().copied()))
                }
            }
            Next::Array(count) => self.parts(count, |parts| visitor.visit_seq(parts)),
            Next::Map(count) => self.parts(count, |parts| visitor.visit_map(parts)),
        }
    }

    /// Numbers of 128 bits are 16 bytes, or short.
    fn wide(&mut self) -> Result<i128, Error> {
        match self.next()? {
            Next::Unsigned(number) => Ok(number.into()),
            Next::Signed(number) => Ok(number.into()),
            Next::Bytes(16) => Ok(i128::from_be_bytes(self.fixed()?)),
            _ => Err(Error::invalid("expected a number of 128 bits")),
        }
    }
}

macro_rules! any {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.any(visitor, true)
        })*
    };
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    any! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_map
        deserialize_identifier deserialize_ignored_any
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_i128(self.wide()?)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u128(self.wide()?.cast_unsigned())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.rest.split_first() {
            Some((0xc0, rest)) => {
                self.rest = rest;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Error> {
        match self.rest.split_first() {
            Some((0xc0 | 0x90, rest)) => {
                self.rest = rest;
                visitor.visit_unit()
            }
            _ => self.any(visitor, true),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.any(visitor, false)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        self.any(visitor, false)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.any(visitor, false)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.any(visitor, false)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        // The name alone, or a map of the name and what it carries.
        match self.rest.split_first() {
            Some((0x80..=0x8f | 0xde | 0xdf, _)) => match self.next()? {
                Next::Map(1) => self.parts(1, |parts| {
                    parts.left = 0;
                    visitor.visit_enum(Variant { reader: parts.reader, carries: true })
                }),
                _ => Err(Error::invalid("a variant is a map with one entry")),
            },
            _ => visitor.visit_enum(Variant { reader: self, carries: false }),
        }
    }
}

struct Parts<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: u32,
}

impl<'de> de::SeqAccess<'de> for &mut Parts<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        usize::try_from(self.left).ok()
    }
}

impl<'de> de::MapAccess<'de> for &mut Parts<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        de::SeqAccess::next_element_seed(self, seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        de::SeqAccess::size_hint(self)
    }
}

struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
    /// Its name is the key of a map.
    carries: bool,
}

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let value = seed.deserialize(&mut *self.reader)?;
        Ok((value, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        // As `{"Unit": nil}` it carries nothing, but carries.
        if self.carries { <()>::deserialize(self.reader) } else { Ok(()) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        if !self.carries {
            return Err(Error::invalid("a variant lacks what it carries"));
        }
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        if !self.carries {
            return Err(Error::invalid("a variant lacks what it carries"));
        }
        self.reader.any(visitor, false)
    }

    fn struct_variant<V: Visitor<'de>>(self, _fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        if !self.carries {
            return Err(Error::invalid("a variant lacks what it carries"));
        }
        self.reader.any(visitor, false)
    }
}
