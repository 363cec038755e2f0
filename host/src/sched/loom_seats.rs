//! Models of seats and of the monitor's sleep: see `loom_tests.rs`.

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use crate::base::sync::{Arc, Condvar, Mutex};
use crate::sched::Idle;
use crate::sched::seats::{Chair, Cut, Seats};

/// work ∥ the monitor's sleep: a monitor that sleeps while a worker runs is a deadlock, which loom reports.
#[test]
fn loom_monitor_wakes_with_the_first_worker() {
    loom::model(|| {
        let idle = Arc::new(Idle::new(1, || {}));
        let work = Arc::new(AtomicBool::new(false));
        let (other, there) = (idle.clone(), work.clone());
        let worker = thread::spawn(move || {
            while !there.load(Ordering::Acquire) {
                let _ = other.sleep(0, false, || there.load(Ordering::Acquire));
            }
        });
        let (other, pushed) = (idle.clone(), work.clone());
        let pusher = thread::spawn(move || {
            pushed.store(true, Ordering::Release);
            other.work_came();
        });
        idle.monitor_sleep();
        worker.join().unwrap();
        pusher.join().unwrap();
    });
}

/// A seat, a turn that is cut once, and the lane's entries: how many, and whether the turn is over.
struct Seated {
    seats: Seats,
    /// Threads that have the seat.
    have: AtomicUsize,
    killed: AtomicBool,
    lane: Mutex<(usize, bool)>,
    came: Condvar,
}

impl Seated {
    fn got(&self) {
        assert_eq!(self.have.fetch_add(1, Ordering::SeqCst), 0, "two threads have the seat");
    }

    fn gave(&self) {
        assert_eq!(self.have.fetch_sub(1, Ordering::SeqCst), 1);
    }

    fn push(&self) {
        self.lane.lock().0 += 1;
        self.came.notify_one();
    }

    /// A worker, until the turn is over.
    fn work(&self) {
        let own = Arc::new(Chair::default());
        self.got();
        loop {
            let mut lane = self.lane.lock();
            while *lane == (0, false) {
                self.came.wait(&mut lane);
            }
            if lane.1 {
                return self.gave();
            }
            lane.0 -= 1;
            drop(lane);
            if let Some(Cut::Thread(turn)) = self.seats.claim(1) {
                self.gave();
                match self.seats.swap(&own, &turn, 0) {
                    Some(_) => self.got(),
                    None => return,
                }
            }
        }
    }
}

/// cut ∥ kill: the turn goes on exactly once, with the seat, whoever sees the other first; and the seat is never had by
/// two.
#[test]
fn loom_seat_is_passed_on_and_comes_back() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let seated = Arc::new(Seated {
            seats: Seats::new(1),
            have: AtomicUsize::new(0),
            killed: AtomicBool::new(false),
            lane: Mutex::new((0, false)),
            came: Condvar::new(),
        });
        let weak = Arc::downgrade(&seated);
        seated.seats.on_hire(Box::new(move |_| {
            let seated = weak.upgrade().expect("the model holds it");
            thread::spawn(move || seated.work());
            true
        }));
        let other = seated.clone();
        let killer = thread::spawn(move || {
            other.killed.store(true, Ordering::SeqCst);
            if other.seats.is_cut(1) {
                other.push();
            }
        });
        seated.got();
        seated.gave();
        assert!(seated.seats.relieve(0));
        let chair = Arc::new(Chair::default());
        seated.seats.enter(1, Cut::Thread(chair.clone()));
        seated.push();
        if seated.killed.load(Ordering::SeqCst) && seated.seats.is_cut(1) {
            seated.push();
        }
        assert_eq!(chair.wait(), Some(0));
        seated.got();
        seated.gave();
        seated.lane.lock().1 = true;
        seated.came.notify_one();
        seated.seats.stop();
        killer.join().unwrap();
    });
}
