//! `actor!` and `async_actor!`: make a type the actor of this module.

/// Exports a type that implements [`exclusive::Actor`](crate::exclusive::Actor). Once in a crate.
#[macro_export]
macro_rules! actor {
    ($actor:ty) => {
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

    $crate::bindings::export!(Export with_types_in $crate::entry);
        };
    };
}

/// Exports a type that implements [`interleaved::AsyncActor`](crate::interleaved::AsyncActor). Once in a crate.
#[macro_export]
macro_rules! async_actor {
    ($actor:ty) => {
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

    $crate::bindings::export!(Export with_types_in $crate::entry);
        };
    };
}
