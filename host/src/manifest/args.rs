//! An actor's `args`: any TOML value, as the MessagePack that SDKs decode.
//!
//! Dates become strings, as TOML writes them: MessagePack has none that all languages agree on.

use rmpv::Value;
use toml::de::DeValue;

use crate::manifest::diagnostic::Findings;
use crate::manifest::raw::{self, Node};

/// The bytes of a value. What does not fit (a number over 64 bits) is a fault.
pub(super) fn encode(node: &Node<'_>, findings: &mut Findings<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let value = value(node, findings);
    if let Err(error) = rmpv::encode::write_value(&mut bytes, &value) {
        findings.add(node.span(), format!("`args` cannot be encoded: {error}"));
    }
    bytes
}

/// As deep as the TOML parser goes, which bounds the depth of what it reads.
fn value(node: &Node<'_>, findings: &mut Findings<'_>) -> Value {
    match node.get_ref() {
        DeValue::String(text) => Value::from(text.as_ref()),
        whole @ DeValue::Integer(integer) => {
            let number = raw::integer(whole).map(Value::from);
            let number =
                number.or_else(|| u64::from_str_radix(integer.as_str(), integer.radix()).ok().map(Value::from));
            number.unwrap_or_else(|| too_large(node, findings))
        }
        DeValue::Float(float) => {
            float.as_str().parse::<f64>().map(Value::from).unwrap_or_else(|_| too_large(node, findings))
        }
        DeValue::Boolean(boolean) => Value::from(*boolean),
        DeValue::Datetime(datetime) => Value::from(datetime.to_string()),
        DeValue::Array(array) => Value::Array(array.iter().map(|entry| value(entry, findings)).collect()),
        DeValue::Table(table) => {
            let pair = |(key, entry): (&toml::Spanned<toml::de::DeString<'_>>, &Node<'_>)| {
                (Value::from(key.get_ref().as_ref()), value(entry, findings))
            };
            Value::Map(table.iter().map(pair).collect())
        }
    }
}

fn too_large(node: &Node<'_>, findings: &mut Findings<'_>) -> Value {
    findings.add(node.span(), "this number does not fit in 64 bits");
    Value::Nil
}
