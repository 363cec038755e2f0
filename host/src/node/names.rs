//! Names, as an actor may use them. The meaning of each function is that of `wit/registry.wit`.

use crate::base::{Address, CallError, ErrorCode, Pattern};
use crate::node::Context;
use crate::node::limits::over;

impl Context {
    /// Registers a name for this actor.
    pub fn register(&mut self, name: &str) -> Result<(), CallError> {
        let inner = self.inner_mut();
        inner.outward()?;
        crate::actor::registry::check(name).map_err(|error| CallError::new(ErrorCode::Invalid, error.to_string()))?;
        if !Pattern::any(&inner.kind.grants.names, name) {
            return Err(CallError::new(ErrorCode::NotGranted, format!("no grant to use the name `{name}`")));
        }
        // An earlier instance of this actor may have registered it.
        let own = inner.rare.as_ref().map_or(&[][..], |rare| &rare.names);
        if inner.had_another() && own.iter().any(|own| own == name) {
            return Ok(());
        }
        let most = inner.kind.limits.names;
        if own.len() >= most as usize {
            return Err(over("names", most));
        }
        let registered = inner.node.registry.register(name, inner.address);
        registered.map_err(|error| CallError::new(ErrorCode::Invalid, format!("name `{name}`: {error}")))?;
        inner.rare().names.push(name.to_owned());
        Ok(())
    }

    /// Gives a name of this actor back.
    pub fn unregister(&mut self, name: &str) -> bool {
        let inner = self.inner_mut();
        if inner.is_aside() {
            return false;
        }
        inner.rare().names.retain(|own| own != name);
        inner.node.registry.unregister(name, inner.address)
    }

    /// The address behind a name.
    pub fn lookup(&self, name: &str) -> Option<Address> {
        self.inner().node.registry.lookup(name)
    }

    /// All names that start with a prefix, sorted.
    pub fn list(&self, prefix: &str) -> Vec<(String, Address)> {
        self.inner().node.registry.list(prefix)
    }
}
