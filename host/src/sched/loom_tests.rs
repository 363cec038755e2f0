//! Models of the concurrent cores: every interleaving of small cases, by loom. Run with
//! `RUSTFLAGS="--cfg loom" cargo test --release -p wasmactor --no-default-features --lib loom`.

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use crate::actor::{Population, Table};
use crate::base::lock::Spin;
use crate::base::sync::{Arc, Condvar, Mutex};
use crate::base::{Address, Body, Cause, Message, Payload, Session};
use crate::sched::{Bounds, Chain, Idle, Letter, Mailbox, Parked, Pushed, Rest, Tag, Taken};

fn message(source: u64) -> Letter {
    let body = Body::Message { kind: 0, payload: Payload::empty(), deadline: 0 };
    Letter::new(Message { source: Address::from_raw(source), session: Session::NONE, body })
}

fn timeout(session: Session) -> Letter {
    Letter::new(Message { source: Address::HOST, session, body: Body::Timeout })
}

const HERE: Address = Address::HOST;

fn here() -> Address {
    Address::new(0, 0, 1)
}

/// An open mailbox that has been through its first turn: idle.
fn idle_mailbox() -> Mailbox {
    let mailbox = Mailbox::default();
    mailbox.open(here(), Tag { label: 0, edition: 0, parent: HERE }, Bounds::of(100));
    assert_eq!(mailbox.rest(), Rest::Idle);
    mailbox
}

/// What a worker does with a mailbox that it took from the run queue; returns the messages it handled.
fn run(mailbox: &Mailbox, owners: &AtomicUsize) -> usize {
    assert_eq!(owners.fetch_add(1, Ordering::SeqCst), 0, "two workers have the mailbox");
    let mut handled = 0;
    let mut batch = Chain::default();
    loop {
        if let Taken::Messages { .. } = mailbox.take(&mut batch, false) {
            while mailbox.begin(&mut batch).is_some() {
                handled += 1;
            }
        }
        // The ownership ends inside `rest`, so it is given up before and taken again if it goes on.
        owners.store(0, Ordering::SeqCst);
        if mailbox.rest() == Rest::Idle {
            return handled;
        }
        owners.store(1, Ordering::SeqCst);
    }
}

/// push ∥ push: no message lost, no lost schedule, never two owners.
#[test]
fn loom_mailbox_push_and_take() {
    loom::model(|| {
        let mailbox = Arc::new(idle_mailbox());
        let owners = Arc::new(AtomicUsize::new(0));
        let handled = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (1..=2)
            .map(|source| {
                let (mailbox, owners, handled) = (mailbox.clone(), owners.clone(), handled.clone());
                thread::spawn(move || {
                    let push = mailbox.push(here(), message(source), |_| true);
                    if matches!(push.outcome, Pushed::Schedule) {
                        handled.fetch_add(run(&mailbox, &owners), Ordering::SeqCst);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(handled.load(Ordering::SeqCst), 2);
        assert!(mailbox.is_empty());
    });
}

/// push ∥ push ∥ run: what made the actor ready comes to the worker past the queue, once, and before what came later.
#[test]
fn loom_first_message_is_handed_over() {
    loom::model(|| {
        let (mailbox, ready) = (Arc::new(idle_mailbox()), Arc::new(AtomicBool::new(false)));
        let (other, queued) = (mailbox.clone(), ready.clone());
        let sender = thread::spawn(move || {
            for number in 1..=2 {
                if matches!(other.push(here(), message(number), |_| true).outcome, Pushed::Schedule) {
                    assert!(!queued.swap(true, Ordering::AcqRel), "in the run queue twice");
                }
            }
        });
        let (mut seen, mut share) = (Vec::new(), Chain::default());
        let mut run = || {
            if !ready.swap(false, Ordering::AcqRel) {
                return;
            }
            loop {
                if let Taken::Messages { .. } = mailbox.take(&mut share, false) {
                    while let Some(letter) = mailbox.begin(&mut share) {
                        seen.push(letter.open().source.raw());
                    }
                }
                if mailbox.rest() == Rest::Idle {
                    return;
                }
            }
        };
        run();
        sender.join().unwrap();
        run();
        assert_eq!(seen, [1, 2]);
        assert!(mailbox.is_empty() && mailbox.queued() == 0 && mailbox.taken() == 0);
    });
}

/// answer ∥ park: whoever comes second resumes the actor, exactly one of them.
#[test]
fn loom_reply_lane_answer_and_park() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.open(here(), Tag::default(), Bounds::of(100));
        let session = Session(7);
        mailbox.expect(session, Some(here()), 0);
        let other = mailbox.clone();
        let answerer = thread::spawn(move || matches!(other.answer(here(), timeout(session)), Pushed::Schedule));
        let resumed_here = mailbox.park() == Parked::No;
        let scheduled = answerer.join().unwrap();
        assert!(resumed_here ^ scheduled, "resumed here: {resumed_here}, scheduled: {scheduled}");
        assert!(mailbox.answered().is_some());
        assert_eq!(mailbox.waits_on(), None);
    });
}

/// kill ∥ push ∥ rest: a killed actor is taken exactly once more, and finds the kill.
#[test]
fn loom_kill_is_seen() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.open(here(), Tag::default(), Bounds::of(100));
        let other = mailbox.clone();
        let killer = thread::spawn(move || other.kill(here(), Cause::Killed, String::new()) == Some(true));
        let again = mailbox.rest() == Rest::Again;
        let scheduled = killer.join().unwrap();
        assert!(again ^ scheduled, "goes on: {again}, scheduled: {scheduled}");
        let taken = mailbox.take(&mut Chain::default(), false);
        assert!(matches!(taken, Taken::Killed(Cause::Killed, _)));
    });
}

/// Two exclusive calls that close a cycle at once: at least one sees the other's edge.
#[test]
fn loom_cycle_is_seen_by_one() {
    loom::model(|| {
        let (a, b) = (Arc::new(Mailbox::default()), Arc::new(Mailbox::default()));
        let (address_a, address_b) = (Address::new(0, 0, 1), Address::new(0, 0, 2));
        a.open(address_a, Tag::default(), Bounds::of(1));
        b.open(address_b, Tag::default(), Bounds::of(1));
        let (other_a, other_b) = (a.clone(), b.clone());
        let caller = thread::spawn(move || {
            other_b.expect(Session(2), Some(address_a), 0);
            other_a.waits_on() == Some(address_b)
        });
        a.expect(Session(1), Some(address_b), 0);
        let seen_here = b.waits_on() == Some(address_a);
        assert!(caller.join().unwrap() || seen_here);
    });
}

/// push ∥ sleep: work that is there is found, whoever comes first. A lost wake-up is a deadlock, which loom reports.
#[test]
fn loom_idle_push_and_sleep() {
    loom::model(|| {
        let idle = Arc::new(Idle::new(1, || {}));
        let work = Arc::new(AtomicBool::new(false));
        let (other, pushed) = (idle.clone(), work.clone());
        let pusher = thread::spawn(move || {
            pushed.store(true, Ordering::Release);
            other.work_came();
        });
        let mut searching = idle.search();
        while !work.load(Ordering::Acquire) {
            searching = idle.sleep(0, searching, || work.load(Ordering::Acquire));
            if !searching {
                searching = idle.search();
            }
        }
        if searching {
            let _ = idle.found();
        }
        pusher.join().unwrap();
    });
}

/// push ∥ wait for sockets: the ring reaches a worker that waits there, whoever comes first. What the kernel does for
/// the ring is a flag that is kept until somebody waits, and ends the wait.
#[test]
fn loom_idle_push_and_wait_for_sockets() {
    loom::model(|| {
        let bell = Arc::new((Mutex::new(false), Condvar::new()));
        let ringer = bell.clone();
        let ring = move || {
            *ringer.0.lock() = true;
            ringer.1.notify_one();
        };
        let idle = Arc::new(Idle::new(1, ring));
        let work = Arc::new(AtomicBool::new(false));
        let (other, pushed) = (idle.clone(), work.clone());
        let pusher = thread::spawn(move || {
            pushed.store(true, Ordering::Release);
            other.work_came();
        });
        let wait = || {
            let mut rung = bell.0.lock();
            while !*rung {
                bell.1.wait(&mut rung);
            }
            *rung = false;
        };
        let mut searching = false;
        while !work.load(Ordering::Acquire) {
            searching = idle.sleep_in(0, searching, || work.load(Ordering::Acquire), wait);
        }
        if searching {
            let _ = idle.found();
        }
        pusher.join().unwrap();
    });
}

/// A socket's event ∥ push: the worker comes back from the wait by itself while it is being woken; it ends awake, off
/// the list, with no wake-up left over.
#[test]
fn loom_idle_push_and_socket_event() {
    loom::model(|| {
        let idle = Arc::new(Idle::new(1, || {}));
        let other = idle.clone();
        let pusher = thread::spawn(move || other.work_came());
        let searching = idle.sleep_in(0, false, || false, || {});
        if searching {
            let _ = idle.found();
        }
        pusher.join().unwrap();
        // Nobody is on the list, so nothing is left that could end the next wait.
        let waited = std::cell::Cell::new(false);
        assert!(!idle.sleep_in(0, false, || false, || waited.set(true)));
        assert!(waited.get());
    });
}

/// Two pieces of work, two workers: a searcher that found work passes the rest on.
#[test]
fn loom_idle_two_pushes_two_workers() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let idle = Arc::new(Idle::new(2, || {}));
        let work = Arc::new(AtomicUsize::new(0));
        let left = Arc::new(AtomicUsize::new(2));
        let take = |work: &AtomicUsize| {
            work.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| count.checked_sub(1)).is_ok()
        };
        let worker = move |index: usize, idle: &Idle, work: &AtomicUsize, left: &AtomicUsize| {
            let mut searching = idle.search();
            while left.load(Ordering::Acquire) > 0 {
                if take(work) {
                    if searching && idle.found() && work.load(Ordering::Acquire) > 0 {
                        idle.work_came();
                    }
                    if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                        idle.wake_all();
                    }
                    searching = false;
                    continue;
                }
                let more = || work.load(Ordering::Acquire) > 0 || left.load(Ordering::Acquire) == 0;
                searching = idle.sleep(index, searching, more);
                if !searching {
                    searching = idle.search();
                }
            }
        };
        let (i, w, l) = (idle.clone(), work.clone(), left.clone());
        let other = thread::spawn(move || worker(1, &i, &w, &l));
        let (i, w) = (idle.clone(), work.clone());
        let pusher = thread::spawn(move || {
            for _ in 0..2 {
                w.fetch_add(1, Ordering::AcqRel);
                i.work_came();
            }
        });
        worker(0, &idle, &work, &left);
        pusher.join().unwrap();
        other.join().unwrap();
    });
}

/// The spinning lock that the mailboxes ship with: two holders never meet, and each sees what the other did.
#[test]
fn loom_spin_excludes() {
    loom::model(|| {
        let lock = Arc::new(Spin::new(UnsafeCell::new(0)));
        let add = |lock: &Spin<UnsafeCell<u32>>| {
            lock.lock().with_mut(|value| {
                #[expect(unsafe_code, reason = "loom's cell, which finds two at once")]
                // SAFETY: the lock is held, and that is what the model checks.
                unsafe {
                    *value += 1;
                }
            });
        };
        let other = lock.clone();
        let thread = thread::spawn(move || add(&other));
        add(&lock);
        thread.join().unwrap();
        #[expect(unsafe_code, reason = "loom's cell")]
        // SAFETY: the other thread has ended.
        let sum = lock.lock().with(|value| unsafe { *value });
        assert_eq!(sum, 2);
    });
}

/// Two ends on two workers ∥ somebody who waits for both: it sees that nobody is alive, or is told.
#[test]
fn loom_population_last_end_is_told() {
    loom::model(|| {
        let population = Arc::new(Population::new(2));
        population.born(Some(0));
        population.born(Some(0));
        let enders: Vec<_> = (0..2)
            .map(|worker| {
                let population = population.clone();
                thread::spawn(move || population.ended(Some(worker)))
            })
            .collect();
        population.wait();
        let seen = population.alive() == 0;
        let told = enders.into_iter().fold(false, |told, ender| ender.join().unwrap() | told);
        assert!(seen || told);
        assert_eq!(population.alive(), 0);
    });
}

/// A share that is begun ∥ pushes at the bound: what is not begun counts, what is begun makes room.
#[test]
fn loom_bound_counts_the_share() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.open(here(), Tag::default(), Bounds::of(2));
        for source in 1..=2 {
            assert!(matches!(mailbox.push(here(), message(source), |_| true).outcome, Pushed::Queued));
        }
        let mut batch = Chain::default();
        assert!(matches!(mailbox.take(&mut batch, false), Taken::Messages { .. }));
        let other = mailbox.clone();
        let pusher = thread::spawn(move || {
            (3..=4)
                .filter(|source| !matches!(other.push(here(), message(*source), |_| true).outcome, Pushed::Full(..)))
                .count()
        });
        assert!(mailbox.begin(&mut batch).is_some());
        let taken_in = pusher.join().unwrap();
        assert!(taken_in <= 1, "{taken_in} came in where one had room");
        assert_eq!(mailbox.len(), 1 + taken_in);
    });
}

/// suspend ∥ release ∥ push: between two instances; exactly one goes on with the mailbox, and finds the message.
#[test]
fn loom_release_is_not_lost() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.open(here(), Tag::default(), Bounds::of(100));
        let (starter, sender) = (mailbox.clone(), mailbox.clone());
        let starter = thread::spawn(move || starter.release(here()));
        let sender = thread::spawn(move || {
            let push = sender.push(here(), message(1), |_| true);
            assert!(matches!(push.outcome, Pushed::Queued), "who has no instance is not scheduled by a message");
        });
        let goes_on = mailbox.suspend() == Parked::No;
        let scheduled = starter.join().unwrap();
        assert!(goes_on ^ scheduled, "goes on: {goes_on}, scheduled: {scheduled}");
        sender.join().unwrap();
        let mut batch = Chain::default();
        assert!(matches!(mailbox.take(&mut batch, false), Taken::Messages { .. }));
        assert_eq!(batch.len(), 1);
    });
}

/// suspend ∥ kill: who is killed between two instances is taken once more, and finds the kill.
#[test]
fn loom_kill_of_a_suspended_one_is_seen() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.open(here(), Tag::default(), Bounds::of(100));
        let other = mailbox.clone();
        let killer = thread::spawn(move || other.kill(here(), Cause::Stopped, String::new()) == Some(true));
        let goes_on = mailbox.suspend() == Parked::No;
        let scheduled = killer.join().unwrap();
        assert!(goes_on ^ scheduled, "goes on: {goes_on}, scheduled: {scheduled}");
        assert!(mailbox.killed());
        assert!(matches!(mailbox.take(&mut Chain::default(), false), Taken::Killed(Cause::Stopped, _)));
    });
}

/// stop ∥ the end of a turn, then of the instance: it is heard once, or the instance has ended and nobody hears of it.
#[test]
fn loom_stop_is_for_one_instance() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.open(here(), Tag::default(), Bounds::of(100));
        let other = mailbox.clone();
        let stopper = thread::spawn(move || other.stop(here()) == Some(true));
        let mut heard = false;
        if mailbox.rest() == Rest::Again {
            heard = matches!(mailbox.take(&mut Chain::default(), false), Taken::Stop);
            assert!(heard);
        } else {
            // Idle: whoever tells it schedules it, once.
            assert!(stopper.join().unwrap());
            assert!(matches!(mailbox.take(&mut Chain::default(), false), Taken::Stop));
            assert_eq!(mailbox.suspend(), Parked::Yes);
            assert!(!mailbox.urgent());
            return;
        }
        assert_eq!(mailbox.suspend(), Parked::Yes);
        assert!(!stopper.join().unwrap());
        assert!(heard && !mailbox.urgent(), "the next instance is not told");
    });
}

/// get ∥ release and reserve: a stale address reaches nobody.
#[test]
fn loom_table_stale_push() {
    loom::model(|| {
        let table: Arc<Table<()>> = Arc::new(Table::new(0, 1));
        let (first, slot) = table.reserve(Some(0)).expect("room");
        slot.mailbox.open(first, Tag::default(), Bounds::of(10));
        let other = table.clone();
        let sender = thread::spawn(move || {
            let slot = other.get(first).expect("slots are never freed");
            !matches!(slot.mailbox.push(first, message(1), |_| true).outcome, Pushed::Gone(_))
        });
        let closed = slot.mailbox.close().messages.len();
        table.release(Some(0), first);
        let (second, slot) = table.reserve(Some(0)).expect("room");
        assert_eq!((second.slot(), second.generation()), (first.slot(), 1));
        slot.mailbox.open(second, Tag::default(), Bounds::of(10));
        let taken = sender.join().unwrap();
        assert_eq!(closed == 1, taken, "a message is with the first actor or bounced");
        assert!(slot.mailbox.is_empty(), "a stale message reached the second actor");
    });
}
