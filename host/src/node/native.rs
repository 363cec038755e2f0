//! Behaviors in Rust: a closure for each message. For tests, and for benches that show the sandbox's price.

use crate::actor::{Behavior, Module, Turn};
use crate::base::sync::Arc;
use crate::base::{Grants, Message};
use crate::node::{Context, Limits, ModuleEntry, Node};
use crate::sched::Letter;

/// Handles messages; keeps its state in what it captures.
pub type Handler = Box<dyn FnMut(&mut Context, Message) -> Turn + Send>;

struct Native(Handler);

impl Behavior<Context> for Native {
    fn init(&mut self, _cx: &mut Context) -> Turn {
        Turn::Done(Ok(()))
    }

    fn handle(&mut self, cx: &mut Context, letter: Letter) -> Turn {
        (self.0)(cx, letter.open())
    }

    fn resume(&mut self, _cx: &mut Context) -> Turn {
        Turn::Parked
    }
}

struct NativeModule<F>(F);

impl<F> Module<Context> for NativeModule<F>
where
    F: Fn(&mut Context) -> Result<Handler, String> + Send + Sync,
{
    fn create(&self, cx: &mut Context) -> Result<Box<dyn Behavior<Context>>, String> {
        Ok(Box::new(Native((self.0)(cx)?)))
    }
}

impl Node {
    /// Makes a native module known, with every grant. `make` runs once for each actor, in its first turn.
    pub fn add_native<F>(&self, name: &str, make: F)
    where
        F: Fn(&mut Context) -> Result<Handler, String> + Send + Sync + 'static,
    {
        self.add_native_granted(name, Grants::all(), make);
    }

    /// The same with these grants.
    pub fn add_native_granted<F>(&self, name: &str, grants: Grants, make: F)
    where
        F: Fn(&mut Context) -> Result<Handler, String> + Send + Sync + 'static,
    {
        let module = Arc::new(NativeModule(make));
        self.add_module(name, ModuleEntry { module, grants: Arc::new(grants), limits: Limits::free() });
    }
}
