//! How the host enters a module: what `actor!` and `async_actor!` export. The two events that nearly everything is made of,
//! a message and an answer, go straight to their handlers; all others, and every import, go through what wit-bindgen
//! makes. That would lift each event into an `Event` in memory first, which costs as much as a small handler.
//!
//! Must hold: the flat parameters are those of `handler.handle` in `wit/handler.wit` by the canonical ABI. The macro below
//! has the name, and the types, of the one that wit-bindgen's `export!` would call, so a change of either is an error of
//! the compiler.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ptr::{slice_from_raw_parts_mut, with_exposed_provenance_mut};

use crate::bindings::exports::wasmactor::actor::handler;

/// What an exported type does beside `Guest`: the hot events.
pub trait Entry: handler::Guest {
    /// An `event::message`.
    fn message(source: u64, session: u64, kind: u32, payload: Vec<u8>) -> Result<(), String>;
    /// An `event::reply` with an answer.
    fn answered(session: u64, payload: Vec<u8>) -> Result<(), String>;
}

/// Where the host finds the error that `handle` returned last, until there is another one. So there is no `cabi_post`,
/// which would be one more call for each event.
struct Returned(UnsafeCell<[usize; 3]>);

#[expect(unsafe_code, reason = "a static that the host reads")]
// SAFETY: the host enters a module by one thread at a time, and reads before it enters again.
unsafe impl Sync for Returned {}

static FAILED: Returned = Returned(UnsafeCell::new([0; 3]));
/// Where it finds that all is well: never written, which is one thing less to do for each event.
static DONE: Returned = Returned(UnsafeCell::new([0; 3]));

/// The export `handle`, flat: the variant's number, then the parameters that its cases share.
///
/// # Safety
///
/// The parameters are what the canonical ABI makes of an `event`: payloads are blocks of `cabi_realloc`, now ours.
#[expect(unsafe_code, reason = "the canonical ABI")]
pub unsafe fn handle<T: Entry>(
    event: i32,
    first: i64,
    second: i64,
    third: MaybeUninit<u64>,
    fourth: *mut u8,
    fifth: usize,
) -> *mut u8 {
    // SAFETY: the caller's promise; `third` of a reply with an answer is the payload's address, as it is in wit-bindgen's
    // code, and its length is where that has a pointer.
    let done = unsafe {
        match event {
            0 => {
                #[expect(clippy::cast_possible_truncation, reason = "a u32 in an i64")]
                let kind = third.assume_init() as u32;
                let payload = Vec::from_raw_parts(fourth, fifth, fifth);
                T::message(first.cast_unsigned(), second.cast_unsigned(), kind, payload)
            }
            1 if second == 0 => {
                let (at, length) = (third.as_ptr().cast::<*mut u8>().read(), fourth.addr());
                T::answered(first.cast_unsigned(), Vec::from_raw_parts(at, length, length))
            }
            _ => {
                let at = handler::_export_handle_cabi::<T>(event, first, second, third, fourth, fifth);
                // What `cabi_post` would free goes the same way as our own.
                return match at.read() {
                    0 => at,
                    _ => {
                        let [_, text, length] = at.cast::<[usize; 3]>().read();
                        failed(boxed(text, length))
                    }
                };
            }
        }
    };
    match done {
        Ok(()) => DONE.0.get().cast(),
        Err(reason) => failed(reason.into_bytes().into_boxed_slice()),
    }
}

/// What `handle` returns with an error.
#[cold]
#[expect(unsafe_code, reason = "the canonical ABI")]
fn failed(reason: Box<[u8]>) -> *mut u8 {
    let (length, text) = (reason.len(), Box::into_raw(reason).cast::<u8>());
    let returned = FAILED.0.get();
    // SAFETY: the host has read what was there, and reads no more before this returns; a text there is a leaked box's.
    unsafe {
        if let [1, old, length] = returned.replace([1, text.expose_provenance(), length]) {
            drop(boxed(old, length));
        }
    }
    returned.cast()
}

/// A box of bytes again.
///
/// # Safety
///
/// Address and length are those of one that was leaked.
#[expect(unsafe_code, reason = "the canonical ABI")]
unsafe fn boxed(at: usize, length: usize) -> Box<[u8]> {
    // SAFETY: the caller's promise.
    unsafe { Box::from_raw(slice_from_raw_parts_mut(with_exposed_provenance_mut::<u8>(at), length)) }
}

/// The path by which wit-bindgen's `export!` finds the macro.
pub mod exports {
    /// As in `wit/`.
    pub mod wasmactor {
        /// As in `wit/`.
        pub mod actor {
            /// As in `wit/`.
            pub mod handler {
                pub use crate::__wasmactor_exports as __export_wasmactor_actor_handler_0_1_0_cabi;
            }
        }
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! __wasmactor_exports {
    ($export:ident with_types_in $($path:tt)*) => {
        const _: () = {
            // SAFETY: the host calls it as the canonical ABI says; what it hands on is what it was handed.
            #[unsafe(export_name = "wasmactor:actor/handler@0.1.0#init")]
            unsafe extern "C" fn init() -> *mut u8 {
                unsafe { $crate::bindings::exports::wasmactor::actor::handler::_export_init_cabi::<$export>() }
            }

            // SAFETY: the host calls it as the canonical ABI says; what it hands on is what it was handed.
            #[unsafe(export_name = "cabi_post_wasmactor:actor/handler@0.1.0#init")]
            unsafe extern "C" fn after_init(returned: *mut u8) {
                unsafe { $crate::bindings::exports::wasmactor::actor::handler::__post_return_init::<$export>(returned) }
            }

            // SAFETY: the host calls it as the canonical ABI says; what it hands on is what it was handed.
            #[unsafe(export_name = "wasmactor:actor/handler@0.1.0#handle")]
            unsafe extern "C" fn handle(
                event: i32,
                first: i64,
                second: i64,
                third: ::core::mem::MaybeUninit<u64>,
                fourth: *mut u8,
                fifth: usize,
            ) -> *mut u8 {
                unsafe { $crate::entry::handle::<$export>(event, first, second, third, fourth, fifth) }
            }
        };
    };
}
