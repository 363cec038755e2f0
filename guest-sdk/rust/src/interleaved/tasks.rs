//! Tasks of one actor: run until nothing is ready at the end of every turn, first come, first served. Knows nothing of
//! the host.
//!
//! A task is its future in a box and a place in a table; a waker is the place's number. A waker that outlives its task
//! may so wake the task that has the place now: a poll too many, which every future bears. In return nothing is counted
//! and nothing is allocated for a waker.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::ptr::without_provenance;
use std::rc::Rc;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use crate::sender::Request;

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// A task's place in the table.
#[derive(Default)]
struct Place {
    /// None: free, or just being polled.
    work: Option<Work>,
    /// The request that it works for.
    request: Option<Rc<Request>>,
    /// In the line; it must not be given to another task meanwhile.
    queued: bool,
    /// Being polled.
    running: bool,
    /// Its future is to be dropped instead of polled.
    aborted: bool,
}

#[derive(Default)]
struct Tasks {
    places: Vec<Place>,
    free: Vec<u32>,
    ready: VecDeque<u32>,
    /// Who is being polled.
    current: Option<u32>,
}

thread_local! {
    static TASKS: RefCell<Tasks> = const {
        RefCell::new(Tasks { places: Vec::new(), free: Vec::new(), ready: VecDeque::new(), current: None })
    };
}

impl Tasks {
    fn place(&mut self, number: u32) -> Option<&mut Place> {
        self.places.get_mut(number as usize)
    }

    /// A place for a new task.
    fn enter(&mut self, request: Option<Rc<Request>>) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            u32::try_from(self.places.len() - 1).expect("a task takes more than a byte")
        });
        if let Some(place) = self.place(number) {
            place.request = request;
        }
        number
    }

    /// Puts a task in the line, if there is one and it is not there yet.
    fn queue(&mut self, number: u32) {
        let Some(place) = self.place(number) else { return };
        if !place.queued && (place.running || place.work.is_some()) {
            place.queued = true;
            self.ready.push_back(number);
        }
    }

    /// Takes a task's future, and whether it is to be dropped, out of its place, to be polled.
    fn take(&mut self, number: u32) -> Option<(Work, bool)> {
        self.current = Some(number);
        let place = self.place(number)?;
        place.queued = false;
        place.running = true;
        let aborted = place.aborted;
        place.work.take().map(|work| (work, aborted))
    }

    /// It waits.
    fn put_back(&mut self, number: u32, work: Work) {
        self.current = None;
        if let Some(place) = self.place(number) {
            place.running = false;
            place.work = Some(work);
        }
    }

    /// It has ended: its place is free, if it is not in the line; then it leaves that first. The request is for the
    /// caller to drop.
    fn leave(&mut self, number: u32) -> Option<Rc<Request>> {
        self.current = None;
        let place = self.place(number)?;
        place.running = false;
        if place.queued {
            return place.request.take();
        }
        place.aborted = false;
        let request = place.request.take();
        self.free.push(number);
        request
    }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(|data| RawWaker::new(data, &VTABLE), wake, wake, |_| {});

fn wake(data: *const ()) {
    let Ok(number) = u32::try_from(data.addr()) else { return };
    TASKS.with_borrow_mut(|tasks| tasks.queue(number));
}

#[expect(unsafe_code, reason = "the one way to make a waker without a count")]
fn waker(number: u32) -> Waker {
    // SAFETY: the data is a number, which nobody owns and no thread shares: every function of the table takes it by
    // value, and what it does with it is safe.
    unsafe { Waker::from_raw(RawWaker::new(without_provenance(number as usize), &VTABLE)) }
}

/// Who is woken when something ends.
pub(super) enum Waiter {
    /// A task of ours: nothing to count, nothing to call.
    Task(u32),
    Other(Waker),
}

impl Waiter {
    pub(super) fn new(waker: &Waker) -> Self {
        match u32::try_from(waker.data().addr()) {
            Ok(number) if std::ptr::eq(waker.vtable(), &VTABLE) => Self::Task(number),
            _ => Self::Other(waker.clone()),
        }
    }

    /// Wakes it. If nobody else is ready it runs at once, which is only right outside of every task.
    pub(super) fn wake(self) {
        let number = match self {
            Self::Task(number) => number,
            Self::Other(waker) => return waker.wake(),
        };
        let work = TASKS.with_borrow_mut(|tasks| {
            if !tasks.ready.is_empty() || tasks.current.is_some() {
                tasks.queue(number);
                return None;
            }
            tasks.place(number)?.work.as_ref()?;
            tasks.take(number)
        });
        // An aborted one is in the line, so it is not here.
        if let Some((work, _)) = work {
            poll(number, work);
        }
    }
}

/// What a task and its handle share.
struct Join<T> {
    value: Cell<Option<T>>,
    ended: Cell<bool>,
    waiter: Cell<Option<Waker>>,
}

/// A task's result, to be awaited. Dropping it leaves the task running.
pub struct JoinHandle<T> {
    number: u32,
    join: Rc<Join<T>>,
}

impl<T> JoinHandle<T> {
    /// Ends the task: its future is dropped, and with it whatever it waits for.
    pub fn abort(self) {
        if self.join.ended.get() {
            return;
        }
        TASKS.with_borrow_mut(|tasks| {
            if let Some(place) = tasks.place(self.number) {
                place.aborted = true;
            }
            tasks.queue(self.number);
        });
    }

    /// True if it has ended.
    pub fn is_finished(&self) -> bool {
        self.join.ended.get()
    }

    /// Drops the handle and says so.
    pub fn detach(self) {}
}

impl<T> std::fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinHandle").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        if self.join.ended.get() {
            return Poll::Ready(self.join.value.take().expect("polled after its end"));
        }
        self.join.waiter.set(Some(context.waker().clone()));
        Poll::Pending
    }
}

/// Starts a task beside the others. It goes on when the handler that started it ends, and belongs to no request: what
/// it asks has deadlines of its own. It runs at the next `.await` of the caller.
pub fn spawn_local<T: 'static>(future: impl Future<Output = T> + 'static) -> JoinHandle<T> {
    let join = Rc::new(Join { value: Cell::new(None), ended: Cell::new(false), waiter: Cell::new(None) });
    let told = join.clone();
    let work: Work = Box::pin(async move {
        told.value.set(Some(future.await));
        told.ended.set(true);
        if let Some(waiter) = told.waiter.take() {
            waiter.wake();
        }
    });
    let number = TASKS.with_borrow_mut(|tasks| {
        let number = tasks.enter(None);
        if let Some(place) = tasks.place(number) {
            place.work = Some(work);
        }
        tasks.queue(number);
        number
    });
    JoinHandle { number, join }
}

/// Begins a task: it is polled at once, before whatever is ready. What it asks, now or later, is bounded by the deadline
/// of the request it works for.
pub(super) fn begin(request: Option<Rc<Request>>, work: impl Future<Output = ()> + 'static) {
    let work = Box::pin(work);
    let number = TASKS.with_borrow_mut(|tasks| {
        let number = tasks.enter(request);
        tasks.take(number);
        number
    });
    poll(number, work);
}

/// The request that the task being polled works for.
pub(super) fn with_request<T>(f: impl FnOnce(Option<&Request>) -> T) -> T {
    TASKS.with_borrow(|tasks| {
        let place = tasks.current.and_then(|number| tasks.places.get(number as usize));
        f(place.and_then(|place| place.request.as_deref()))
    })
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

/// Polls a task that was taken from its place. No borrow is held meanwhile, nor while its future is dropped: both may
/// make others ready, or start some.
fn poll(number: u32, mut work: Work) {
    let request = match work.as_mut().poll(&mut Context::from_waker(&waker(number))) {
        Poll::Pending => TASKS.with_borrow_mut(|tasks| {
            tasks.put_back(number, work);
            None
        }),
        Poll::Ready(()) => {
            drop(work);
            TASKS.with_borrow_mut(|tasks| tasks.leave(number))
        }
    };
    drop(request);
}

/// Runs one ready task. False: none was ready.
pub(super) fn run_one() -> bool {
    let next = TASKS.with_borrow_mut(|tasks| {
        let number = tasks.ready.pop_front()?;
        Some((number, tasks.take(number)))
    });
    match next {
        Some((number, Some((work, false)))) => poll(number, work),
        Some((number, aborted)) => {
            drop(aborted);
            let request = TASKS.with_borrow_mut(|tasks| tasks.leave(number));
            drop(request);
        }
        None => return false,
    }
    true
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
    fn a_place_is_not_given_away_while_it_is_in_the_line() {
        // Wakes itself, then ends: its place is in the line when its future is gone.
        let first = spawn_local(std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            std::task::Poll::Ready(1)
        }));
        let trace = Rc::new(RefCell::new(Vec::new()));
        let step = |name: &'static str| {
            let trace = trace.clone();
            async move {
                trace.borrow_mut().push(name);
                yield_now().await;
                trace.borrow_mut().push(name);
            }
        };
        let started = spawn_local({
            let (second, third) = (step("second"), step("third"));
            async move { (spawn_local(second), spawn_local(third)) }
        });
        run_until_stalled();
        assert_eq!(first.now_or_never(), Some(1));
        assert!(started.is_finished());
        assert_eq!(*trace.borrow(), ["second", "third", "second", "third"]);
    }

    #[test]
    fn a_waker_of_an_ended_task_harms_nobody() {
        let stale = Rc::new(Cell::new(None));
        let out = stale.clone();
        spawn_local(std::future::poll_fn(move |context| {
            out.set(Some(context.waker().clone()));
            std::task::Poll::Ready(())
        }))
        .detach();
        run_until_stalled();
        let polls = Rc::new(Cell::new(0));
        let counted = polls.clone();
        let other = spawn_local(std::future::poll_fn(move |_| {
            counted.set(counted.get() + 1);
            std::task::Poll::<()>::Pending
        }));
        run_until_stalled();
        let waker = stale.take().expect("the first task left it");
        waker.wake_by_ref();
        waker.wake_by_ref();
        run_until_stalled();
        assert_eq!(polls.get(), 2);
        other.abort();
        run_until_stalled();
        waker.wake();
        run_until_stalled();
        assert_eq!(polls.get(), 2);
    }

    #[test]
    fn a_task_can_abort_itself_and_others_while_they_run() {
        let token = Rc::new(());
        let own = Rc::new(RefCell::new(None::<super::JoinHandle<()>>));
        let (held, me) = (token.clone(), own.clone());
        let task = spawn_local(async move {
            if let Some(handle) = me.borrow_mut().take() {
                handle.abort();
            }
            yield_now().await;
            drop(held);
            unreachable!("it was ended at the await");
        });
        *own.borrow_mut() = Some(task);
        run_until_stalled();
        assert_eq!(Rc::strong_count(&token), 1);
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
