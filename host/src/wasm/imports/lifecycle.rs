//! `wit/lifecycle.wit`. Traps: `watch`, over the limit of watches.

use wasmtime::Result as Trapped;

use crate::base::{Address, Payload, Session};
use crate::wasm::bindings::wasmactor::actor::lifecycle::{Decision, Error, Host, Signal};
use crate::wasm::convert::{decision_from, error, session, signal_from};
use crate::wasm::fault::over;
use crate::wasm::state::State;

impl Host for State {
    fn spawn(&mut self, module: String, name: Option<String>, args: Vec<u8>) -> Result<u64, Error> {
        session(self.cx().spawn(&module, name.as_deref(), Payload::from(args)))
    }

    fn exit(&mut self, reason: String) {
        self.cx().exit(reason);
    }

    fn kill(&mut self, target: u64, reason: String) -> Result<(), Error> {
        self.cx().kill(Address::from_raw(target), reason).map_err(error)
    }

    fn watch(&mut self, target: u64) -> Trapped<u64> {
        self.cx().watch(Address::from_raw(target)).map(|session| session.0).map_err(over)
    }

    fn unwatch(&mut self, watch: u64) -> bool {
        self.cx().unwatch(Session(watch))
    }

    fn link(&mut self, target: u64) -> Result<(), Error> {
        self.cx().link(Address::from_raw(target)).map_err(error)
    }

    fn unlink(&mut self, target: u64) -> bool {
        self.cx().unlink(Address::from_raw(target))
    }

    fn decide(&mut self, watch: u64, decision: Decision) -> Result<(), Error> {
        self.cx().decide(Session(watch), decision_from(decision)).map_err(error)
    }

    fn subscribe(&mut self, signal: Signal) {
        self.cx().subscribe(signal_from(signal));
    }
}
