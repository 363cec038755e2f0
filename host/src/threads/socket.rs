//! The socket thread: what comes from the network becomes messages while no worker looks after that.

use crate::net::Poller;
use crate::node::Node;
use crate::node::sockets::Delivery;
use crate::threads::prompt::prompt;

pub(in crate::threads) fn run(node: &Node, poller: &Poller) {
    prompt();
    if let Err(error) = poller.run(&Delivery::from_outside(node)) {
        // Without polling every socket would be silent; the thread's guard ends the process with this message.
        panic!("the operating system's poll failed: {error}");
    }
}
