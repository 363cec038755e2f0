//! Tasks of one actor: a run queue of `async-task` runnables, run until nothing is ready at the end of every turn.
//! Knows nothing of the host.

use async_task::{Runnable, Task};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

thread_local! {
    static READY: RefCell<VecDeque<Runnable>> = const { RefCell::new(VecDeque::new()) };
}

/// A task's result, to be awaited. Dropping it leaves the task running.
#[derive(Debug)]
pub struct JoinHandle<T>(Option<Task<T>>);

impl<T> JoinHandle<T> {
    /// Ends the task: its future is dropped, and with it whatever it waits for.
    pub fn abort(mut self) {
        drop(self.0.take());
    }

    /// True if it has ended.
    pub fn is_finished(&self) -> bool {
        self.0.as_ref().is_none_or(Task::is_finished)
    }

    /// Drops the handle and says so.
    pub fn detach(self) {}
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.detach();
        }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        Pin::new(self.0.as_mut().expect("only `abort` and `drop` take the task")).poll(context)
    }
}

/// Starts a task beside the others. It goes on when the handler that started it ends, and belongs to no request: what
/// it asks has deadlines of its own. It runs at the next `.await` of the caller.
pub fn spawn_local<T: 'static>(future: impl Future<Output = T> + 'static) -> JoinHandle<T> {
    let (runnable, task) =
        async_task::spawn_local(future, |runnable| READY.with_borrow_mut(|ready| ready.push_back(runnable)));
    runnable.schedule();
    JoinHandle(Some(task))
}

/// Lets the other ready tasks run first.
pub async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Runs one ready task. False: none was ready.
pub(super) fn run_one() -> bool {
    // The borrow must end before the task runs: it may make others ready.
    let runnable = READY.with_borrow_mut(VecDeque::pop_front);
    runnable.map(Runnable::run).is_some()
}

/// Runs tasks until every one waits.
pub(super) fn run_until_stalled() {
    while run_one() {}
}

#[cfg(test)]
mod tests {
    use super::{run_until_stalled, spawn_local, yield_now};
    use crate::interleaved::{FutureExt, channel, join, select_biased};
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    #[test]
    fn tasks_take_turns_and_handles_give_results() {
        let trace = Rc::new(RefCell::new(Vec::new()));
        let step = |name: &'static str| {
            let trace = trace.clone();
            async move {
                for turn in 0..2 {
                    trace.borrow_mut().push((name, turn));
                    yield_now().await;
                }
                name.len()
            }
        };
        let (a, b) = (spawn_local(step("a")), spawn_local(step("bb")));
        let sum = Rc::new(Cell::new(0));
        let out = sum.clone();
        spawn_local(async move { out.set(a.await + b.await) }).detach();
        run_until_stalled();
        assert_eq!(sum.get(), 3);
        assert_eq!(*trace.borrow(), [("a", 0), ("bb", 0), ("a", 1), ("bb", 1)]);
    }

    #[test]
    fn abort_drops_the_future_and_dropping_a_handle_does_not() {
        let token = Rc::new(());
        let hold = |token: Rc<()>| async move {
            std::future::pending::<()>().await;
            drop(token);
        };
        let aborted = spawn_local(hold(token.clone()));
        drop(spawn_local(hold(token.clone())));
        run_until_stalled();
        assert_eq!(Rc::strong_count(&token), 3);
        aborted.abort();
        run_until_stalled();
        assert_eq!(Rc::strong_count(&token), 2);
    }

    #[test]
    fn channels_wait_for_room_and_end() {
        let (sender, mut receiver) = channel::bounded::<u32>(1);
        let got = Rc::new(RefCell::new(Vec::new()));
        let out = got.clone();
        spawn_local(async move {
            for value in 0..5 {
                sender.send(value).await.unwrap();
            }
        })
        .detach();
        spawn_local(async move {
            while let Some(value) = receiver.recv().await {
                out.borrow_mut().push(value);
            }
            out.borrow_mut().push(99);
        })
        .detach();
        run_until_stalled();
        assert_eq!(*got.borrow(), [0, 1, 2, 3, 4, 99]);
    }

    #[test]
    fn select_takes_what_is_ready_and_join_takes_all() {
        let (yes, answer) = channel::oneshot();
        let (_never, silence) = channel::oneshot::<u32>();
        let result = spawn_local(async move {
            let first = select_biased! {
                value = silence.fuse() => value.unwrap(),
                value = answer.fuse() => value.unwrap(),
            };
            let (a, b) = join!(async { first }, async {
                yield_now().await;
                1
            });
            a + b
        });
        run_until_stalled();
        assert!(!result.is_finished());
        yes.send(41).unwrap();
        run_until_stalled();
        assert_eq!(result.now_or_never(), Some(42));
    }
}
