//! Sockets, as an actor may use them, and what happens to them as messages. The meaning of each function is that of
//! `wit/socket.wit`; the work is done in `net`, where the actor's address is the owner.
//!
//! Fast path: a worker without work waits for the sockets itself, reads, and runs the actor; data comes as one buffer
//! that moves into the mailbox; a write goes to the kernel on the worker while nothing is queued.
//!
//! Must hold: nothing that happened to a socket is refused by a full mailbox; reading pauses instead, and goes on
//! when the mailbox is empty ([`super::turn`]). The pause is noted before the mailbox is looked at again, and the
//! worker empties the mailbox before it looks at the note, so one of them sees the other.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;

use crate::base::sync::atomic::Ordering;
use crate::base::{Address, Body, CallError, ErrorCode, Grants, Message, Session, SocketEvent};
use crate::net::{Duty, Flow, NetError, NetEvent, Owner, Poller, Sink, SocketId};
use crate::node::context::Inner;
use crate::node::limits::over;
use crate::node::{Context, Node, deliver};
use crate::sched::{Inlet, Letter, Pushed, Wait};

fn net_error(error: &NetError) -> CallError {
    let code = match error {
        NetError::Io { .. } | NetError::Full { .. } => ErrorCode::Io,
        _ => ErrorCode::Invalid,
    };
    CallError::new(code, error.to_string())
}

fn parse(address: &str) -> Result<SocketAddr, CallError> {
    address.parse().map_err(|_| {
        let reason = format!("`{address}` is no socket address: write IP:PORT or [IPv6]:PORT");
        CallError::new(ErrorCode::Invalid, reason)
    })
}

impl Inner {
    /// Whether one more may be opened.
    fn check_sockets(&self) -> Result<(), CallError> {
        let most = self.kind.limits.sockets;
        if self.node.net.owns(self.address.raw()) >= most as usize {
            return Err(over("sockets", most));
        }
        self.node.check_all_sockets()
    }

    /// A socket is this instance's from now on.
    fn comes_by(&mut self, socket: u64) {
        self.has_sockets = true;
        if let Some(own) = self.rare.as_mut().and_then(|rare| rare.sockets.as_mut()) {
            own.insert(socket);
        }
    }

    /// Whether an event is of a socket of this instance, not of an earlier one.
    pub(in crate::node) fn admit_socket(&mut self, socket: u64, event: &SocketEvent) -> bool {
        self.has_sockets = true;
        let Some(own) = self.rare.as_mut().and_then(|rare| rare.sockets.as_mut()) else { return true };
        let mine = match event {
            SocketEvent::Given(_) => {
                own.insert(socket);
                true
            }
            SocketEvent::Closed(_) => own.remove(&socket),
            _ => own.contains(&socket),
        };
        if let SocketEvent::Accepted { socket: new, .. } = event {
            if mine {
                own.insert(*new);
            } else {
                // A listener of an earlier instance took it before it was closed. What fails here is closed already.
                drop(self.node.net.close(self.address.raw(), SocketId::from_raw(*new)));
            }
        }
        mine
    }
}

impl Context {
    /// Listens; returns the socket's id.
    pub fn listen(&mut self, at: &str) -> Result<u64, CallError> {
        let address = parse(at)?;
        let inner = self.inner_mut();
        inner.outward()?;
        if !Grants::address(&inner.kind.grants.listen, address) {
            return Err(CallError::new(ErrorCode::NotGranted, format!("no grant to listen on {address}")));
        }
        inner.check_sockets()?;
        let (id, _) = inner.node.net.listen(inner.address.raw(), address).map_err(|error| net_error(&error))?;
        inner.comes_by(id.raw());
        Ok(id.raw())
    }

    /// Connects; returns the socket's id.
    pub fn connect(&mut self, to: &str) -> Result<u64, CallError> {
        let address = parse(to)?;
        let inner = self.inner_mut();
        inner.outward()?;
        if !Grants::address(&inner.kind.grants.connect, address) {
            return Err(CallError::new(ErrorCode::NotGranted, format!("no grant to connect to {address}")));
        }
        inner.check_sockets()?;
        let id = inner.node.net.connect(inner.address.raw(), address).map_err(|error| net_error(&error))?;
        inner.comes_by(id.raw());
        Ok(id.raw())
    }

    /// Lets data come in.
    pub fn start(&mut self, socket: u64) -> Result<(), CallError> {
        let inner = self.inner();
        inner.outward()?;
        inner.node.net.start(inner.address.raw(), SocketId::from_raw(socket)).map_err(|error| net_error(&error))
    }

    /// Lets no more data come in.
    pub fn pause(&mut self, socket: u64) -> Result<(), CallError> {
        let inner = self.inner();
        inner.outward()?;
        inner.node.net.pause(inner.address.raw(), SocketId::from_raw(socket)).map_err(|error| net_error(&error))
    }

    /// Sends bytes; returns how many wait.
    pub fn write(&mut self, socket: u64, data: &[u8]) -> Result<u64, CallError> {
        let inner = self.inner();
        inner.outward()?;
        inner.node.net.write(inner.address.raw(), SocketId::from_raw(socket), data).map_err(|error| net_error(&error))
    }

    /// Sends what is queued, then ends the sending side.
    pub fn shutdown(&mut self, socket: u64) -> Result<(), CallError> {
        let inner = self.inner();
        inner.outward()?;
        inner.node.net.shutdown(inner.address.raw(), SocketId::from_raw(socket)).map_err(|error| net_error(&error))
    }

    /// Sends what is queued, then closes.
    pub fn close(&mut self, socket: u64) -> Result<(), CallError> {
        let inner = self.inner();
        inner.outward()?;
        inner.node.net.close(inner.address.raw(), SocketId::from_raw(socket)).map_err(|error| net_error(&error))
    }

    /// Hands a socket to another actor.
    pub fn give(&mut self, socket: u64, to: Address) -> Result<(), CallError> {
        let inner = self.inner_mut();
        inner.outward()?;
        let (node, owner, id) = (inner.node.clone(), inner.address.raw(), SocketId::from_raw(socket));
        let slot = node.table.get(to).ok_or_else(|| deliver::no_such_actor(to))?;
        let tag = slot.mailbox.tag(to).ok_or_else(|| deliver::no_such_actor(to))?;
        if !inner.may_send(to, tag) {
            return Err(CallError::new(ErrorCode::NotGranted, format!("no grant to send to {to}")));
        }
        if node.net.owns(to.raw()) >= slot.sockets.load(Ordering::Relaxed) as usize {
            return Err(CallError::new(ErrorCode::OverLimit, format!("{to} has as many sockets as it may")));
        }
        let (worker, me) = (inner.worker, inner.address);
        let announce = |peer: SocketAddr| {
            let body = Body::Socket { socket, event: SocketEvent::Given(peer.to_string()) };
            match slot.mailbox.answer(to, Letter::new(Message { source: me, session: Session::NONE, body })) {
                Pushed::Schedule => node.run.push(worker, to.slot()),
                Pushed::Gone(_) => return false,
                _ => {}
            }
            true
        };
        let given = node.net.give(owner, id, to.raw(), announce).map_err(|error| net_error(&error))?;
        if given && let Some(own) = inner.rare.as_mut().and_then(|rare| rare.sockets.as_mut()) {
            own.remove(&socket);
        }
        if given { Ok(()) } else { Err(deliver::no_such_actor(to)) }
    }

    /// The own end's address.
    pub fn local(&self, socket: u64) -> Result<String, CallError> {
        let inner = self.inner();
        let local = inner.node.net.local_addr(inner.address.raw(), SocketId::from_raw(socket));
        local.map(|address| address.to_string()).map_err(|error| net_error(&error))
    }
}

/// What happens to sockets, on its way into mailboxes.
#[derive(Debug)]
pub struct Delivery<'a> {
    node: &'a Node,
    /// The worker that polls; it runs what is made ready here.
    worker: Option<usize>,
    /// How many mailboxes went into its queue.
    brought: Cell<usize>,
}

impl<'a> Delivery<'a> {
    /// By a thread that is no worker.
    pub fn from_outside(node: &'a Node) -> Self {
        Self { node, worker: None, brought: Cell::new(0) }
    }

    /// Serves what was polled; returns how many mailboxes went into the worker's queue.
    fn by_worker(node: &'a Node, worker: usize, mut duty: Duty<'_>) -> usize {
        let delivery = Self { node, worker: Some(worker), brought: Cell::new(0) };
        duty.serve(&delivery);
        delivery.brought.get()
    }
}

impl Sink for Delivery<'_> {
    fn has_room(&self, owner: Owner, sockets: usize) -> bool {
        if self.node.check_all_sockets().is_err() {
            return false;
        }
        // Without an owner: what comes is closed when its event finds nobody.
        let slot = self.node.table.get(Address::from_raw(owner));
        slot.is_none_or(|slot| sockets < slot.sockets.load(Ordering::Relaxed) as usize)
    }

    fn socket(&self, owner: Owner, id: SocketId, event: NetEvent) -> Flow {
        let to = Address::from_raw(owner);
        let Some(slot) = self.node.table.get(to) else { return Flow::Close };
        let brings_more = matches!(event, NetEvent::Data(_) | NetEvent::Accepted { .. });
        let event = match event {
            NetEvent::Connected { peer } => SocketEvent::Connected(peer.to_string()),
            NetEvent::Accepted { socket, peer } => {
                SocketEvent::Accepted { socket: socket.raw(), peer: peer.to_string() }
            }
            NetEvent::Data(bytes) => SocketEvent::Data(bytes),
            NetEvent::End => SocketEvent::End,
            NetEvent::Closed { reason } => SocketEvent::Closed(reason.unwrap_or_default()),
            NetEvent::Backlog(bytes) => SocketEvent::Backlog(bytes),
        };
        let body = Body::Socket { socket: id.raw(), event };
        let message = Message { source: Address::HOST, session: Session::NONE, body };
        match slot.mailbox.answer(to, Letter::new(message)) {
            Pushed::Schedule => match self.worker {
                Some(worker) => {
                    self.node.run.push_brought(worker, to.slot());
                    self.brought.set(self.brought.get() + 1);
                }
                None => self.node.run.push(None, to.slot()),
            },
            Pushed::Gone(_) => return Flow::Close,
            _ => {}
        }
        // While all mailboxes together hold too much, each socket's data comes when what came before is handled.
        let waits = || slot.mailbox.is_full(to) || self.node.is_crowded() && !slot.mailbox.is_empty();
        if !brings_more || !waits() {
            return Flow::Go;
        }
        slot.paused.store(true, Ordering::SeqCst);
        if waits() { Flow::Pause } else { Flow::Go }
    }
}

/// The sockets, as the workers look after them.
#[derive(Debug)]
pub(in crate::node) struct Sockets<'a> {
    pub(in crate::node) node: &'a Node,
    pub(in crate::node) poller: &'a Poller,
}

/// A worker's duty to poll.
#[derive(Debug)]
pub(in crate::node) struct Polling<'a> {
    node: &'a Node,
    duty: Duty<'a>,
}

/// epoll can fail only for reasons that are bugs of ours; then every socket would be silent. The thread's guard ends the
/// process with this message.
fn polled(result: io::Result<()>) {
    if let Err(error) = result {
        panic!("the operating system's poll failed: {error}");
    }
}

impl Inlet for Sockets<'_> {
    type Wait<'a>
        = Polling<'a>
    where
        Self: 'a;

    fn wait(&self) -> Option<Polling<'_>> {
        self.poller.claim().map(|duty| Polling { node: self.node, duty })
    }

    fn glance(&self, worker: usize) -> usize {
        let Some(mut duty) = self.poller.glance() else { return 0 };
        polled(duty.look());
        Delivery::by_worker(self.node, worker, duty)
    }
}

impl Wait for Polling<'_> {
    fn has_more(&self) -> bool {
        self.duty.has_more()
    }

    fn wait(&mut self) {
        polled(self.duty.wait());
    }

    fn bring(self, worker: usize) -> usize {
        Delivery::by_worker(self.node, worker, self.duty)
    }
}
