//! Real sockets over loopback. `fixture` runs a poller whose sink is a channel; the deadlines there only end a test
//! that hangs.

mod closing;
mod events;
mod fixture;
mod flow;
mod limits;
mod ownership;
mod polling;
mod sending;
