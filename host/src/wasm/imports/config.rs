//! `wit/config.wit`. Traps: none.

use crate::wasm::bindings::wasmactor::actor::config::Host;
use crate::wasm::state::State;

impl Host for State {
    fn args(&mut self) -> Vec<u8> {
        self.cx().args().to_vec()
    }

    fn env(&mut self, key: String) -> Option<String> {
        self.cx().env(&key)
    }

    fn name(&mut self) -> String {
        self.cx().name().to_owned()
    }

    fn index(&mut self) -> u32 {
        self.cx().index()
    }
}
