//! The run queue: its bounds, what is stolen, what is rescued.

use crate::sched::run_queue::{CUT, Cursor, GLOBAL_EVERY, NEXT_STREAK, RunQueue};

/// Takes until `slot` comes, putting `busy` (if given) into the run-next slot before each take.
fn takes_until(queue: &RunQueue, slot: u32, busy: Option<u32>) -> u32 {
    let mut cursor = Cursor::default();
    for count in 1.. {
        if let Some(busy) = busy {
            queue.push(Some(0), busy);
        }
        let taken = queue.take(0, &mut cursor, &()).expect("there is work");
        if taken == slot {
            return count;
        }
    }
    unreachable!("the loop ends by return")
}

#[test]
fn a_pair_of_talkers_does_not_starve_the_own_queue() {
    let queue = RunQueue::new(1);
    for slot in 1..=10 {
        queue.push_tail(0, slot);
    }
    let bound = 2 * (NEXT_STREAK + 2) * 10;
    assert!(takes_until(&queue, 10, Some(99)) <= bound);
}

#[test]
fn a_busy_worker_comes_to_the_global_queue() {
    let queue = RunQueue::new(1);
    for slot in 1..=5 {
        queue.push(None, slot);
    }
    assert!(takes_until(&queue, 5, Some(99)) <= GLOBAL_EVERY * 5);
}

#[test]
fn the_receiver_runs_next() {
    let queue = RunQueue::new(1);
    queue.push_tail(0, 1);
    queue.push(Some(0), 2);
    let mut cursor = Cursor::default();
    assert_eq!(queue.take(0, &mut cursor, &()), Some(2));
    assert_eq!(queue.take(0, &mut cursor, &()), Some(1));
}

#[test]
fn what_a_stuck_worker_would_run_next_is_rescued() {
    let queue = RunQueue::new(2);
    queue.push(Some(0), 7);
    queue.rescue(0);
    assert_eq!(queue.take(1, &mut Cursor::default(), &()), Some(7));
}

#[test]
fn of_what_sockets_bring_the_first_is_not_stolen() {
    let queue = RunQueue::new(2);
    for slot in 1..=3 {
        queue.push_brought(0, slot);
    }
    let (mut one, mut other) = (Cursor::default(), Cursor::default());
    assert_eq!(queue.take(1, &mut other, &()), Some(2));
    assert_eq!(queue.take(0, &mut one, &()), Some(1));
    assert_eq!(queue.take(0, &mut one, &()), Some(3));
}

#[test]
fn a_cut_turn_waits_until_nothing_else_does_or_it_is_due() {
    let queue = RunQueue::new(1);
    let mut cursor = Cursor::default();
    queue.cut(1, || false);
    queue.push_tail(0, 2);
    assert_eq!(queue.take(0, &mut cursor, &()), Some(2));
    assert_eq!(queue.take(0, &mut cursor, &()), Some(1 | CUT));
    queue.cut(3, || false);
    queue.push_tail(0, 4);
    queue.slow_is_due(0);
    assert_eq!(queue.take(0, &mut cursor, &()), Some(3 | CUT));
    assert_eq!(queue.take(0, &mut cursor, &()), Some(4));
}

#[test]
fn a_kill_hurries_a_cut_turn_whoever_comes_first() {
    let queue = RunQueue::new(1);
    let mut cursor = Cursor::default();
    queue.cut(1, || false);
    queue.cut(2, || true);
    queue.hurry(9);
    assert_eq!(queue.take(0, &mut cursor, &()), Some(2 | CUT));
    queue.hurry(1);
    assert_eq!(queue.take(0, &mut cursor, &()), Some(1 | CUT));
}

#[test]
fn an_idle_worker_steals() {
    let queue = RunQueue::new(2);
    queue.push_tail(0, 5);
    assert_eq!(queue.take(1, &mut Cursor::default(), &()), Some(5));
}
