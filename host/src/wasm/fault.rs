//! The end of an instance in words. Used wherever guest code was entered.
//!
//! Must hold: the first line is short and says what happened; the others name the guest's functions (from the name
//! section; `<wasm function N>` without one) or add what helps. Nothing of the host's own stack is in it.

use std::borrow::Cow;

use wasmtime::component::ResourceTableError;
use wasmtime::{Error, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::actor::Fault;
use crate::base::CallError;
use crate::wasm::engine::GUEST_STACK;
use crate::wasm::flat::NAMES;
use crate::wasm::state::Limits;

/// What an import says that has no result to say it with: the guest is over a limit, and ends.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Over(Cow<'static, str>);

/// The trap for it.
pub(super) fn over(error: CallError) -> Error {
    Error::new(Over(error.reason))
}

/// Why no instance was made.
pub(super) fn stillborn(error: &Error, limits: &Limits) -> String {
    match limits.refused {
        // Only a start function can have grown anything before; in any case this is what did not fit.
        Some(wanted) => format!("its memory needs {wanted} bytes at the start, {}", limits.most()),
        None => fault(error, limits).to_string(),
    }
}

/// The guest's functions, a line each, the innermost first.
pub(super) fn stack(trace: &WasmBacktrace) -> Vec<String> {
    // The first line of the trace is a title. What the host put around a flat guest is none of its own.
    let text = trace.to_string();
    text.lines().skip(1).filter(|frame| !frame.contains(NAMES)).map(|frame| frame.trim_start().to_owned()).collect()
}

/// Whether WASI has as many files, streams and pollables for the actor as it may have.
fn is_full(error: &Error) -> bool {
    matches!(error.root_cause().downcast_ref(), Some(ResourceTableError::Full))
}

/// Why guest code did not return.
pub(super) fn fault(error: &Error, limits: &Limits) -> Fault {
    let trap = error.downcast_ref::<Trap>();
    let mut text = match trap {
        Some(Trap::StackOverflow) => format!("the call stack is over its limit of {} KiB", GUEST_STACK >> 10),
        Some(trap) => trap.to_string().trim_start_matches("wasm trap: ").to_owned(),
        None => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(status)) => format!("called WASI's exit with status {status}"),
            None if is_full(error) => format!("over this actor's limit `files`, which is {}", limits.files()),
            None => error.root_cause().to_string(),
        },
    };
    if let Some(wanted) = limits.refused {
        text.push_str(&format!("\n  note: its memory was not grown to {wanted} bytes, {}", limits.most()));
    }
    if let Some(trace) = error.downcast_ref::<WasmBacktrace>() {
        for frame in stack(trace) {
            text.push_str("\n  at ");
            text.push_str(&frame);
        }
    }
    match trap {
        Some(Trap::StackOverflow) => Fault::Limit(text),
        None if is_full(error) || error.downcast_ref::<Over>().is_some() => Fault::Limit(text),
        _ => Fault::Trap(text),
    }
}
