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

            struct Export;

            impl $crate::bindings::exports::wasmactor::actor::handler::Guest for Export {
                fn init() -> ::core::result::Result<(), ::std::string::String> {
                    let actor = $crate::exclusive::start::<$actor>()?;
                    ACTOR.set(::core::option::Option::Some(actor));
                    ::core::result::Result::Ok(())
                }

                fn handle(
                    event: $crate::bindings::exports::wasmactor::actor::handler::Event,
                ) -> ::core::result::Result<(), ::std::string::String> {
                    ACTOR.with_borrow_mut(|actor| {
                        let actor = actor.as_mut().expect("the host calls init first");
                        $crate::exclusive::dispatch(actor, event)
                    })
                }
            }

    $crate::bindings::export!(Export with_types_in $crate::bindings);
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

            struct Export;

            impl $crate::bindings::exports::wasmactor::actor::handler::Guest for Export {
                fn init() -> ::core::result::Result<(), ::std::string::String> {
                    let actor = $crate::interleaved::start::<$actor>()?;
                    ACTOR.set(::core::option::Option::Some(actor));
                    ::core::result::Result::Ok(())
                }

                fn handle(
                    event: $crate::bindings::exports::wasmactor::actor::handler::Event,
                ) -> ::core::result::Result<(), ::std::string::String> {
                    let actor = ACTOR.with_borrow(|actor| actor.clone()).expect("the host calls init first");
                    $crate::interleaved::dispatch(&actor, event)
                }
            }

    $crate::bindings::export!(Export with_types_in $crate::bindings);
        };
    };
}
