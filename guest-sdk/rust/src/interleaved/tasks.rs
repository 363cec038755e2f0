//! Tasks of one actor: run until nothing is ready at the end of every turn, first come, first served. Knows nothing of
//! the host.
//!
//! A task is its future in a box and a place; a waker is the place's address. Places are made as they are needed and given
//! to the next task, never back. A waker that outlives its task may so wake the task that has the place now: a poll too
//! many, which every future bears. In return nothing is counted and nothing is allocated for a waker. All state is in
//! `Cell`s, because each access to a guest's memory checks its bounds, and a borrow that is counted is three of them.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use crate::sender::Request;

type Work = Pin<Box<dyn Future<Output = ()>>>;
type Link = Cell<Option<&'static Place>>;

/// Where a task is.
#[derive(Default)]
struct Place {
    /// None: free, or just being polled.
    work: Cell<Option<Work>>,
    /// The request that it works for.
    request: Cell<Option<Rc<Request>>>,
    /// It has a task, which has not ended.
    taken: Cell<bool>,
    /// In the line; it must not be given to another task meanwhile.
    queued: Cell<bool>,
    /// Its future is to be dropped instead of polled.
    aborted: Cell<bool>,
    /// The next one in the line, or the next free one.
    next: Link,
    /// Whose it is; a waker may be carried to other threads. A guest has but one.
    #[cfg(not(target_family = "wasm"))]
    owner: Owner,
}

#[cfg(not(target_family = "wasm"))]
struct Owner(std::thread::ThreadId);

#[cfg(not(target_family = "wasm"))]
impl Default for Owner {
    fn default() -> Self {
        Self(std::thread::current().id())
    }
}

/// The actor's tasks.
struct Tasks {
    /// The line of those that are ready.
    first: Link,
    last: Link,
    free: Link,
    /// Who is being polled.
    current: Link,
}

thread_local! {
    static TASKS: Tasks =
        const { Tasks { first: Cell::new(None), last: Cell::new(None), free: Cell::new(None), current: Cell::new(None) } };
}

impl Tasks {
    /// A place for a new task.
    fn enter(&self, request: Option<Rc<Request>>) -> &'static Place {
        let place = match self.free.get() {
            Some(place) => {
                self.free.set(place.next.get());
                place
            }
            None => Box::leak(Box::default()),
        };
        place.request.set(request);
        place.taken.set(true);
        place
    }

    /// Puts a task in the line, if it has not ended and is not there yet.
    fn queue(&self, place: &'static Place) {
        if place.queued.get() || !place.taken.get() {
            return;
        }
        place.queued.set(true);
        place.next.set(None);
        match self.last.replace(Some(place)) {
            Some(last) if self.first.get().is_some() => last.next.set(Some(place)),
            _ => self.first.set(Some(place)),
        }
    }

    /// Takes the next one from the line.
    fn next(&self) -> Option<&'static Place> {
        let place = self.first.get()?;
        self.first.set(place.next.get());
        place.queued.set(false);
        Some(place)
    }

    /// A task has ended: its place is free, if it is not in the line; then it leaves that first.
    fn leave(&self, place: &'static Place) {
        place.taken.set(false);
        if !place.queued.get() {
            place.aborted.set(false);
            place.next.set(self.free.replace(Some(place)));
        }
    }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(|data| RawWaker::new(data, &VTABLE), wake, wake, |_| {});

/// The place of a waker of ours.
///
/// # Safety
///
/// The data is that of a waker with the table above.
#[expect(unsafe_code, reason = "what a waker has is a pointer")]
#[inline]
unsafe fn place_of(data: *const ()) -> &'static Place {
    let place = data.cast::<Place>();
    #[cfg(not(target_family = "wasm"))]
    {
        // SAFETY: see below; the owner never changes, so any thread may read it.
        let Owner(owner) = unsafe { &(*place).owner };
        assert_eq!(*owner, std::thread::current().id(), "a task is woken by another thread");
    }
    // SAFETY: the data is what `waker` put there, and places live for ever; it is this thread's.
    unsafe { &*place }
}

#[expect(unsafe_code, reason = "what a waker has is a pointer")]
fn wake(data: *const ()) {
    // SAFETY: this is a function of the table.
    let place = unsafe { place_of(data) };
    TASKS.with(|tasks| tasks.queue(place));
}

#[expect(unsafe_code, reason = "the one way to make a waker without a count")]
#[inline]
fn waker(data: *const ()) -> Waker {
    // SAFETY: the data is a place's address, which nobody owns and which stays what it is: the functions of the table take
    // it by value, and refuse it on another thread.
    unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) }
}

/// Who is woken when something ends.
pub(super) struct Waiter(Waker);

impl Waiter {
    #[inline]
    pub(super) fn new(other: &Waker) -> Self {
        // One of ours is copied without the call.
        Self(if std::ptr::eq(other.vtable(), &VTABLE) { waker(other.data()) } else { other.clone() })
    }

    /// Wakes it. If nobody else is ready it runs at once, which is only right outside of every task.
    #[inline]
    pub(super) fn wake(self) {
        let idle = TASKS.with(|tasks| tasks.first.get().is_none() && tasks.current.get().is_none());
        if !idle || !std::ptr::eq(self.0.vtable(), &VTABLE) {
            return self.0.wake();
        }
        #[expect(unsafe_code, reason = "what a waker has is a pointer")]
        // SAFETY: it has the table.
        let place = unsafe { place_of(self.0.data()) };
        // Dropping it does nothing, but by a call.
        std::mem::forget(self);
        // An aborted one is in the line, so it is not here.
        if let Some(work) = place.work.take() {
            poll(place, work);
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
    place: &'static Place,
    join: Rc<Join<T>>,
}

impl<T> JoinHandle<T> {
    /// Ends the task: its future is dropped, and with it whatever it waits for.
    pub fn abort(self) {
        if self.join.ended.get() {
            return;
        }
        self.place.aborted.set(true);
        TASKS.with(|tasks| tasks.queue(self.place));
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
    let place = TASKS.with(|tasks| {
        let place = tasks.enter(None);
        place.work.set(Some(work));
        tasks.queue(place);
        place
    });
    JoinHandle { place, join }
}

/// Begins a task: it is polled at once, before whatever is ready. What it asks, now or later, is bounded by the deadline
/// of the request it works for.
pub(super) fn begin(request: Option<Rc<Request>>, work: impl Future<Output = ()> + 'static) {
    let place = TASKS.with(|tasks| tasks.enter(request));
    poll(place, Box::pin(work));
}

/// The request that the task being polled works for.
pub(super) fn with_request<T>(f: impl FnOnce(Option<&Request>) -> T) -> T {
    let Some(place) = TASKS.with(|tasks| tasks.current.get()) else { return f(None) };
    let request = place.request.take();
    let result = f(request.as_deref());
    place.request.set(request);
    result
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

/// Polls a task whose future was taken from its place.
#[inline(always)]
fn poll(place: &'static Place, mut work: Work) {
    TASKS.with(|tasks| tasks.current.set(Some(place)));
    // To drop it is a call that does nothing.
    let waker = ManuallyDrop::new(waker(std::ptr::from_ref(place).cast()));
    if work.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        place.work.set(Some(work));
        return TASKS.with(|tasks| tasks.current.set(None));
    }
    ended(place, work);
}

/// A task is over. What is dropped here may make others ready, or start some.
#[cold]
fn ended(place: &'static Place, work: Work) {
    drop(work);
    let request = place.request.take();
    TASKS.with(|tasks| {
        tasks.current.set(None);
        tasks.leave(place);
    });
    drop(request);
}

/// Runs one ready task. False: none was ready.
#[inline]
pub(super) fn run_one() -> bool {
    let Some(place) = TASKS.with(|tasks| tasks.next()) else { return false };
    match place.work.take() {
        Some(work) if !place.aborted.get() => poll(place, work),
        Some(work) => {
            TASKS.with(|tasks| tasks.current.set(Some(place)));
            ended(place, work);
        }
        // It ended while it was in the line.
        None => TASKS.with(|tasks| tasks.leave(place)),
    }
    true
}

/// Runs tasks until every one waits.
#[inline]
pub(super) fn run_until_stalled() {
    while run_one() {}
}

#[cfg(test)]
mod tests;
