//! `wit/control.wit`. Traps: none.

use crate::base::Address;
use crate::node::order;
use crate::wasm::bindings::wasmactor::actor::control::{Action, Error, Host};
use crate::wasm::convert::{error, session};
use crate::wasm::state::State;

impl Host for State {
    fn reload(&mut self, module: String, action: Action, restart: bool, grace: u32) -> Result<u64, Error> {
        let action = match action {
            Action::Reload => order::Action::Reload,
            Action::Check => order::Action::Check,
            Action::Trial(percent) => order::Action::Trial(percent),
            Action::Commit => order::Action::Commit,
            Action::Rollback => order::Action::Rollback,
        };
        session(self.cx().reload(module, action, restart, grace))
    }

    fn restart(&mut self, target: u64, reason: String) -> Result<(), Error> {
        self.cx().restart(Address::from_raw(target), &reason).map_err(error)
    }

    fn ps(&mut self, filter: String, limit: u32) -> Result<u64, Error> {
        session(self.cx().ps(filter, limit))
    }
}
