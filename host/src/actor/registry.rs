//! Names → addresses on this node. Many reads, few writes. Used by `node`.
//!
//! Must hold: the first registration of a name wins; a name ends with its actor.

use std::collections::BTreeMap;

use crate::base::Address;
use crate::base::sync::RwLock;

/// Longest name in bytes, dot included.
pub const NAME_MAX: usize = 64;

/// Why a name was not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a name of this node starts with `.` and has 2 to 64 characters of a-z A-Z 0-9 . _ - /")]
    Malformed,
    #[error("the name is taken by {0}")]
    Taken(Address),
}

/// See the file's head.
#[derive(Debug, Default)]
pub struct Registry {
    names: RwLock<BTreeMap<String, Address>>,
}

/// Whether a name is well formed.
pub fn check(name: &str) -> Result<(), NameError> {
    let rest = name.strip_prefix('.').ok_or(NameError::Malformed)?;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    if rest.is_empty() || name.len() > NAME_MAX || !rest.bytes().all(good) {
        return Err(NameError::Malformed);
    }
    Ok(())
}

impl Registry {
    /// Gives a name to an address.
    pub fn register(&self, name: &str, address: Address) -> Result<(), NameError> {
        check(name)?;
        let mut names = self.names.write();
        if let Some(owner) = names.get(name) {
            return Err(NameError::Taken(*owner));
        }
        names.insert(name.to_owned(), address);
        Ok(())
    }

    /// Takes a name back, if it is this address's.
    pub fn unregister(&self, name: &str, address: Address) -> bool {
        let mut names = self.names.write();
        let own = names.get(name) == Some(&address);
        if own {
            names.remove(name);
        }
        own
    }

    /// The address behind a name.
    pub fn lookup(&self, name: &str) -> Option<Address> {
        self.names.read().get(name).copied()
    }

    /// All names that start with a prefix, sorted.
    pub fn list(&self, prefix: &str) -> Vec<(String, Address)> {
        let names = self.names.read();
        let from = names.range(prefix.to_owned()..);
        from.take_while(|(name, _)| name.starts_with(prefix)).map(|(name, address)| (name.clone(), *address)).collect()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{NameError, Registry};
    use crate::base::Address;

    #[test]
    fn first_registration_wins() {
        let (registry, a, b) = (Registry::default(), Address::new(0, 0, 1), Address::new(0, 0, 2));
        registry.register(".bank", a).expect("free");
        assert_eq!(registry.register(".bank", b), Err(NameError::Taken(a)));
        assert!(!registry.unregister(".bank", b));
        assert!(registry.unregister(".bank", a));
        registry.register(".bank", b).expect("free again");
    }

    #[test]
    fn names_are_checked() {
        let long = format!(".{}", "x".repeat(64));
        for bad in ["", ".", "bank", "@bank", ".b k", ".bänk", long.as_str()] {
            assert_eq!(Registry::default().register(bad, Address::HOST), Err(NameError::Malformed), "{bad}");
        }
    }

    #[test]
    fn list_is_sorted_and_by_prefix() {
        let registry = Registry::default();
        for (slot, name) in [".b", ".a.1", ".a.0", ".ab"].iter().enumerate() {
            registry.register(name, Address::new(0, 0, u32::try_from(slot).expect("few"))).expect("free");
        }
        let names: Vec<String> = registry.list(".a.").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, [".a.0", ".a.1"]);
    }
}
