//! Which actor a request means, and how actors are called in answers.

use crate::base::Address;
use crate::control::protocol::{Caller, Problem};
use crate::node::{Names, Node};

/// Candidates that an error names.
const NAMED: usize = 5;

/// The actor that is meant, which lives now.
pub(super) fn find(node: &Node, text: &str) -> Result<Address, Problem> {
    let none = || Problem::new(Problem::NO_SUCH_ACTOR, format!("no actor `{text}`; `wasmactor ps` lists them"));
    if let Some(digits) = text.strip_prefix(':') {
        let address = u64::from_str_radix(digits, 16).ok().map(Address::from_raw);
        return address.filter(|address| node.is_alive(*address)).ok_or_else(none);
    }
    let name = if text.starts_with('.') { text.to_owned() } else { format!(".{text}") };
    if let Some(address) = node.lookup(&name) {
        return Ok(address);
    }
    let same = node.called(text);
    match same[..] {
        [] => Err(none()),
        [address] => Ok(address),
        _ => {
            let some: Vec<String> = same.iter().take(NAMED).map(Address::to_string).collect();
            let more = if same.len() > NAMED { ", …" } else { "" };
            let words = format!("{} actors are called `{text}`: {}{more}", same.len(), some.join(", "));
            Err(Problem::new(Problem::AMBIGUOUS, words))
        }
    }
}

/// An actor as answers name it; it may have ended. None: the host.
pub(super) fn caller(node: &Node, names: &Names, address: Address) -> Option<Caller> {
    if address == Address::HOST {
        return None;
    }
    let name = names.get(&address).and_then(|names| names.first().cloned());
    let label = || node.stats(address).map(|stats| stats.label.to_string());
    Some(Caller { address: address.to_string(), name: name.or_else(label).unwrap_or_default() })
}

/// The same where the host is a sender among others.
pub(super) fn sender(node: &Node, names: &Names, address: Address) -> Caller {
    let host = || Caller { address: Address::HOST.to_string(), name: "the host".to_owned() };
    caller(node, names, address).unwrap_or_else(host)
}
