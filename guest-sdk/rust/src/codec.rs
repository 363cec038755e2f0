//! The default encoding of messages: MessagePack, structs as maps with field names, so that actors in other languages
//! read and write the same bytes.

mod read;
mod write;

use crate::Error;
use read::Reader;
use serde::{Serialize, de::DeserializeOwned};
use write::Writer;

/// The message kind of everything that the SDK encodes. Other kinds are yours: their payloads are raw bytes.
pub const ENCODED: u32 = 0;

/// What `()` is encoded as.
pub(crate) const NOTHING: &[u8] = &[0xc0];

/// Encodes a value. Errors: `Invalid` if its `Serialize` refuses (none that serde derives does).
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    match value.serialize(Writer(&mut bytes)) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Error::invalid(format_args!("cannot encode: {}", error.reason))),
    }
}

/// Decodes a value. No bytes at all stand for "nothing": `()`, `None`, or a struct whose fields all have defaults. What
/// follows the value is not looked at.
///
/// Errors: `Invalid` if the bytes are not a `T`.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    const EMPTY_MAP: &[u8] = &[0x80];
    let read = |bytes| T::deserialize(&mut Reader::new(bytes));
    let decoded = if bytes.is_empty() { read(NOTHING).or_else(|_| read(EMPTY_MAP)) } else { read(bytes) };
    decoded
        .map_err(|error| Error::invalid(format_args!("cannot decode {}: {}", std::any::type_name::<T>(), error.reason)))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum Ask {
        Get,
        Put { key: String, value: i64 },
    }

    #[derive(Deserialize, Debug, PartialEq, Default)]
    #[serde(default)]
    struct Args {
        rounds: u32,
    }

    #[test]
    fn enums_travel_by_name() {
        assert_eq!(encode(&Ask::Get).unwrap(), b"\xa3Get");
        let put = Ask::Put { key: "k".into(), value: -1 };
        let bytes = encode(&put).unwrap();
        assert_eq!(bytes, b"\x81\xa3Put\x82\xa3key\xa1k\xa5value\xff");
        assert_eq!(decode::<Ask>(&bytes).unwrap(), put);
    }

    #[test]
    fn nothing_is_unit() {
        assert_eq!(encode(&()).unwrap(), super::NOTHING);
    }

    #[test]
    fn no_bytes_mean_nothing() {
        decode::<()>(&[]).unwrap();
        assert_eq!(decode::<Option<u8>>(&[]).unwrap(), None);
        assert_eq!(decode::<Args>(&[]).unwrap(), Args::default());
        assert!(decode::<u8>(&[]).unwrap_err().reason.contains("u8"));
    }

    /// All that serde knows.
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum All {
        Unit,
        New(Vec<Option<u8>>),
        Tuple(i8, u64, f32),
        Struct { name: String, inner: Inner },
        Bytes(#[serde(with = "bytes")] Vec<u8>),
        Flat(Flat),
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Inner {
        numbers: (i64, u128, i128, f64),
        flag: bool,
        letter: char,
        nothing: (),
        marker: Marker,
        wrapped: Wrapped,
        map: std::collections::BTreeMap<i32, String>,
        one: Option<Box<Inner>>,
        address: std::net::IpAddr,
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Marker;

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Wrapped(u16);

    /// Flattened, a struct is a map of a length that is not known before.
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Flat {
        own: u32,
        #[serde(flatten)]
        others: std::collections::BTreeMap<String, i16>,
    }

    mod bytes {
        use serde::de::{Deserializer, Error, Visitor};
        use serde::ser::Serializer;

        pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
            to.serialize_bytes(bytes)
        }

        pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
            struct Bytes;
            impl Visitor<'_> for Bytes {
                type Value = Vec<u8>;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("bytes")
                }

                fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                    Ok(bytes.to_vec())
                }
            }
            from.deserialize_bytes(Bytes)
        }
    }

    fn samples() -> Vec<All> {
        let inner = |number: i64, one| Inner {
            numbers: (number, number.unsigned_abs().into(), i128::from(number) << 60, 0.1),
            flag: number % 2 == 0,
            letter: 'ß',
            nothing: (),
            marker: Marker,
            wrapped: Wrapped(300),
            map: (0..20_i32).map(|key| (key * 1000 - 9000, "x".repeat(key.unsigned_abs() as usize))).collect(),
            one,
            address: "127.0.0.1".parse().unwrap(),
        };
        let mut samples = vec![All::Unit, All::New(vec![None, Some(0), Some(127), Some(128), Some(255)])];
        let edges =
            [0, 31, 32, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 1 << 31, (1 << 32) - 1, 1 << 32, i64::MAX];
        for edge in edges {
            samples.push(All::Tuple(-33, edge.unsigned_abs(), 1.5));
            for number in [edge, -edge, !edge] {
                let one = Some(Box::new(inner(number, None)));
                samples.push(All::Struct { name: String::from("äöü"), inner: inner(number, one) });
            }
        }
        for length in [0, 15, 16, 31, 32, 255, 256, 65535, 65536] {
            samples.push(All::Bytes(vec![7; length]));
            samples.push(All::New(vec![Some(1); length]));
            samples.push(All::Struct { name: "n".repeat(length), inner: inner(1, None) });
            let others = (0..length.min(1000)).map(|key| (key.to_string(), -1)).collect();
            samples.push(All::Flat(Flat { own: 1, others }));
        }
        samples
    }

    #[test]
    fn it_is_what_rmp_serde_reads_and_writes() {
        for sample in samples() {
            let (ours, theirs) = (encode(&sample).unwrap(), rmp_serde::to_vec_named(&sample).unwrap());
            assert_eq!(ours, theirs, "{sample:?}");
            assert_eq!(decode::<All>(&theirs).unwrap(), sample);
            // Structs as arrays, as others write them. A flattened one cannot be.
            if !matches!(sample, All::Flat(_)) {
                assert_eq!(decode::<All>(&rmp_serde::to_vec(&sample).unwrap()).unwrap(), sample);
            }
        }
    }

    #[test]
    fn damaged_bytes_are_an_error_or_another_value() {
        for sample in samples().into_iter().filter(|sample| encode(sample).unwrap().len() < 500) {
            let whole = encode(&sample).unwrap();
            for at in 0..whole.len() {
                assert!(decode::<All>(&whole[..at]).is_err() || at == 0);
                for bit in 0..8 {
                    let mut damaged = whole.clone();
                    damaged[at] ^= 1 << bit;
                    let (ours, theirs) = (decode::<All>(&damaged), rmp_serde::from_slice::<All>(&damaged));
                    // `NaN` is not itself; extensions, and `{"Unit": …}`, are rmp-serde's alone.
                    if let (Ok(ours), Ok(theirs)) = (&ours, &theirs) {
                        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
                    }
                }
            }
        }
        assert!(decode::<All>(&[]).is_err());
    }

    #[test]
    fn depth_is_bounded_and_errors_say_what_is_wrong() {
        #[derive(Deserialize, Debug)]
        struct Deep(#[expect(dead_code, reason = "it is only read")] Vec<Deep>);
        assert!(decode::<Deep>(&[0x91; 100_000]).unwrap_err().reason.contains("nested too deep"));
        assert!(decode::<u8>(b"\xa1x").unwrap_err().reason.contains("found a string, expected u8"));
        assert!(decode::<u8>(b"\xcd\x01\x00").unwrap_err().reason.contains("does not fit"));
        assert!(decode::<Ask>(b"\xa4Take").unwrap_err().reason.contains("unknown variant `Take`"));
        assert!(decode::<String>(b"\xa2\xff\xff").unwrap_err().reason.contains("not UTF-8"));
        assert!(decode::<u8>(b"\xd4\x01\x01").unwrap_err().reason.contains("extensions"));
    }
}
