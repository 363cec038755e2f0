//! `wit/socket.wit`. Traps: none.

use crate::base::Address;
use crate::wasm::bindings::wasmactor::actor::socket::{Error, Host};
use crate::wasm::convert::error;
use crate::wasm::state::State;

impl Host for State {
    fn listen(&mut self, at: String) -> Result<u64, Error> {
        self.cx().listen(&at).map_err(error)
    }

    fn connect(&mut self, to: String) -> Result<u64, Error> {
        self.cx().connect(&to).map_err(error)
    }

    fn start(&mut self, socket: u64) -> Result<(), Error> {
        self.cx().start(socket).map_err(error)
    }

    fn pause(&mut self, socket: u64) -> Result<(), Error> {
        self.cx().pause(socket).map_err(error)
    }

    fn write(&mut self, socket: u64, data: Vec<u8>) -> Result<u64, Error> {
        self.cx().write(socket, &data).map_err(error)
    }

    fn shutdown(&mut self, socket: u64) -> Result<(), Error> {
        self.cx().shutdown(socket).map_err(error)
    }

    fn close(&mut self, socket: u64) -> Result<(), Error> {
        self.cx().close(socket).map_err(error)
    }

    fn give(&mut self, socket: u64, to: u64) -> Result<(), Error> {
        self.cx().give(socket, Address::from_raw(to)).map_err(error)
    }

    fn local(&mut self, socket: u64) -> Result<String, Error> {
        self.cx().local(socket).map_err(error)
    }
}
