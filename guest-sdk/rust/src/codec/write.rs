//! Writing MessagePack: a serde serializer into a vector. Structs are maps with field names, enums `"Unit"` or
//! `{"Variant": …}`, numbers as short as they go: byte for byte what rmp-serde's `to_vec_named` writes.

use std::fmt::Display;

use serde::ser::{self, Serialize};

use crate::Error;

impl ser::Error for Error {
    fn custom<T: Display>(text: T) -> Self {
        Self::invalid(text)
    }
}

/// A map, array, struct or variant whose parts are being written.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    to: &'a mut Vec<u8>,
    /// Of a map or array that did not say how long it is: where it starts, and how many parts it has by now.
    open: Option<(usize, u32)>,
    array: bool,
}

fn length(length: usize) -> Result<u32, Error> {
    u32::try_from(length).map_err(|_| Error::invalid("too long to encode"))
}

/// A marker of one of three sizes: `fixed` up to 15, or 16 and 32 bits.
fn counted(to: &mut Vec<u8>, length: u32, fixed: u8, wide: u8) {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(few @ 0..16), _) => to.push(fixed | few),
        (_, Ok(length)) => tagged(to, wide, length.to_be_bytes()),
        _ => tagged(to, wide + 1, length.to_be_bytes()),
    }
}

fn array(to: &mut Vec<u8>, length: u32) {
    counted(to, length, 0x90, 0xdc);
}

fn map(to: &mut Vec<u8>, length: u32) {
    counted(to, length, 0x80, 0xde);
}

fn tagged<const N: usize>(to: &mut Vec<u8>, tag: u8, bytes: [u8; N]) {
    to.push(tag);
    to.extend_from_slice(&bytes);
}

/// Strings and bytes: the marker for 8 bits of length, then those for 16 and 32.
fn sized(to: &mut Vec<u8>, short: u8, bytes: &[u8]) -> Result<(), Error> {
    let length = length(bytes.len())?;
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) => tagged(to, short, [length]),
        (_, Ok(length)) => tagged(to, short + 1, length.to_be_bytes()),
        _ => tagged(to, short + 2, length.to_be_bytes()),
    }
    to.extend_from_slice(bytes);
    Ok(())
}

fn string(to: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    match u8::try_from(text.len()) {
        Ok(few @ 0..32) => {
            to.push(0xa0 | few);
            to.extend_from_slice(text.as_bytes());
            Ok(())
        }
        _ => sized(to, 0xd9, text.as_bytes()),
    }
}

fn unsigned(to: &mut Vec<u8>, number: u64) {
    match (u8::try_from(number), u16::try_from(number), u32::try_from(number)) {
        (Ok(number @ 0..128), ..) => to.push(number),
        (Ok(number), ..) => tagged(to, 0xcc, [number]),
        (_, Ok(number), _) => tagged(to, 0xcd, number.to_be_bytes()),
        (.., Ok(number)) => tagged(to, 0xce, number.to_be_bytes()),
        _ => tagged(to, 0xcf, number.to_be_bytes()),
    }
}

fn signed(to: &mut Vec<u8>, number: i64) {
    if let Ok(number) = u64::try_from(number) {
        return unsigned(to, number);
    }
    match (i8::try_from(number), i16::try_from(number), i32::try_from(number)) {
        (Ok(number @ -32..0), ..) => to.extend(number.to_be_bytes()),
        (Ok(number), ..) => tagged(to, 0xd0, number.to_be_bytes()),
        (_, Ok(number), _) => tagged(to, 0xd1, number.to_be_bytes()),
        (.., Ok(number)) => tagged(to, 0xd2, number.to_be_bytes()),
        _ => tagged(to, 0xd3, number.to_be_bytes()),
    }
}

pub(super) struct Writer<'a>(pub(super) &'a mut Vec<u8>);

impl<'a> Writer<'a> {
    fn variant(self, name: &str) -> Result<Self, Error> {
        map(self.0, 1);
        string(self.0, name)?;
        Ok(self)
    }

    fn parts(self, count: Option<usize>, is_array: bool) -> Result<Parts<'a>, Error> {
        let open = match count {
            Some(count) => {
                let count = length(count)?;
                if is_array {
                    array(self.0, count)
                } else {
                    map(self.0, count)
                };
                None
            }
            None => Some((self.0.len(), 0)),
        };
        Ok(Parts { to: self.0, open, array: is_array })
    }
}

macro_rules! widened {
    ($($method:ident $narrow:ident $wide:ident;)*) => {
        $(fn $method(self, value: $narrow) -> Result<(), Error> {
            self.$wide(value.into())
        })*
    };
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    widened! {
        serialize_i8 i8 serialize_i64; serialize_i16 i16 serialize_i64; serialize_i32 i32 serialize_i64;
        serialize_u8 u8 serialize_u64; serialize_u16 u16 serialize_u64; serialize_u32 u32 serialize_u64;
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.0.push(0xc2 | u8::from(value));
        Ok(())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        signed(self.0, value);
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result<(), Error> {
        self.serialize_bytes(&value.to_be_bytes())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        unsigned(self.0, value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        self.serialize_bytes(&value.to_be_bytes())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        tagged(self.0, 0xca, value.to_be_bytes());
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        tagged(self.0, 0xcb, value.to_be_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        string(self.0, value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        string(self.0, value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        sized(self.0, 0xc4, value)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.push(0xc0);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        array(self.0, 0);
        Ok(())
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result<(), Error> {
        string(self.0, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self.variant(variant)?)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Parts<'a>, Error> {
        self.parts(length, true)
    }

    fn serialize_tuple(self, length: usize) -> Result<Parts<'a>, Error> {
        self.parts(Some(length), true)
    }

    fn serialize_tuple_struct(self, _name: &'static str, length: usize) -> Result<Parts<'a>, Error> {
        self.parts(Some(length), true)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Parts<'a>, Error> {
        self.variant(variant)?.parts(Some(length), true)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Parts<'a>, Error> {
        self.parts(length, false)
    }

    fn serialize_struct(self, _name: &'static str, length: usize) -> Result<Parts<'a>, Error> {
        self.parts(Some(length), false)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Parts<'a>, Error> {
        self.variant(variant)?.parts(Some(length), false)
    }
}

impl Parts<'_> {
    /// An element, or a map's key with the value that follows.
    fn next<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if let Some((_, count)) = &mut self.open {
            *count = count.checked_add(1).ok_or_else(|| Error::invalid("too long to encode"))?;
        }
        value.serialize(Writer(self.to))
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        string(self.to, name)?;
        value.serialize(Writer(self.to))
    }

    #[expect(clippy::unnecessary_wraps, reason = "serde's `end`")]
    fn close(self) -> Result<(), Error> {
        if let Some((start, count)) = self.open {
            // Now the length is known; what was written moves up behind it.
            let mut marker = Vec::with_capacity(5);
            if self.array {
                array(&mut marker, count)
            } else {
                map(&mut marker, count)
            };
            self.to.splice(start..start, marker);
        }
        Ok(())
    }
}

/// What is written element by element, without names.
macro_rules! elements {
    ($($part:ident $method:ident;)*) => {
        $(impl ser::$part for Parts<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.next(value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        })*
    };
}

/// What is written with the names of its fields.
macro_rules! fields {
    ($($part:ident)*) => {
        $(impl ser::$part for Parts<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        })*
    };
}

elements! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}
fields! { SerializeStruct SerializeStructVariant }

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.next(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Writer(self.to))
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}
