//! Nodes without a message, to be written again: a pool of each thread, and a depot of the process between them. Used by
//! the letters. A model allocates each node anew: the pool is nothing that threads agree on.
//!
//! Must hold: a node in a pool is owned by it and holds no message.

#![expect(unsafe_code, reason = "owns its nodes")]

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use super::Node;

pub(super) fn fresh() -> NonNull<Node> {
    NonNull::from(Box::leak(Box::new(Node { next: None, message: MaybeUninit::uninit() })))
}

pub(super) fn free(node: NonNull<Node>) {
    // SAFETY: made by `fresh`, and nobody else has it; there is no message that would have to be dropped.
    drop(unsafe { Box::from_raw(node.as_ptr()) });
}

#[cfg(not(loom))]
pub(super) use pooled::{get, put};
#[cfg(loom)]
pub(super) use {free as put, fresh as get};

#[cfg(not(loom))]
mod pooled {
    use std::cell::Cell;
    use std::ptr::NonNull;

    use super::{Node, free, fresh};
    use crate::base::sync::Mutex;

    /// Nodes that go to the depot, or come from it, at a time. A thread keeps at most twice as many. Thin air.
    const BUNDLE: u32 = 64;
    /// Bundles that the depot keeps (8 MiB); what is more is freed. So much was in flight at once, and may be again.
    const BUNDLES: usize = 1024;

    /// Nodes that hang together by `next`.
    #[derive(Clone, Copy)]
    struct Stack {
        top: Option<NonNull<Node>>,
        count: u32,
    }

    // SAFETY: whoever has the stack owns its nodes, which hold nothing.
    unsafe impl Send for Stack {}

    impl Stack {
        const EMPTY: Self = Self { top: None, count: 0 };

        #[inline]
        fn pop(self) -> Option<(NonNull<Node>, Self)> {
            let top = self.top?;
            // SAFETY: the stack owns its nodes.
            let below = unsafe { (*top.as_ptr()).next };
            Some((top, Self { top: below, count: self.count - 1 }))
        }

        #[inline]
        fn push(self, node: NonNull<Node>) -> Self {
            // SAFETY: the caller gives the node to the stack.
            unsafe { (*node.as_ptr()).next = self.top };
            Self { top: Some(node), count: self.count + 1 }
        }

        fn free(mut self) {
            while let Some((node, rest)) = self.pop() {
                free(node);
                self = rest;
            }
        }
    }

    /// Two stacks, so that a thread at the border of a bundle does not go to the depot each time.
    struct Pool {
        hot: Cell<Stack>,
        spare: Cell<Stack>,
    }

    impl Drop for Pool {
        fn drop(&mut self) {
            self.hot.replace(Stack::EMPTY).free();
            self.spare.replace(Stack::EMPTY).free();
        }
    }

    thread_local! {
        static POOL: Pool = const { Pool { hot: Cell::new(Stack::EMPTY), spare: Cell::new(Stack::EMPTY) } };
    }

    static DEPOT: Mutex<Vec<Stack>> = Mutex::new(Vec::new());

    #[inline]
    pub(in crate::sched::letter) fn get() -> NonNull<Node> {
        let node = POOL.try_with(|pool| match pool.hot.get().pop() {
            Some((node, rest)) => {
                pool.hot.set(rest);
                node
            }
            None => refill(pool),
        });
        // No pool: the thread is about to end.
        node.unwrap_or_else(|_| fresh())
    }

    #[inline]
    pub(in crate::sched::letter) fn put(node: NonNull<Node>) {
        let kept = POOL.try_with(|pool| {
            let mut hot = pool.hot.get();
            if hot.count == BUNDLE {
                spill(pool);
                hot = Stack::EMPTY;
            }
            pool.hot.set(hot.push(node));
        });
        if kept.is_err() {
            free(node);
        }
    }

    /// The hot stack is empty.
    #[cold]
    fn refill(pool: &Pool) -> NonNull<Node> {
        let mut stack = pool.spare.replace(Stack::EMPTY);
        if stack.count == 0 {
            stack = DEPOT.lock().pop().unwrap_or(Stack::EMPTY);
        }
        let Some((node, rest)) = stack.pop() else { return fresh() };
        pool.hot.set(rest);
        node
    }

    /// The hot stack is full, and will be replaced by an empty one.
    #[cold]
    fn spill(pool: &Pool) {
        let full = pool.spare.replace(pool.hot.get());
        if full.count == 0 {
            return;
        }
        let mut depot = DEPOT.lock();
        if depot.len() < BUNDLES {
            depot.push(full);
        } else {
            drop(depot);
            full.free();
        }
    }
}
