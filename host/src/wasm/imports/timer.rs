//! `wit/timer.wit`. Traps: none.

use crate::base::Session;
use crate::wasm::bindings::wasmactor::actor::timer::Host;
use crate::wasm::state::State;

impl Host for State {
    fn timeout(&mut self, milliseconds: u64) -> u64 {
        self.cx().timeout(milliseconds).0
    }

    fn cancel(&mut self, timer: u64) -> bool {
        self.cx().cancel_timer(Session(timer))
    }

    fn now(&mut self) -> u64 {
        self.cx().now()
    }

    fn wall(&mut self) -> u64 {
        self.cx().wall()
    }
}
