//! [`Queue`]: a critical section over `.await`s, as skynet.queue: first come, first served, and re-entrant.
//! Knows nothing of the host.

use async_unsync::semaphore::Semaphore;
use std::cell::Cell;
use std::pin::pin;

/// A critical section. What runs inside waits like anything else, but nothing else gets inside meanwhile.
///
/// ```
/// # use wasmactor_sdk::interleaved::Queue;
/// # async fn example() {
/// let queue = Queue::new();
/// queue.enter(async {
///     // Waiting here keeps the others out; entering again from inside is fine.
///     queue.enter(async {}).await;
/// }).await;
/// # }
/// ```
///
/// A task that was started inside by `spawn_local` is outside.
pub struct Queue {
    door: Semaphore,
    /// True while the future that is inside is being polled: whoever enters then comes from inside.
    inside: Cell<bool>,
}

impl Queue {
    /// A queue that nobody is in.
    pub fn new() -> Self {
        Self { door: Semaphore::new(1), inside: Cell::new(false) }
    }

    /// Runs a future when all that came before have left. Dropping the returned future leaves the queue.
    pub async fn enter<T>(&self, section: impl Future<Output = T>) -> T {
        if self.inside.get() {
            return section.await;
        }
        let _permit = self.door.acquire().await.expect("the door is never closed");
        let mut section = pin!(section);
        std::future::poll_fn(|context| {
            self.inside.set(true);
            let poll = section.as_mut().poll(context);
            self.inside.set(false);
            poll
        })
        .await
    }

    /// True if nobody is inside.
    pub fn is_free(&self) -> bool {
        self.door.available_permits() == 1
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("free", &self.is_free()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;
    use crate::interleaved::tasks::{run_until_stalled, spawn_local, yield_now};
    use std::cell::RefCell;
    use std::rc::Rc;

    #[test]
    fn first_come_first_served_and_alone() {
        let queue = Rc::new(Queue::new());
        let trace = Rc::new(RefCell::new(String::new()));
        for name in ["a", "b", "c"] {
            let (queue, trace) = (queue.clone(), trace.clone());
            spawn_local(async move {
                queue
                    .enter(async {
                        trace.borrow_mut().push_str(name);
                        yield_now().await;
                        yield_now().await;
                        trace.borrow_mut().push_str(name);
                    })
                    .await;
            })
            .detach();
        }
        run_until_stalled();
        assert_eq!(*trace.borrow(), "aabbcc");
        assert!(queue.is_free());
    }

    #[test]
    fn it_can_be_entered_again_from_inside() {
        let queue = Rc::new(Queue::new());
        let inner = queue.clone();
        let task = spawn_local(async move {
            inner
                .enter(async {
                    yield_now().await;
                    inner
                        .enter(async {
                            yield_now().await;
                            1
                        })
                        .await
                })
                .await
        });
        run_until_stalled();
        assert!(task.is_finished());
        assert!(queue.is_free());
    }

    #[test]
    fn a_branch_beside_the_section_is_outside() {
        let queue = Rc::new(Queue::new());
        let trace = Rc::new(RefCell::new(String::new()));
        let (q, t) = (queue.clone(), trace.clone());
        spawn_local(async move {
            let section = |name: &'static str| {
                q.enter(async {
                    t.borrow_mut().push_str(name);
                    yield_now().await;
                    t.borrow_mut().push_str(name);
                })
            };
            let (one, two) = (section("a"), section("b"));
            futures_util::join!(one, two);
        })
        .detach();
        run_until_stalled();
        assert_eq!(*trace.borrow(), "aabb");
    }

    #[test]
    fn leaving_by_drop_lets_the_next_in() {
        let queue = Rc::new(Queue::new());
        let hold = |queue: Rc<Queue>| async move { queue.enter(std::future::pending::<()>()).await };
        let first = spawn_local(hold(queue.clone()));
        let waiting = spawn_local(hold(queue.clone()));
        let inner = queue.clone();
        let last = spawn_local(async move { inner.enter(async {}).await });
        run_until_stalled();
        waiting.abort();
        run_until_stalled();
        assert!(!last.is_finished());
        first.abort();
        run_until_stalled();
        assert!(last.is_finished());
        assert!(queue.is_free());
    }
}
