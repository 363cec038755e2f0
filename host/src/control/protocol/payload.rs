//! Messages' payloads as JSON can say them. Used by `send` and `call`.

use rmpv::Value as Packed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

/// Bytes, in one of three ways.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// As MessagePack, which the SDKs decode.
    Value(Value),
    /// As UTF-8.
    Text(String),
    /// Two digits a byte.
    Hex(String),
}

impl Payload {
    /// The bytes. Errors: no hex.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::Value(value) => {
                let mut bytes = Vec::new();
                rmpv::encode::write_value(&mut bytes, &pack(value)).map_err(|error| error.to_string())?;
                Ok(bytes)
            }
            Self::Text(text) => Ok(text.as_bytes().to_vec()),
            Self::Hex(text) => unhex(text).ok_or_else(|| "hex has two digits of 0-9 a-f a byte".to_owned()),
        }
    }

    /// The most telling way to say these bytes; MessagePack only if that is expected.
    pub fn of(bytes: &[u8], packed: bool) -> Self {
        let mut rest = bytes;
        if packed
            && let Ok(value) = rmpv::decode::read_value(&mut rest)
            && rest.is_empty()
        {
            return Self::Value(unpack(&value));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Hex(hex(bytes)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

/// As deep as serde_json reads, which bounds it.
fn pack(value: &Value) -> Packed {
    match value {
        Value::Null => Packed::Nil,
        Value::Bool(bool) => Packed::from(*bool),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), ..) => Packed::from(number),
            (_, Some(number), _) => Packed::from(number),
            (.., number) => number.map_or(Packed::Nil, Packed::from),
        },
        Value::String(text) => Packed::from(text.as_str()),
        Value::Array(entries) => Packed::Array(entries.iter().map(pack).collect()),
        Value::Object(entries) => {
            Packed::Map(entries.iter().map(|(key, value)| (Packed::from(key.as_str()), pack(value))).collect())
        }
    }
}

/// What JSON has no word for becomes text. As deep as rmpv reads.
fn unpack(value: &Packed) -> Value {
    match value {
        Packed::Nil => Value::Null,
        Packed::Boolean(bool) => Value::Bool(*bool),
        Packed::Integer(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into(),
            (_, number) => number.map_or(Value::Null, Value::from),
        },
        Packed::F32(number) => float(f64::from(*number)),
        Packed::F64(number) => float(*number),
        Packed::String(text) => text.as_str().map_or_else(|| hex(text.as_bytes()), str::to_owned).into(),
        Packed::Binary(bytes) => hex(bytes).into(),
        Packed::Array(entries) => entries.iter().map(unpack).collect(),
        Packed::Map(entries) => {
            let key = |key: &Packed| key.as_str().map_or_else(|| unpack(key).to_string(), str::to_owned);
            Value::Object(entries.iter().map(|(name, value)| (key(name), unpack(value))).collect::<Map<_, _>>())
        }
        Packed::Ext(kind, bytes) => format!("{kind}:{}", hex(bytes)).into(),
    }
}

fn float(number: f64) -> Value {
    Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::Payload;
    use serde_json::{Value, json};

    #[test]
    fn values_come_back_through_messagepack() {
        for value in [
            json!(null),
            json!([true, -7, 18_446_744_073_709_551_615_u64, 1.5, "ä"]),
            json!({ "a": { "b": [] }, "c": {} }),
        ] {
            let bytes = Payload::Value(value.clone()).bytes().expect("packs");
            assert_eq!(Payload::of(&bytes, true), Payload::Value(value));
        }
    }

    #[test]
    fn bytes_are_said_in_the_most_telling_way() {
        assert_eq!(Payload::of(b"ok", false), Payload::Text("ok".to_owned()));
        assert_eq!(Payload::of(b"ok", true), Payload::Text("ok".to_owned()), "a number, and more");
        let odd = Payload::of(&[0xff, 0], false);
        assert_eq!(odd, Payload::Hex("ff00".to_owned()));
        assert_eq!(odd.bytes().expect("hex"), [0xff, 0]);
        assert!(Payload::Hex("f".to_owned()).bytes().is_err() && Payload::Hex("zz".to_owned()).bytes().is_err());
        // A map whose keys are numbers, bytes, what is no number.
        let bytes = [0x82, 1, 0xc4, 1, 0xab, 0xa1, b'n', 0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0];
        assert_eq!(Payload::of(&bytes, true), Payload::Value(json!({ "1": "ab", "n": "NaN" })));
        assert_eq!(Payload::of(&[0xc0], true), Payload::Value(Value::Null));
    }
}
