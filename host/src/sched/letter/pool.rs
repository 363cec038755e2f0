//! Nodes without a message, to be written again: a pool of each thread, and a depot of the process between them. Used by
//! the letters. A model allocates each node anew: the pool is nothing that threads agree on.
//!
//! Must hold: a node in a pool is owned by it and holds no message. Nodes that are not in the depot count as what waits
//! ([`crate::sched::backlog`]).

#![expect(unsafe_code, reason = "owns its nodes")]

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use super::Node;
use crate::sched::backlog;

pub(super) fn fresh() -> NonNull<Node> {
    backlog::came(size_of::<Node>());
    NonNull::from(Box::leak(Box::new(Node { next: None, message: MaybeUninit::uninit() })))
}

pub(super) fn free(node: NonNull<Node>) {
    backlog::went(size_of::<Node>());
    // SAFETY: made by `fresh`, and nobody else has it; there is no message that would have to be dropped.
    drop(unsafe { Box::from_raw(node.as_ptr()) });
}

#[cfg(not(loom))]
pub(super) use pooled::{get, put};
#[cfg(loom)]
pub(super) use {free as put, fresh as get};

#[cfg(not(loom))]
mod pooled {
    use std::cell::UnsafeCell;
    use std::mem;
    use std::ptr::NonNull;

    use super::{Node, free, fresh};
    use crate::base::sync::Mutex;
    use crate::sched::backlog;
    use crate::sched::letter::fetch;

    /// Nodes that go to the depot, or come from it, at a time. A thread keeps at most twice as many. Thin air.
    const BUNDLE: usize = 64;
    /// Bundles that the depot keeps (8 MiB); what is more is freed. So much was in flight at once, and may be again.
    const BUNDLES: usize = 1024;
    /// How many letters before its use a node is asked for: so long a core waits for what another one has written. Thin air.
    const AHEAD: usize = 4;

    /// Nodes of one owner. Their addresses lie beside each other, and not in the nodes: so who takes one need not read it
    /// first, which costs most where another core has had it last.
    #[derive(Default)]
    struct Bundle(Vec<NonNull<Node>>);

    // SAFETY: whoever has the bundle owns its nodes, which hold nothing.
    unsafe impl Send for Bundle {}

    impl Bundle {
        fn bytes(&self) -> usize {
            self.0.len() * size_of::<Node>()
        }
    }

    impl Drop for Bundle {
        fn drop(&mut self) {
            self.0.drain(..).for_each(free);
        }
    }

    /// Two bundles, so that a thread at the border of one does not go to the depot each time.
    #[derive(Default)]
    struct Pool {
        hot: Bundle,
        spare: Bundle,
    }

    thread_local! {
        static POOL: UnsafeCell<Pool> =
            const { UnsafeCell::new(Pool { hot: Bundle(Vec::new()), spare: Bundle(Vec::new()) }) };
    }

    /// Full bundles, and places for some.
    struct Depot {
        full: Vec<Bundle>,
        empty: Vec<Bundle>,
    }

    static DEPOT: Mutex<Depot> = Mutex::new(Depot { full: Vec::new(), empty: Vec::new() });

    #[inline]
    pub(in crate::sched::letter) fn get() -> NonNull<Node> {
        let node = POOL.try_with(|pool| {
            // SAFETY: the thread's own, and nothing in here comes back to this function or to `put`.
            let pool = unsafe { &mut *pool.get() };
            let node = pool.hot.0.pop()?;
            if let Some(ahead) = pool.hot.0.len().checked_sub(AHEAD) {
                fetch(pool.hot.0[ahead], true);
            }
            Some(node)
        });
        match node {
            Ok(Some(node)) => node,
            Ok(None) => refill(),
            // No pool: the thread is about to end.
            Err(_) => fresh(),
        }
    }

    #[inline]
    pub(in crate::sched::letter) fn put(node: NonNull<Node>) {
        let kept = POOL.try_with(|pool| {
            // SAFETY: as in `get`.
            let pool = unsafe { &mut *pool.get() };
            if pool.hot.0.len() == pool.hot.0.capacity() {
                spill(pool);
            }
            pool.hot.0.push(node);
        });
        if kept.is_err() {
            free(node);
        }
    }

    /// The hot bundle is empty.
    #[cold]
    fn refill() -> NonNull<Node> {
        POOL.with(|pool| {
            // SAFETY: as in `get`.
            let pool = unsafe { &mut *pool.get() };
            mem::swap(&mut pool.hot, &mut pool.spare);
            if pool.hot.0.is_empty() {
                let mut depot = DEPOT.lock();
                if let Some(full) = depot.full.pop() {
                    backlog::came(full.bytes());
                    depot.empty.push(mem::replace(&mut pool.hot, full));
                }
            }
            pool.hot.0.pop().unwrap_or_else(fresh)
        })
    }

    /// The hot bundle is full (or has no place yet): an empty one takes its place.
    #[cold]
    fn spill(pool: &mut Pool) {
        mem::swap(&mut pool.hot, &mut pool.spare);
        if !pool.hot.0.is_empty() {
            let mut depot = DEPOT.lock();
            let empty = depot.empty.pop().unwrap_or_default();
            let full = mem::replace(&mut pool.hot, empty);
            if depot.full.len() < BUNDLES {
                backlog::went(full.bytes());
                depot.full.push(full);
            } else {
                drop(depot);
                drop(full);
            }
        }
        pool.hot.0.reserve_exact(BUNDLE);
    }
}
