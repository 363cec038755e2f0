//! A worker thread: takes mailboxes from the run queue and runs their actors, until the host stops. When there are none
//! it waits for sockets.

use crate::base::sync::Arc;
use crate::net::Poller;
use crate::node::Node;
use crate::node::turn::Worker;

pub(in crate::threads) fn run(node: &Arc<Node>, poller: &Poller, index: usize) {
    let mut worker = Worker::new(index);
    while node.run_one(&mut worker, poller) {}
}
