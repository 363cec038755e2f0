//! Who polls, and when: the wait for edges of the kernel. Used by the socket thread and by the workers.
//!
//! A request that comes over a socket is cheapest if the worker that will handle it reads it too: no other thread has to
//! be woken. So a worker without work waits here, in the kernel, instead of on its condvar ([`Poller::claim`]); a busy
//! one looks in now and then ([`Poller::glance`]). The socket thread watches: when nobody has polled for a round,
//! because all workers are busy or stuck, it does it itself, until a worker asks for it again.
//!
//! Must hold:
//! - One thread at a time polls: it holds the lock, as a [`Duty`]. The lock is only ever tried, so nobody waits for it,
//!   and no lock of an actor or a socket is held when it is.
//! - While there is a socket, somebody waits for edges, or will look within two rounds: see `watch.rs`.
//! - What the kernel has reported is kept until it is served, by this duty or a later one: an edge comes once.

use std::io;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

use crate::base::sync::atomic::{AtomicU64, Ordering};
use crate::base::sync::{Arc, Mutex, MutexGuard};
use crate::net::accept::Acceptor;
use crate::net::ops::Shared;
use crate::net::read_buffer::Scratch;
use crate::net::serve::Server;
use crate::net::{Net, Sink};

/// Not an id: those are never 0.
const WAKER: Token = Token(0);
/// Edges fetched in one system call. Thin air; what does not fit comes with the next one.
const EVENTS: usize = 256;
/// Edges served before their actors run. Measured with 50 connections: with all edges at once the other side waits while
/// we read and we wait while it does, and both sleep more; with 8 the way here and back begins to show.
const PORTION: usize = 16;
/// Rounds without an edge after which the watch sleeps, while a worker waits for one.
const QUIET: u32 = 4;
/// A busy worker looks in if nobody has for so long. A look costs 0.3 µs, a 300th of this.
const GLANCE: Duration = Duration::from_micros(100);

/// The kernel's poll descriptor and what is behind it. Shared by the socket thread and the workers.
#[derive(Debug)]
pub struct Poller {
    shared: Arc<Shared>,
    turn: Mutex<Turn>,
    started: Instant,
    /// When somebody last came back from the kernel, in nanoseconds since `started`.
    polled: AtomicU64,
}

/// What only the one who polls touches.
#[derive(Debug)]
struct Turn {
    poll: Poll,
    edges: Events,
    /// How many of the edges are served.
    served: usize,
    server: Server,
}

/// The right to poll, and the duty to serve what comes of it.
#[derive(Debug)]
pub struct Duty<'a> {
    poller: &'a Poller,
    turn: MutexGuard<'a, Turn>,
}

impl Poller {
    pub(super) fn new() -> io::Result<(Net, Self)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let shared = Arc::new(Shared::new(poll.registry().try_clone()?, waker));
        let server = Server {
            shared: Arc::clone(&shared),
            acceptor: Acceptor::new()?,
            again: Vec::new(),
            scratch: Scratch::new(),
        };
        let turn = Mutex::new(Turn { poll, edges: Events::with_capacity(EVENTS), served: 0, server });
        let poller = Self { shared: Arc::clone(&shared), turn, started: Instant::now(), polled: AtomicU64::new(0) };
        Ok((Net(shared), poller))
    }

    /// For a worker without work: the duty, if there are sockets and nobody has it. If the socket thread has it, it
    /// will give it up after its next turn.
    pub fn claim(&self) -> Option<Duty<'_>> {
        if self.shared.table.is_empty() || self.shared.stopped() {
            return None;
        }
        let Some(turn) = self.turn.try_lock() else {
            self.shared.watch.want();
            return None;
        };
        Some(Duty { poller: self, turn })
    }

    /// For a busy worker: the duty, if there are sockets and nobody has polled for a while.
    pub fn glance(&self) -> Option<Duty<'_>> {
        if self.shared.table.is_empty()
            || self.polled.load(Ordering::Relaxed).saturating_add(nanos(GLANCE)) > self.now()
        {
            return None;
        }
        self.claim()
    }

    /// The body of the socket thread: ends after `Net::stop`, and closes then what is still open without reporting it.
    /// Errors: epoll itself fails, which nothing here can mend.
    pub fn run(&self, sink: &dyn Sink) -> io::Result<()> {
        while !self.shared.stopped() {
            self.stand_in(sink)?;
            self.watch();
        }
        for socket in self.shared.table.all() {
            if let Some(owner) = socket.retire() {
                self.shared.table.remove(socket.id, owner);
            }
        }
        Ok(())
    }

    /// Polls until a worker wants to.
    fn stand_in(&self, sink: &dyn Sink) -> io::Result<()> {
        let Some(turn) = self.turn.try_lock() else { return Ok(()) };
        let mut duty = Duty { poller: self, turn };
        self.shared.watch.start();
        while !self.shared.stopped() {
            duty.poll(true)?;
            duty.serve(sink);
            if self.shared.watch.wanted() {
                break;
            }
        }
        Ok(())
    }

    /// Returns when nobody has polled for a round.
    fn watch(&self) {
        let mut seen = self.polled.load(Ordering::Relaxed);
        let mut quiet = 0;
        while !self.shared.stopped() {
            self.shared.watch.round(|| self.shared.stopped());
            let polled = self.polled.load(Ordering::Relaxed);
            if polled != seen {
                (seen, quiet) = (polled, 0);
            } else if !self.shared.is_asleep() {
                return;
            } else if quiet < QUIET {
                quiet += 1;
            } else {
                self.shared.watch.sleep(|| self.shared.is_asleep() && !self.shared.stopped());
                quiet = 0;
            }
        }
    }

    fn now(&self) -> u64 {
        nanos(self.started.elapsed())
    }

    #[cfg(test)]
    pub(super) fn watch_sleeps(&self) -> bool {
        self.shared.watch.is_off()
    }

    /// As when there is no descriptor for the reserve.
    #[cfg(test)]
    pub(super) fn without_reserve(&self) {
        self.turn.lock().server.acceptor.reserve = None;
    }
}

impl Duty<'_> {
    /// Whether there is something to serve without a wait.
    pub fn has_more(&self) -> bool {
        let Turn { edges, served, server, .. } = &*self.turn;
        edges.iter().nth(*served).is_some() || !server.again.is_empty() || self.poller.shared.has_to_do()
    }

    /// Waits for edges; for none if there is something to do already. Ended also by `Net::ring`.
    pub fn wait(&mut self) -> io::Result<()> {
        self.poll(true)?;
        self.poller.shared.watch.left();
        Ok(())
    }

    /// Fetches the edges that are there.
    pub fn look(&mut self) -> io::Result<()> {
        self.poll(false)
    }

    /// Serves a portion of what was fetched, and what else waits.
    pub fn serve(&mut self, sink: &dyn Sink) {
        let Turn { edges, served, server, .. } = &mut *self.turn;
        server.turn(edges.iter().skip(*served).take(PORTION), sink);
        *served += PORTION;
    }

    fn poll(&mut self, wait: bool) -> io::Result<()> {
        let shared = &self.poller.shared;
        let Turn { poll, edges, served, server } = &mut *self.turn;
        if edges.iter().nth(*served).is_some() {
            return Ok(());
        }
        *served = 0;
        let wait = wait && server.again.is_empty() && shared.falls_asleep();
        let polled = poll.poll(edges, if wait { None } else { Some(Duration::ZERO) });
        if wait {
            shared.woke_up();
        }
        self.poller.polled.store(self.poller.now(), Ordering::Relaxed);
        match polled {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => edges.clear(),
            other => other?,
        }
        Ok(())
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
