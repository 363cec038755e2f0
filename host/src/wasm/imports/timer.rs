//! `wit/timer.wit`. Traps: `timeout`, over the limit of timers.

use wasmtime::Result;

use crate::base::Session;
use crate::wasm::bindings::wasmactor::actor::timer::Host;
use crate::wasm::fault::over;
use crate::wasm::state::State;

impl Host for State {
    fn timeout(&mut self, milliseconds: u64) -> Result<u64> {
        self.cx().timeout(milliseconds).map(|session| session.0).map_err(over)
    }

    fn cancel(&mut self, timer: u64) -> Result<bool> {
        Ok(self.cx().cancel_timer(Session(timer)))
    }

    fn now(&mut self) -> Result<u64> {
        Ok(self.cx().seen_now())
    }

    fn wall(&mut self) -> Result<u64> {
        Ok(self.cx().seen_wall())
    }
}
