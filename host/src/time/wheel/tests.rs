//! The wheel against a sorted map that does the same slowly.

use std::collections::BTreeMap;

use super::{TimerKey, Wheel};

/// xorshift64*: small, seeded, good enough to drive a test.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
    /// Every size of number is equally likely, so all levels get their share.
    fn any_size(&mut self, bits: u64) -> u64 {
        let shift = 64 - 1 - self.below(bits);
        self.next() >> shift
    }
}

/// What the wheel promises, kept in the obvious way: by deadline, then by the order of arming.
#[derive(Default)]
struct Model {
    armed: BTreeMap<(u64, u64), TimerKey>,
    now: u64,
    count: u64,
}

impl Model {
    fn insert(&mut self, deadline: u64) -> (u64, u64) {
        self.count += 1;
        (deadline.max(self.now), self.count)
    }
    fn due(&mut self, now: u64) -> Vec<(u64, u64)> {
        self.now = self.now.max(now);
        let later = self.armed.split_off(&(self.now, u64::MAX));
        std::mem::replace(&mut self.armed, later).into_keys().collect()
    }
}

fn fired<T>(wheel: &mut Wheel<T>, now: u64) -> Vec<T> {
    let mut all = Vec::new();
    wheel.advance(now, |payload| all.push(payload));
    all
}

fn drive(seed: u64, deadline_bits: u64, step_bits: u64, steps: usize) {
    let mut random = Random(seed);
    let mut wheel = Wheel::new();
    let mut model = Model::default();
    let mut spent: Vec<TimerKey> = Vec::new();
    for _ in 0..steps {
        match random.below(10) {
            0..5 => {
                let offset = random.any_size(deadline_bits);
                let deadline = match random.below(8) {
                    0 => model.now.saturating_sub(offset),
                    _ => model.now.saturating_add(offset),
                };
                let timer = model.insert(deadline);
                let key = wheel.insert(deadline, timer);
                assert!(model.armed.insert(timer, key).is_none());
            }
            5..7 if !model.armed.is_empty() => {
                let nth = usize::try_from(random.below(model.armed.len() as u64)).unwrap();
                let (&timer, &key) = model.armed.iter().nth(nth).unwrap();
                model.armed.remove(&timer);
                assert_eq!(wheel.cancel(key), Some(timer), "seed {seed}");
                assert_eq!(wheel.cancel(key), None, "seed {seed}: cancelled twice");
                spent.push(key);
            }
            7 if !spent.is_empty() => {
                let nth = usize::try_from(random.below(spent.len() as u64)).unwrap();
                assert_eq!(wheel.cancel(spent[nth]), None, "seed {seed}: a stale key hit a timer");
            }
            _ => {
                let now = match random.below(3) {
                    0 => wheel.next_due().unwrap_or(model.now),
                    1 => model.now.saturating_add(random.below(3)),
                    _ => model.now.saturating_add(random.any_size(step_bits)),
                };
                let keys: Vec<_> = model.armed.values().copied().collect();
                let due = model.due(now);
                spent.extend(&keys[..due.len()]);
                assert_eq!(fired(&mut wheel, now), due, "seed {seed}");
            }
        }
        assert_eq!(wheel.len(), model.armed.len());
        let first = model.armed.keys().next().map(|timer| timer.0);
        assert_eq!(wheel.next_due().is_some(), first.is_some());
        assert!(wheel.next_due() <= first, "seed {seed}: {:?} is no lower bound of {first:?}", wheel.next_due());
    }
    assert_eq!(fired(&mut wheel, u64::MAX), model.due(u64::MAX), "seed {seed}");
    assert!(wheel.is_empty());
}

#[test]
fn what_is_armed_is_shown() {
    let mut wheel = Wheel::new();
    let key = wheel.insert(7, 'a');
    wheel.insert(9, 'b');
    wheel.insert(1 << 40, 'c');
    wheel.cancel(key);
    let mut shown: Vec<(u64, char)> = wheel.iter().map(|(due, payload)| (due, *payload)).collect();
    shown.sort_unstable();
    assert_eq!(shown, [(9, 'b'), (1 << 40, 'c')]);
}

#[test]
fn agrees_with_a_sorted_map_near() {
    for seed in 1..=40 {
        drive(seed, 10, 8, 2_000);
    }
}

#[test]
fn agrees_with_a_sorted_map_on_all_levels() {
    for seed in 1..=40 {
        drive(seed, 64, 62, 2_000);
    }
}

#[test]
fn every_level_is_exact() {
    for bit in 0..64 {
        for deadline in [1 << bit, (1_u64 << bit) | 1, (1_u64 << bit) - 1, u64::MAX >> bit] {
            let mut wheel = Wheel::new();
            wheel.insert(deadline, ());
            if deadline > 0 {
                assert_eq!(fired(&mut wheel, deadline - 1).len(), 0, "early: {deadline}");
            }
            assert_eq!(fired(&mut wheel, deadline).len(), 1, "lost: {deadline}");
        }
    }
}

#[test]
fn sleeping_until_next_due_reaches_a_timer_in_few_steps() {
    let mut wheel = Wheel::new();
    let deadline = u64::MAX / 3;
    wheel.insert(deadline, ());
    let mut steps = 0;
    while let Some(due) = wheel.next_due() {
        assert!(due <= deadline);
        wheel.advance(due, |()| {});
        steps += 1;
    }
    assert!(steps <= 12, "{steps} wake-ups");
}

#[test]
fn one_tick_fires_in_arming_order_however_the_timers_came_there() {
    let mut wheel = Wheel::new();
    wheel.insert(5_000, 'a');
    wheel.advance(4_000, |_| panic!("early"));
    wheel.insert(5_000, 'b');
    wheel.advance(4_999, |_| panic!("early"));
    wheel.insert(5_000, 'c');
    assert_eq!(fired(&mut wheel, 5_000), ['a', 'b', 'c']);
}

#[test]
fn a_passed_deadline_fires_at_the_next_advance() {
    let mut wheel = Wheel::new();
    wheel.advance(100, |()| {});
    wheel.insert(7, ());
    assert_eq!(wheel.next_due(), Some(100));
    assert_eq!(fired(&mut wheel, 100).len(), 1);
    wheel.insert(7, ());
    assert_eq!(fired(&mut wheel, 3).len(), 1, "time that goes back still fires what is due");
}

#[test]
fn a_timer_armed_between_two_pops_takes_its_place() {
    let mut wheel = Wheel::new();
    wheel.insert(10, 'a');
    wheel.insert(30, 'c');
    assert_eq!(wheel.pop_due(50), Some('a'));
    wheel.insert(20, 'b');
    assert_eq!(fired(&mut wheel, 50), ['b', 'c']);
}

#[test]
fn steady_state_does_not_grow() {
    let mut wheel = Wheel::new();
    for now in 0..10_000 {
        wheel.insert(now + 50, ());
        wheel.advance(now, |()| {});
    }
    assert!(wheel.entries.len() <= 51, "{} entries", wheel.entries.len());
}

#[test]
fn an_entry_without_generations_left_is_retired() {
    let mut wheel = Wheel::new();
    let first = wheel.insert(1, ());
    wheel.entries[0].generation = u32::MAX;
    assert_eq!(wheel.cancel(first), None);
    wheel.advance(1, |()| {});
    let second = wheel.insert(2, ());
    assert_eq!((second.index, second.generation), (1, 0));
}
