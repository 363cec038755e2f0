//! The system `global-queue`: a locked mailbox for each actor, one locked queue of all mailboxes that have messages,
//! workers that sleep on a condition variable. The classic scheme, in its plainest form.

use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};

use wasmactor_bench_peers::loops::{self, Actor, Message, Scheduler, Setup};

fn main() -> ExitCode {
    wasmactor_bench_peers::main(|case| loops::run(&case, |setup| turn(case.workers, setup)))
}

/// A worker's handle to what all share.
#[derive(Clone)]
struct Worker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    ready: Mutex<Ready>,
    wake: Condvar,
    asleep: AtomicUsize,
}

#[derive(Default)]
struct Ready {
    mailboxes: VecDeque<Arc<Mailbox>>,
    over: bool,
}

struct Mailbox {
    messages: Mutex<Messages>,
    /// Only the worker that has taken the mailbox from the queue locks it.
    actor: Mutex<Box<dyn Actor<Worker>>>,
}

#[derive(Default)]
struct Messages {
    waiting: VecDeque<Message<Worker>>,
    /// It is in the queue, or with a worker.
    scheduled: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scheduler for Worker {
    type Address = Arc<Mailbox>;

    fn spawn(&mut self, actor: Box<dyn Actor<Self>>) -> Arc<Mailbox> {
        Arc::new(Mailbox { messages: Mutex::default(), actor: Mutex::new(actor) })
    }

    fn send(&mut self, to: &Arc<Mailbox>, message: Message<Self>) {
        let mut messages = lock(&to.messages);
        messages.waiting.push_back(message);
        if !messages.scheduled {
            messages.scheduled = true;
            drop(messages);
            self.push(to.clone());
        }
    }
}

impl Worker {
    fn push(&self, mailbox: Arc<Mailbox>) {
        lock(&self.0.ready).mailboxes.push_back(mailbox);
        if self.0.asleep.load(Ordering::SeqCst) > 0 {
            self.0.wake.notify_one();
        }
    }

    /// None: the run is over.
    fn take(&self) -> Option<Arc<Mailbox>> {
        let mut ready = lock(&self.0.ready);
        loop {
            if ready.over {
                return None;
            }
            if let Some(mailbox) = ready.mailboxes.pop_front() {
                return Some(mailbox);
            }
            self.0.asleep.fetch_add(1, Ordering::SeqCst);
            ready = self.0.wake.wait(ready).unwrap_or_else(PoisonError::into_inner);
            self.0.asleep.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn work(&mut self) {
        while let Some(mailbox) = self.take() {
            // What is there now; then it goes behind the others.
            let count = lock(&mailbox.messages).waiting.len();
            let mut actor = lock(&mailbox.actor);
            for _ in 0..count {
                let Some(message) = lock(&mailbox.messages).waiting.pop_front() else { break };
                actor.handle(self, &mailbox, message);
            }
            drop(actor);
            let mut messages = lock(&mailbox.messages);
            messages.scheduled = !messages.waiting.is_empty();
            if messages.scheduled {
                drop(messages);
                self.push(mailbox);
            }
        }
    }
}

/// Until as many actors as were promised have told that they are done.
fn turn(workers: usize, setup: Setup<Worker>) -> Vec<u64> {
    let mut shared = Worker(Arc::default());
    let threads: Vec<_> = (0..workers)
        .map(|_| {
            let mut worker = shared.clone();
            std::thread::spawn(move || worker.work())
        })
        .collect();
    let (done, waiting) = mpsc::channel();
    let promised = setup(&mut shared, done);
    let told = waiting.iter().take(promised).collect();
    lock(&shared.0.ready).over = true;
    shared.0.wake.notify_all();
    for thread in threads {
        thread.join().expect("a worker panicked");
    }
    told
}
