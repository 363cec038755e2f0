//! What an actor that does nothing costs, without its behavior: a slot in the table and a context on the heap.

use std::mem::size_of;

use crate::actor::{Core, Slot};
use crate::base::{Message, Payload};
use crate::node::Context;
use crate::node::context::Inner;
use crate::sched::Mailbox;

#[test]
#[expect(clippy::print_stdout, reason = "`--nocapture` shows the figures")]
fn idle_actors_are_small() {
    let sizes = [
        ("payload", size_of::<Payload>(), 72),
        ("message", size_of::<Message>(), 104),
        ("mailbox", size_of::<Mailbox>(), 160),
        ("core", size_of::<Core<Context>>(), 32),
        ("slot", size_of::<Slot<Context>>(), 320),
        // The size class of the allocator that it had with 296 bytes.
        ("context", size_of::<Inner>(), 320),
    ];
    for (what, bytes, bound) in sizes {
        println!("{what}: {bytes} bytes");
        assert!(bytes <= bound, "a {what} has {bytes} bytes, more than {bound}");
    }
}
