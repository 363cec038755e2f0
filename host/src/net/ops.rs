//! What workers do with sockets: every operation returns at once, from any thread. Used by `node::sockets`.
//!
//! Must hold: only its owner can do anything with a socket. The poller is told only when there is something for it to
//! do that no edge of the kernel will bring, and woken only if it sleeps.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;

use crossbeam_queue::SegQueue;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token, Waker};

use crate::base::sync::Arc;
use crate::base::sync::atomic::{AtomicBool, Ordering, fence};
use crate::net::error::words;
use crate::net::socket::{Kind, Socket, Tell};
use crate::net::table::Table;
use crate::net::watch::Watch;
use crate::net::{NetError, Owner, Poller, SocketId, SocketInfo, flags, open};

/// The door to all sockets. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Net(pub(super) Arc<Shared>);

/// What workers and the poller share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) table: Table,
    registry: Registry,
    /// Sockets that the poller has to look at without an edge.
    to_do: SegQueue<SocketId>,
    /// Who polls waits, or is about to, and has to be woken.
    asleep: AtomicBool,
    stopped: AtomicBool,
    waker: Waker,
    pub(super) watch: Watch,
}

impl Net {
    /// The operations and the loop that serves them. Errors: the operating system gives no descriptors.
    pub fn new() -> io::Result<(Self, Poller)> {
        Poller::new()
    }

    /// Listens; port 0 takes a free one. Returns where. `Accepted` events come at once, without `start`.
    /// Errors: `Io`.
    pub fn listen(&self, owner: Owner, at: SocketAddr) -> Result<(SocketId, SocketAddr), NetError> {
        let failed = |error| NetError::Io { what: "listen", address: at, error };
        let listener = open::listen(at).map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let socket = self.0.add(owner, Kind::Listener(listener), local, flags::READING).map_err(failed)?;
        Ok((socket.id, local))
    }

    /// Starts to connect; `Connected` or `Closed` follows. What is written meanwhile is queued. Errors: `Io`.
    pub fn connect(&self, owner: Owner, to: SocketAddr) -> Result<SocketId, NetError> {
        let failed = |error| NetError::Io { what: "connect", address: to, error };
        let (stream, refused) = open::connect(to).map_err(failed)?;
        let socket = self.0.add(owner, Kind::Stream(stream), to, flags::CONNECTING).map_err(failed)?;
        if let Some(error) = refused {
            socket.send.lock().broken = Some(format!("connect {to}: {}", words(&error)));
            self.0.tell(socket.id);
        }
        Ok(socket.id)
    }

    /// Lets data (of a listener: connections) come in. Errors: `NotYours`, `Closed`.
    pub fn start(&self, owner: Owner, id: SocketId) -> Result<(), NetError> {
        let socket = self.owned(owner, id)?;
        let before = socket.flags.set(flags::READING);
        if before & flags::READING == 0 && before & flags::READABLE != 0 {
            self.0.tell(id);
        }
        Ok(())
    }

    /// Lets nothing more come in until `start`. What the poller is just reading may still come. Errors: as `start`.
    pub fn pause(&self, owner: Owner, id: SocketId) -> Result<(), NetError> {
        self.owned(owner, id)?.flags.clear(flags::READING);
        Ok(())
    }

    /// Sends bytes: by write(2) on this thread if nothing waits; the rest is queued. Returns how many bytes wait now.
    /// Errors: `NotYours`, `Closed`, `Invalid` (a listener, or after `shutdown`), `Full`, and `Io` if the connection is
    /// broken; then `Closed` follows as an event.
    pub fn write(&self, owner: Owner, id: SocketId, data: &[u8]) -> Result<u64, NetError> {
        let result = self.find(id)?.write(owner, data);
        if matches!(result, Ok((_, Tell::Poller)) | Err(NetError::Io { .. })) {
            self.0.tell(id);
        }
        result.map(|(queued, _)| queued)
    }

    /// Sends what is queued, then tells the other side that no more comes. Reading goes on; the socket lives until
    /// `close`. Twice is once. Errors: `NotYours`, `Closed`, `Invalid` (a listener).
    pub fn shutdown(&self, owner: Owner, id: SocketId) -> Result<(), NetError> {
        self.find(id)?.shutdown(owner)
    }

    /// Sends what is queued, then closes; nothing is read any more and `Closed` follows. What the other side does not
    /// take within a minute without any progress is given up. Errors: `NotYours`, `Closed`.
    pub fn close(&self, owner: Owner, id: SocketId) -> Result<(), NetError> {
        self.owned(owner, id)?.close();
        self.0.tell(id);
        Ok(())
    }

    /// Closes now with a reset; what is queued is lost. `Closed` follows. Possible also while a `close` is under way.
    /// Errors: `NotYours`, `Closed`.
    pub fn abort(&self, owner: Owner, id: SocketId) -> Result<(), NetError> {
        let socket = self.find(id)?;
        if socket.owner() != owner {
            return Err(NetError::NotYours(id));
        }
        if socket.flags.set(flags::ABORTED) & (flags::ABORTED | flags::GONE) != 0 {
            return Err(NetError::Closed(id));
        }
        self.0.tell(id);
        Ok(())
    }

    /// Hands a socket to another owner, as one step: `announce` gets the other side's address (a listener's own) and
    /// tells the new owner; events before it went to the old owner, later ones go to the new one, behind what
    /// `announce` sent. If `announce` says false, the socket stays where it was, and so does this return.
    /// `announce` must not call `Net`. Errors: `NotYours`, `Closed`, `Invalid` (not paused, or not connected yet).
    pub fn give(
        &self,
        owner: Owner,
        id: SocketId,
        to: Owner,
        announce: impl FnOnce(SocketAddr) -> bool,
    ) -> Result<bool, NetError> {
        let socket = self.find(id)?;
        let _receive = socket.receive.lock();
        let _send = socket.send.lock();
        socket.check(owner)?;
        if socket.flags.any(flags::CONNECTING) {
            return Err(socket.invalid("it is not connected yet"));
        }
        if socket.flags.any(flags::READING) {
            return Err(socket.invalid("pause it before you give it"));
        }
        // The new owner may act, or end, before `announce` returns: it has to own the socket by then.
        self.0.table.give(id, owner, to);
        socket.set_owner(to);
        if announce(socket.address) {
            // It was the old owner's mailbox that was full.
            socket.flags.clear(flags::HELD);
            return Ok(true);
        }
        socket.set_owner(owner);
        self.0.table.give(id, to, owner);
        Ok(false)
    }

    /// After `Flow::Pause`: there is room again. Harmless at any other time, and for an id that is gone.
    pub fn resume(&self, id: SocketId) {
        if let Some(socket) = self.0.table.get(id)
            && socket.flags.resume()
        {
            self.0.tell(id);
        }
    }

    /// `resume` for all sockets of an owner.
    pub fn resume_owner(&self, owner: Owner) {
        for id in self.0.table.owned_by(owner) {
            self.resume(id);
        }
    }

    /// The own end's address. Errors: `NotYours`, `Closed`, `Io`.
    pub fn local_addr(&self, owner: Owner, id: SocketId) -> Result<SocketAddr, NetError> {
        let socket = self.owned(owner, id)?;
        socket.local().map_err(|error| NetError::Io { what: "local address of", address: socket.address, error })
    }

    /// The other side's address. Errors: `NotYours`, `Closed`, `Invalid` (a listener).
    pub fn peer_addr(&self, owner: Owner, id: SocketId) -> Result<SocketAddr, NetError> {
        let socket = self.owned(owner, id)?;
        match socket.kind {
            Kind::Stream(_) => Ok(socket.address),
            Kind::Listener(_) => Err(socket.invalid("it is a listener")),
        }
    }

    /// All sockets of an owner, closing ones too, in no order.
    pub fn owned_by(&self, owner: Owner) -> Vec<SocketId> {
        self.0.table.owned_by(owner)
    }

    /// How many an owner has, closing ones too.
    pub fn owns(&self, owner: Owner) -> usize {
        self.0.table.owns(owner)
    }

    /// Closes all sockets of an owner that ended; what is queued is sent first.
    pub fn close_all(&self, owner: Owner) {
        self.close_all_but(owner, &|_| false);
    }

    /// The same but for some of them.
    pub fn close_all_but(&self, owner: Owner, kept: &dyn Fn(SocketId) -> bool) {
        for id in self.0.table.owned_by(owner).into_iter().filter(|id| !kept(*id)) {
            if let Some(socket) = self.0.table.get(id)
                && socket.owner() == owner
            {
                socket.close();
                self.0.tell(id);
            }
        }
    }

    /// Every open socket, in the order of the slots.
    pub fn stats(&self) -> Vec<SocketInfo> {
        self.0.table.all().iter().map(|socket| socket.info()).collect()
    }

    /// How many sockets are open, those included that only send what is queued. What a stopping host waits for.
    pub fn open_sockets(&self) -> usize {
        self.0.table.len()
    }

    /// Ends the poller's loop; it closes what is still open. Operations after that have no effect.
    pub fn stop(&self) {
        // Release: pairs with the load in `stopped`. The wake below orders it against the poller's going to sleep.
        self.0.stopped.store(true, Ordering::Release);
        self.0.wake();
        self.0.watch.call();
    }

    /// Ends the wait of a worker in the poll, or the next one: for work that does not come from a socket.
    pub fn ring(&self) {
        self.0.ring();
    }

    fn find(&self, id: SocketId) -> Result<Arc<Socket>, NetError> {
        self.0.table.get(id).ok_or(NetError::Closed(id))
    }

    fn owned(&self, owner: Owner, id: SocketId) -> Result<Arc<Socket>, NetError> {
        let socket = self.find(id)?;
        socket.check(owner)?;
        Ok(socket)
    }
}

impl Shared {
    pub(super) fn new(registry: Registry, waker: Waker) -> Self {
        Self {
            table: Table::default(),
            registry,
            to_do: SegQueue::new(),
            asleep: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            waker,
            watch: Watch::new(),
        }
    }

    /// Puts a new socket in the table and watches it: both directions, edge-triggered, for good.
    pub(super) fn add(&self, owner: Owner, kind: Kind, address: SocketAddr, flags: u32) -> io::Result<Arc<Socket>> {
        let descriptor = match &kind {
            Kind::Stream(stream) => stream.as_raw_fd(),
            Kind::Listener(listener) => listener.as_raw_fd(),
        };
        let socket = self
            .table
            .insert(owner, |id| Socket::new(id, owner, kind, address, flags))
            .ok_or_else(|| io::Error::other("the socket table is full"))?;
        // In the table first: the edge may come before this call returns.
        let token = Token(usize::try_from(socket.id.raw()).expect("a 64-bit machine"));
        let watched =
            self.registry.register(&mut SourceFd(&descriptor), token, Interest::READABLE | Interest::WRITABLE);
        if let Err(error) = watched {
            if let Some(owner) = socket.retire() {
                self.table.remove(socket.id, owner);
            }
            return Err(error);
        }
        Ok(socket)
    }

    /// Makes the poller look at a socket.
    pub(super) fn tell(&self, id: SocketId) {
        self.to_do.push(id);
        self.wake();
    }

    /// Wakes the poller if it sleeps. What it shall see must be written before.
    fn wake(&self) {
        // Pairs with the fence in `falls_asleep`: either the poller's last look sees what we wrote, or we see `asleep`.
        fence(Ordering::SeqCst);
        if self.asleep.swap(false, Ordering::AcqRel) {
            self.ring();
        }
    }

    fn ring(&self) {
        if let Err(error) = self.waker.wake() {
            // An eventfd write can only fail for reasons that are bugs of ours.
            tracing::error!(%error, "who waits for sockets cannot be woken");
        }
    }

    /// The poller is about to wait. False if there is something to do after all.
    pub(super) fn falls_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::Release);
        // Pairs with the fence in `wake`.
        fence(Ordering::SeqCst);
        let idle = !self.has_to_do() && !self.stopped();
        if !idle {
            self.woke_up();
        }
        idle
    }

    /// The poller is awake: nobody needs to wake it.
    pub(super) fn woke_up(&self) {
        self.asleep.store(false, Ordering::Release);
    }

    /// Whether somebody waits in the kernel. Acquire: pairs with the stores of the two above, and with the watch's fence.
    pub(super) fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::Acquire)
    }

    pub(super) fn has_to_do(&self) -> bool {
        !self.to_do.is_empty()
    }

    pub(super) fn next_to_do(&self) -> Option<SocketId> {
        self.to_do.pop()
    }

    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}
