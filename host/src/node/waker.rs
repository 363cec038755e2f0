//! What wakes an actor that parks on something else than an answer.

use std::task::{Wake, Waker};

use crate::base::Address;
use crate::base::sync::Arc;
use crate::node::{Context, Node};

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
        Waker::from(Arc::new(ActorWaker { node: Arc::clone(&inner.node), address: inner.address }))
    }
}
