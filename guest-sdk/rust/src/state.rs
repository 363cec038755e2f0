//! [`Keep`]: what goes over when an actor's module is reloaded, and the exports `save`, `load` and `self-test` of it, which
//! `actor!(…, state)` and `async_actor!(…, state)` make.
//!
//! Must hold: the exports are those of `wit/state.wit` by the canonical ABI.

use std::cell::UnsafeCell;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Visitor};

use crate::{Failure, Result, decode, encode};

/// An actor that goes on with its state when its module is reloaded. Export it by `actor!(Counter, state)` or
/// `async_actor!(Proxy, state)`.
///
/// The new instance has the old one's address, names, arguments, mailbox, timers, sockets and watches: so [`Timer`], [`Socket`],
/// [`Watch`], [`Held`] (a `Deferred` that goes over) and [`Asked`] can be a part of the state. If
/// anything fails, a panic too, the old instance goes on (but for a panic in `save` of a guest that uses WASI: it has failed).
/// In these functions nothing can be sent, spawned, named, connected or answered; timers and watches are fine.
///
/// [`Timer`]: crate::Timer
/// [`Socket`]: crate::Socket
/// [`Watch`]: crate::lifecycle::Watch
/// [`Held`]: crate::Held
/// [`Asked`]: crate::exclusive::Asked
pub trait Keep: Sized {
    /// What goes over, encoded like messages: a later version reads it if its fields have defaults where they are new.
    type State: Serialize + DeserializeOwned;

    /// Whether this is a moment to save, with so many requests in flight: those that were not answered, and those whose answer
    /// has not come; of an interleaved actor also its handlers that have not ended. By default if there are none; else it is asked
    /// again until they are over. Say yes only if the state has all that is needed to go on with them: the tasks of an
    /// interleaved actor do not go over.
    fn ready(&self, in_flight: u32) -> bool {
        in_flight == 0
    }

    /// The state. It must not change anything. An error: the actor is not to be exchanged now.
    fn save(&self) -> Result<Self::State>;

    /// Instead of `init`: goes on from a state that an instance of this version saved (digits of its content's hash). It may be
    /// a newer one, when a reload is rolled back. An error: the old instance goes on.
    fn load(state: Self::State, version: &str) -> Result<Self>;

    /// Right after `load`: whether all is well. An error: the old instance goes on.
    fn self_test(&self) -> Result {
        Ok(())
    }
}

/// Bytes that are encoded as such, where a `Vec<u8>` is a list of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Bytes;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> std::result::Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_byte_buf(Reader)
    }
}

/// What the macros implement. An error, or none: see `wit/state.wit`.
#[doc(hidden)]
pub trait Entry {
    fn save(in_flight: u32) -> std::result::Result<Option<Vec<u8>>, String>;
    fn load(state: &[u8], version: &str) -> std::result::Result<(), String>;
    fn self_test() -> std::result::Result<(), String>;
}

#[doc(hidden)]
pub fn save<K: Keep>(actor: &K, in_flight: u32) -> std::result::Result<Option<Vec<u8>>, String> {
    if !actor.ready(in_flight) {
        return Ok(None);
    }
    let state = actor.save().map_err(Failure::into_reason)?;
    encode(&state).map(Some).map_err(|error| error.to_string())
}

#[doc(hidden)]
pub fn load<K: Keep>(state: &[u8], version: &str) -> std::result::Result<K, String> {
    crate::logger::install();
    let state = decode(state).map_err(|error| error.to_string())?;
    K::load(state, version).map_err(Failure::into_reason)
}

#[doc(hidden)]
pub fn self_test<K: Keep>(actor: &K) -> std::result::Result<(), String> {
    actor.self_test().map_err(Failure::into_reason)
}

/// Where the host finds what a function returned, until its `cabi_post`.
struct Returned(UnsafeCell<[usize; 4]>);

#[expect(unsafe_code, reason = "a static that the host reads")]
// SAFETY: the host enters a module by one thread at a time, and reads before it enters again.
unsafe impl Sync for Returned {}

static RETURNED: Returned = Returned(UnsafeCell::new([0; 4]));

/// A result as the canonical ABI has it; "ok" without bytes is the same in both types.
#[doc(hidden)]
pub fn returned(outcome: std::result::Result<Option<Vec<u8>>, String>) -> *mut u8 {
    let leak = |bytes: Vec<u8>| {
        let bytes = Box::leak(bytes.into_boxed_slice());
        (bytes.as_mut_ptr().expose_provenance(), bytes.len())
    };
    let value = match outcome {
        Ok(None) => [0; 4],
        Ok(Some(state)) => {
            let (at, length) = leak(state);
            [0, 1, at, length]
        }
        Err(reason) => {
            let (at, length) = leak(reason.into_bytes());
            [1, at, length, 0]
        }
    };
    let returned = RETURNED.0.get();
    #[expect(unsafe_code, reason = "the canonical ABI")]
    // SAFETY: nobody reads it before this returns.
    unsafe {
        returned.write(value);
    }
    returned.cast()
}

/// The host has read it.
///
/// # Safety
///
/// Once after each [`returned`].
#[doc(hidden)]
#[expect(unsafe_code, reason = "the canonical ABI")]
pub unsafe fn free() {
    // SAFETY: what is in there was leaked by `returned`, which nobody has freed.
    unsafe {
        let (at, length) = match RETURNED.0.get().replace([0; 4]) {
            [0, 1, at, length] | [1, at, length, _] => (at, length),
            _ => return,
        };
        let bytes = std::ptr::slice_from_raw_parts_mut(std::ptr::with_exposed_provenance_mut::<u8>(at), length);
        drop(Box::from_raw(bytes));
    }
}

/// A parameter, which the host had allocated.
///
/// # Safety
///
/// The two values are those of a list by the canonical ABI: a block of `cabi_realloc`, now ours.
#[doc(hidden)]
#[expect(unsafe_code, reason = "the canonical ABI")]
pub unsafe fn taken(at: *mut u8, length: usize) -> Vec<u8> {
    // SAFETY: the caller's promise.
    unsafe { Vec::from_raw_parts(at, length, length) }
}

#[doc(hidden)]
#[macro_export]
macro_rules! __wasmactor_state {
    ($export:ident) => {
        const _: () = {
            use $crate::state::{Entry, free, returned, taken};

            // SAFETY: the host calls it as the canonical ABI says.
            #[unsafe(export_name = "wasmactor:actor/state@0.1.0#save")]
            unsafe extern "C" fn save(in_flight: i32) -> *mut u8 {
                returned(<$export as Entry>::save(in_flight.cast_unsigned()))
            }

            // SAFETY: the host calls it as the canonical ABI says; what it hands on is what it was handed.
            #[unsafe(export_name = "wasmactor:actor/state@0.1.0#load")]
            unsafe extern "C" fn load(state: *mut u8, length: usize, version: *mut u8, digits: usize) -> *mut u8 {
                let (state, version) = unsafe { (taken(state, length), taken(version, digits)) };
                let version = ::std::string::String::from_utf8_lossy(&version);
                returned(<$export as Entry>::load(&state, &version).map(|()| ::core::option::Option::None))
            }

            // SAFETY: the host calls it as the canonical ABI says.
            #[unsafe(export_name = "wasmactor:actor/state@0.1.0#self-test")]
            unsafe extern "C" fn self_test() -> *mut u8 {
                returned(<$export as Entry>::self_test().map(|()| ::core::option::Option::None))
            }

            // SAFETY: the host calls it once after each call of the function, as the canonical ABI says.
            #[unsafe(export_name = "cabi_post_wasmactor:actor/state@0.1.0#save")]
            unsafe extern "C" fn after_save(_returned: *mut u8) {
                unsafe { free() }
            }

            // SAFETY: as above.
            #[unsafe(export_name = "cabi_post_wasmactor:actor/state@0.1.0#load")]
            unsafe extern "C" fn after_load(_returned: *mut u8) {
                unsafe { free() }
            }

            // SAFETY: as above.
            #[unsafe(export_name = "cabi_post_wasmactor:actor/state@0.1.0#self-test")]
            unsafe extern "C" fn after_self_test(_returned: *mut u8) {
                unsafe { free() }
            }
        };
    };
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Keep, free, load, returned, save};
    use crate::{Result, decode, encode};

    struct Counter(u64);

    impl Keep for Counter {
        type State = u64;

        fn save(&self) -> Result<u64> {
            Ok(self.0)
        }

        fn load(state: u64, version: &str) -> Result<Self> {
            if version == "bad" { crate::fail!("nothing from {version}") } else { Ok(Self(state)) }
        }
    }

    #[test]
    fn a_state_goes_over_when_nothing_is_in_flight() {
        assert_eq!(save(&Counter(7), 1), Ok(None));
        let state = save(&Counter(7), 0).unwrap().expect("it is ready");
        assert_eq!(load::<Counter>(&state, "good").map(|counter| counter.0), Ok(7));
        assert_eq!(load::<Counter>(&state, "bad").map(|counter| counter.0), Err("nothing from bad".to_owned()));
        assert!(load::<Counter>(b"\xc1", "good").is_err());
    }

    #[test]
    fn bytes_are_bytes() {
        let bytes = encode(&Bytes(vec![200; 3])).unwrap();
        assert_eq!(bytes, b"\xc4\x03\xc8\xc8\xc8");
        assert_eq!(decode::<Bytes>(&bytes).unwrap(), Bytes(vec![200; 3]));
    }

    #[test]
    #[expect(unsafe_code, reason = "what the host does")]
    fn what_was_returned_is_freed_once() {
        for outcome in [Ok(None), Ok(Some(vec![1, 2, 3])), Ok(Some(Vec::new())), Err("no".to_owned())] {
            returned(outcome);
            // SAFETY: once after each.
            unsafe { free() };
        }
    }
}
