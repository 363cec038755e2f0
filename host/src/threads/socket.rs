//! The socket thread: what comes from the network becomes messages.

use crate::base::sync::Arc;
use crate::base::sync::atomic::AtomicBool;
use crate::net::Poller;
use crate::node::Node;

pub(in crate::threads) fn run(node: &Arc<Node>, mut poller: Poller, stop: &AtomicBool) {
    poller.run(&**node, stop);
}
