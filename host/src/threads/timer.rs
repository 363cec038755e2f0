//! The timer thread: fires what is due, sleeps until the next is.

use crate::base::sync::Arc;
use crate::node::Node;
use crate::threads::prompt::prompt;

pub(in crate::threads) fn run(node: &Arc<Node>) {
    prompt();
    while node.wait_due() {
        node.fire_due();
    }
}
