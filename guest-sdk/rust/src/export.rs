//! `actor!` and `async_actor!`: make a type the actor of this module; with `state`, one that keeps its state over a reload.

/// Exports a type that implements [`exclusive::Actor`](crate::exclusive::Actor), and with `state` behind it also
/// [`Keep`](crate::Keep). Once in a crate.
#[macro_export]
macro_rules! actor {
    ($actor:ty) => {
        $crate::actor!(@ $actor {});
    };
    ($actor:ty, state) => {
        $crate::actor!(@ $actor {
            impl $crate::state::Entry for Export {
                fn save(in_flight: u32) -> ::core::result::Result<::core::option::Option<::std::vec::Vec<u8>>, ::std::string::String> {
                    with(|actor| $crate::state::save::<$actor>(actor, in_flight))
                }

                fn load(state: &[u8], version: &str) -> Outcome {
                    let actor = $crate::state::load::<$actor>(state, version)?;
                    ACTOR.set(::core::option::Option::Some(actor));
                    ::core::result::Result::Ok(())
                }

                fn self_test() -> Outcome {
                    with(|actor| $crate::state::self_test::<$actor>(actor))
                }
            }

            $crate::__wasmactor_state!(Export);
        });
    };
    (@ $actor:ty { $($state:tt)* }) => {
        const _: () = {
            ::std::thread_local! {
                static ACTOR: ::core::cell::RefCell<::core::option::Option<$actor>> =
                    const { ::core::cell::RefCell::new(::core::option::Option::None) };
            }

            fn with<T>(handle: impl ::core::ops::FnOnce(&mut $actor) -> T) -> T {
                ACTOR.with_borrow_mut(|actor| handle(actor.as_mut().expect("the host calls init first")))
            }

            type Outcome = ::core::result::Result<(), ::std::string::String>;

            struct Export;

            impl $crate::bindings::exports::wasmactor::actor::handler::Guest for Export {
                fn init() -> Outcome {
                    let actor = $crate::exclusive::start::<$actor>()?;
                    ACTOR.set(::core::option::Option::Some(actor));
                    ::core::result::Result::Ok(())
                }

                fn handle(event: $crate::bindings::exports::wasmactor::actor::handler::Event) -> Outcome {
                    with(|actor| $crate::exclusive::dispatch(actor, event))
                }
            }

            impl $crate::entry::Entry for Export {
                fn message(source: u64, session: u64, kind: u32, payload: ::std::vec::Vec<u8>) -> Outcome {
                    with(|actor| $crate::exclusive::message(actor, source, session, kind, payload))
                }

                fn answered(session: u64, payload: ::std::vec::Vec<u8>) -> Outcome {
                    with(|actor| $crate::exclusive::answered(actor, session, payload))
                }
            }

            $($state)*

    $crate::bindings::export!(Export with_types_in $crate::entry);
        };
    };
}

/// Exports a type that implements [`interleaved::AsyncActor`](crate::interleaved::AsyncActor), and with `state` behind it also
/// [`Keep`](crate::Keep). Once in a crate.
#[macro_export]
macro_rules! async_actor {
    ($actor:ty) => {
        $crate::async_actor!(@ $actor {});
    };
    ($actor:ty, state) => {
        $crate::async_actor!(@ $actor {
            impl $crate::state::Entry for Export {
                fn save(in_flight: u32) -> ::core::result::Result<::core::option::Option<::std::vec::Vec<u8>>, ::std::string::String> {
                    $crate::interleaved::save::<$actor>(&actor(), in_flight)
                }

                fn load(state: &[u8], version: &str) -> Outcome {
                    let actor = $crate::interleaved::load::<$actor>(state, version)?;
                    ACTOR.set(::core::option::Option::Some(actor));
                    ::core::result::Result::Ok(())
                }

                fn self_test() -> Outcome {
                    $crate::state::self_test::<$actor>(&actor())
                }
            }

            $crate::__wasmactor_state!(Export);
        });
    };
    (@ $actor:ty { $($state:tt)* }) => {
        const _: () = {
            ::std::thread_local! {
                static ACTOR: ::core::cell::RefCell<::core::option::Option<::std::rc::Rc<$actor>>> =
                    const { ::core::cell::RefCell::new(::core::option::Option::None) };
            }

            fn actor() -> ::std::rc::Rc<$actor> {
                ACTOR.with_borrow(|actor| actor.clone()).expect("the host calls init first")
            }

            type Outcome = ::core::result::Result<(), ::std::string::String>;

            struct Export;

            impl $crate::bindings::exports::wasmactor::actor::handler::Guest for Export {
                fn init() -> Outcome {
                    let actor = $crate::interleaved::start::<$actor>()?;
                    ACTOR.set(::core::option::Option::Some(actor));
                    ::core::result::Result::Ok(())
                }

                fn handle(event: $crate::bindings::exports::wasmactor::actor::handler::Event) -> Outcome {
                    $crate::interleaved::dispatch(actor(), event)
                }
            }

            impl $crate::entry::Entry for Export {
                fn message(source: u64, session: u64, kind: u32, payload: ::std::vec::Vec<u8>) -> Outcome {
                    $crate::interleaved::message(actor(), source, session, kind, payload)
                }

                fn answered(session: u64, payload: ::std::vec::Vec<u8>) -> Outcome {
                    $crate::interleaved::answered(session, payload);
                    ::core::result::Result::Ok(())
                }
            }

            $($state)*

    $crate::bindings::export!(Export with_types_in $crate::entry);
        };
    };
}
