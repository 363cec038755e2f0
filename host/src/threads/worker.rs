//! A worker thread: takes mailboxes from the run queue and runs their actors, until the host stops or there are more
//! threads than seats need. When there are none it waits for sockets.

use crate::base::sync::Arc;
use crate::net::Poller;
use crate::node::Node;
use crate::node::turn::Worker;

pub(in crate::threads) fn run(node: &Arc<Node>, poller: &Poller, seat: usize) {
    let mut worker = Worker::new(seat);
    while node.run_one(&mut worker, poller) {}
}
