//! What reaches an actor in the middle of a turn: a kill, asked for by the sandbox while the guest runs, and a waker
//! for actors that park on something else than an answer.

use std::task::{Wake, Waker};

use crate::base::Address;
use crate::base::sync::Arc;
use crate::node::{Context, Node};

/// Whether an actor's running turn is to be cut short. Cheap to ask.
#[derive(Clone, Debug)]
pub struct KillFlag {
    node: Arc<Node>,
    slot: u32,
}

impl KillFlag {
    /// True from the kill until the actor has ended. To be asked by the actor's own turn only: later the slot may be
    /// somebody else's.
    pub fn get(&self) -> bool {
        self.node.table.slot(self.slot).is_some_and(|slot| slot.mailbox.killed())
    }
}

struct ActorWaker {
    node: Arc<Node>,
    address: Address,
}

impl Wake for ActorWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(slot) = self.node.table.get(self.address)
            && slot.mailbox.wake(self.address)
        {
            self.node.run.push(None, self.address.slot());
        }
    }
}

impl Context {
    /// Reschedules this actor if it is parked, or keeps it from parking once.
    pub fn waker(&self) -> Waker {
        let inner = self.inner();
        Waker::from(Arc::new(ActorWaker { node: inner.node.clone(), address: inner.address }))
    }

    /// Whether this actor's running turn is to be cut short.
    pub fn killed(&self) -> KillFlag {
        let inner = self.inner();
        KillFlag { node: inner.node.clone(), slot: inner.address.slot() }
    }
}
