//! The default encoding of messages: MessagePack, structs as maps with field names, so that actors in other languages
//! read and write the same bytes.

use crate::Error;
use serde::{Serialize, de::DeserializeOwned};

/// The message kind of everything that the SDK encodes. Other kinds are yours: their payloads are raw bytes.
pub const ENCODED: u32 = 0;

/// What `()` is encoded as.
pub(crate) const NOTHING: &[u8] = &[0xc0];

/// Encodes a value. Errors: `Invalid` if its `Serialize` refuses (none that serde derives does).
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    rmp_serde::to_vec_named(value).map_err(|error| Error::invalid(format_args!("cannot encode: {error}")))
}

/// Decodes a value. No bytes at all stand for "nothing": `()`, `None`, or a struct whose fields all have defaults.
///
/// Errors: `Invalid` if the bytes are not a `T`.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    const EMPTY_MAP: &[u8] = &[0x80];
    let decoded = if bytes.is_empty() {
        rmp_serde::from_slice(NOTHING).or_else(|_| rmp_serde::from_slice(EMPTY_MAP))
    } else {
        rmp_serde::from_slice(bytes)
    };
    decoded.map_err(|error| Error::invalid(format_args!("cannot decode {}: {error}", std::any::type_name::<T>())))
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
}
