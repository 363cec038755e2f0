//! What is known of an instance that trapped, for the report: its stack, and its memories and globals as a core dump.
//! Used by [`super::behavior`] and [`super::instance`], where guest code was entered.
//!
//! wasmtime notes at a trap what there is to be dumped, which costs microseconds; the dump itself is made here, and only
//! if a report is wanted. Must hold: functions have the numbers that they have in the guest's own module, also where it
//! was rewritten to run flat.

use wasmtime::{Error, FrameInfo, Store, WasmBacktrace, WasmCoreDump};

use crate::actor::{Evidence, Frame};
use crate::node::Context;
use crate::wasm::engine::GUEST_STACK;
use crate::wasm::flat;
use crate::wasm::state::State;

/// Leaves it in the context, if it is wanted. `flat`: the module was rewritten.
pub(super) fn leave(cx: &mut Context, error: &Error, store: &mut Store<State>, flat: bool) {
    let Some(most) = cx.wants_evidence() else { return };
    let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], WasmBacktrace::frames);
    let frames = frames.iter().filter_map(|info| frame(info, flat)).collect();
    let limits = &store.data().limits;
    let (used, table) = (limits.used(), limits.table());
    let (dump, undumped) = match error.downcast_ref::<WasmCoreDump>() {
        None => (None, Some("the instance was not inside of its code".to_owned())),
        Some(_) if most == 0 => (None, Some("the manifest wants none".to_owned())),
        Some(_) if used > most => (None, Some(format!("{used} bytes of memory are over the limit of {most}"))),
        Some(dump) => (Some(dump.serialize(&mut *store, cx.name())), None),
    };
    let limits = vec![("stack-bytes", GUEST_STACK as u64), ("table-elements", table as u64)];
    cx.leave_evidence(Evidence { frames, dump, undumped, limits });
}

/// None: the host put it around the guest.
fn frame(info: &FrameInfo, flat: bool) -> Option<Frame> {
    let name = info.func_name();
    let index = if flat { flat::original(name, info.func_index())? } else { info.func_index() };
    let function = name.map(|name| addr2line::demangle_auto(name.into(), None).into_owned());
    let offset = info.func_offset().and_then(|offset| u32::try_from(offset).ok());
    Some(Frame { function, index, offset, at: info.module_offset(), lines: Vec::new() })
}
