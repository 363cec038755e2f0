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
mod tests;
