//! `wit/registry.wit`. Traps: none.

use crate::wasm::bindings::wasmactor::actor::registry::{Error, Host};
use crate::wasm::convert::error;
use crate::wasm::state::State;

impl Host for State {
    fn register(&mut self, name: String) -> Result<(), Error> {
        self.cx().register(&name).map_err(error)
    }

    fn unregister(&mut self, name: String) -> bool {
        self.cx().unregister(&name)
    }

    fn lookup(&mut self, name: String) -> Option<u64> {
        self.cx().lookup(&name).map(|address| address.raw())
    }

    fn list(&mut self, prefix: String) -> Vec<(String, u64)> {
        self.cx().list(&prefix).into_iter().map(|(name, address)| (name, address.raw())).collect()
    }
}
