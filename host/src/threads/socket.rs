//! The socket thread: what comes from the network becomes messages.

use crate::base::sync::Arc;
use crate::net::Poller;
use crate::node::Node;

pub(in crate::threads) fn run(node: &Arc<Node>, mut poller: Poller) {
    if let Err(error) = poller.run(&**node) {
        // Without this thread every socket would be silent; the thread's guard ends the process with this message.
        panic!("the operating system's poll failed: {error}");
    }
}
