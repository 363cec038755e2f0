//! `wit/messaging.wit`. Traps: none.

use crate::base::{Address, Payload, Session};
use crate::wasm::bindings::wasmactor::actor::messaging::{Error, Host};
use crate::wasm::convert::{error, session};
use crate::wasm::state::State;

impl Host for State {
    fn self_(&mut self) -> u64 {
        self.cx().address().raw()
    }

    fn send(&mut self, to: u64, kind: u32, payload: Vec<u8>) -> Result<(), Error> {
        self.cx().send(Address::from_raw(to), kind, Payload::from(payload)).map_err(error)
    }

    fn broadcast(&mut self, to: Vec<u64>, kind: u32, payload: Vec<u8>) -> u32 {
        let to: Vec<Address> = to.into_iter().map(Address::from_raw).collect();
        self.cx().broadcast(&to, kind, Payload::from(payload))
    }

    fn request(&mut self, to: u64, kind: u32, payload: Vec<u8>, timeout: u32, within: u64) -> Result<u64, Error> {
        session(self.cx().request(Address::from_raw(to), kind, Payload::from(payload), timeout, Session(within)))
    }

    fn cancel(&mut self, request: u64) -> bool {
        self.cx().cancel(Session(request))
    }

    fn ret(&mut self, payload: Vec<u8>) -> Result<(), Error> {
        self.cx().ret(Payload::from(payload)).map_err(error)
    }

    fn defer(&mut self) -> Result<u64, Error> {
        session(self.cx().defer())
    }

    fn reply(&mut self, request: u64, payload: Vec<u8>) -> Result<(), Error> {
        self.cx().reply(Session(request), Payload::from(payload)).map_err(error)
    }

    fn reject(&mut self, request: u64, reason: String) -> Result<(), Error> {
        self.cx().reject(Session(request), reason).map_err(error)
    }

    fn forward(&mut self, request: u64, to: u64, kind: u32, payload: Vec<u8>) -> Result<(), Error> {
        self.cx().forward(Session(request), Address::from_raw(to), kind, Payload::from(payload)).map_err(error)
    }

    fn remaining(&mut self, request: u64) -> Option<u64> {
        self.cx().remaining(Session(request))
    }
}
