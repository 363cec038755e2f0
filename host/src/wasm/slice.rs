//! What becomes of a guest that the epoch interrupts: it goes on, makes room for others, or ends. Every store's epoch
//! callback is this function; the deadline is one epoch ahead whenever a guest is entered.
//!
//! Must hold: a guest that is on a fiber only while it is made (its start function) is not suspended, since nobody would
//! resume it.

use wasmtime::{Error, Result, UpdateDeadline};

use crate::node::Slice;
use crate::wasm::fault::over;
use crate::wasm::state::State;

pub(super) fn on_epoch(state: &mut State) -> Result<UpdateDeadline> {
    let yields = state.yields;
    let slice = state.cx().slice_over(yields);
    match slice {
        Slice::GoOn => Ok(UpdateDeadline::Continue(1)),
        Slice::Yield => Ok(UpdateDeadline::Yield(1)),
        Slice::End(reason) => Err(Error::msg(reason)),
        Slice::Over(error) => Err(over(error)),
    }
}
