//! An actor that does what a script says: the hands of the integration tests inside the sandbox. It uses the contract
//! as it is, without the SDK, so that it can also do what a well-behaved actor would not: answer twice, or sessions that
//! are not its own, or send to addresses that it made up.
//!
//! `args` of the manifest is a script (a string) that runs in `init`; `control` alone makes it the tests' way in. Each
//! message's payload is a script, too. `script` says how one is written, `ops` what it can do.
//!
//! Must hold: what an operation ends with is kept in `$it`: its value, or `!code` for an error (its words in `$why`).

mod bindings;
mod control;
mod format;
mod ops;
mod script;
mod state;

use bindings::exports::wasmactor::actor::handler::{Event, Guest};
use bindings::wasmactor::actor::config;

struct Puppet;

impl Guest for Puppet {
    fn init() -> Result<(), String> {
        let args = script::text_of_args(&config::args());
        if args == "control" { control::init() } else { state::with(|state| state.run(&args)) }
    }

    fn handle(event: Event) -> Result<(), String> {
        if control::is_on() { control::handle(event) } else { state::with(|state| state.event(event)) }
    }
}
