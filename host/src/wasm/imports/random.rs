//! `wit/random.wit`. Traps: none.

use crate::wasm::bindings::wasmactor::actor::random::Host;
use crate::wasm::state::State;

impl Host for State {
    fn get(&mut self) -> u64 {
        self.cx().random()
    }
}
