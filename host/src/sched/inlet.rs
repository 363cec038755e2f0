//! Where work comes from besides the mailboxes of this node: sockets. Implemented by `node`, used by the run queue.
//!
//! Must hold: one worker at a time waits there; what came in is in its queue when `bring` returns, without waking
//! anybody: the run queue does that, once for all of it.

/// The sockets, as a worker sees them.
pub trait Inlet {
    /// The right to wait.
    type Wait<'a>: Wait
    where
        Self: 'a;

    /// For a worker without work. None: there is nothing to wait for here, or another thread does already.
    fn wait(&self) -> Option<Self::Wait<'_>>;

    /// For a busy worker: if nobody has looked lately, puts what has come into its queue. Returns how many mailboxes.
    fn glance(&self, worker: usize) -> usize;
}

/// One worker's wait.
pub trait Wait {
    /// Whether something is there already.
    fn has_more(&self) -> bool;

    /// Waits until something comes, or the ring that `Idle` was made with.
    fn wait(&mut self);

    /// Puts what has come into the worker's queue. Returns how many mailboxes.
    fn bring(self, worker: usize) -> usize;
}

/// No sockets: for tests of the queue alone.
impl Inlet for () {
    type Wait<'a> = ();

    fn wait(&self) -> Option<()> {
        None
    }

    fn glance(&self, _worker: usize) -> usize {
        0
    }
}

impl Wait for () {
    fn has_more(&self) -> bool {
        false
    }

    fn wait(&mut self) {}

    fn bring(self, _worker: usize) -> usize {
        0
    }
}
