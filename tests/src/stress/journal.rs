//! The last things that were done, and what was found. Shared by all threads.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

/// Actions that are shown.
const LAST: usize = 60;
/// Findings that are kept: the first ones say most.
const FOUND: usize = 20;

/// See the file's head.
#[derive(Debug)]
pub(super) struct Journal {
    began: Instant,
    last: Mutex<VecDeque<String>>,
    found: Mutex<Vec<String>>,
    actions: AtomicU64,
    reloads: AtomicU64,
    answers: AtomicU64,
    /// Clients whose connection ended without a word, and how many may have been meant by kills.
    cut: AtomicU64,
    meant: AtomicU64,
}

impl Default for Journal {
    fn default() -> Self {
        let (last, found) = (Mutex::default(), Mutex::default());
        let [actions, reloads, answers, cut, meant] = [const { AtomicU64::new(0) }; 5];
        Self { began: Instant::now(), last, found, actions, reloads, answers, cut, meant }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics with it")
}

impl Journal {
    /// Something is done.
    pub(super) fn note(&self, what: String) {
        self.actions.fetch_add(1, Ordering::Relaxed);
        let mut last = locked(&self.last);
        if last.len() == LAST {
            last.pop_front();
        }
        last.push_back(format!("{:8.3} s  {what}", self.began.elapsed().as_secs_f64()));
    }

    /// A promise is broken.
    pub(super) fn broken(&self, what: String) {
        self.note(format!("found: {what}"));
        let mut found = locked(&self.found);
        if found.len() < FOUND {
            found.push(what);
        }
    }

    pub(super) fn reloaded(&self) {
        self.reloads.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// A client's connection ended without a word.
    pub(super) fn cut(&self) {
        self.cut.fetch_add(1, Ordering::Relaxed);
    }

    /// So many connections may end so, for what is done next.
    pub(super) fn may_cut(&self, count: u64) {
        self.meant.fetch_add(count, Ordering::Relaxed);
    }

    /// Whether more ended so than were meant to.
    pub(super) fn judge_cuts(&self) {
        let [cut, meant] = [&self.cut, &self.meant].map(|count| count.load(Ordering::Relaxed));
        if cut > meant {
            self.broken(format!("{cut} connections ended without a word, of which {meant} at most by a kill"));
        }
    }

    pub(super) fn has_found(&self) -> bool {
        !locked(&self.found).is_empty()
    }

    pub(super) fn found(&self) -> Vec<String> {
        locked(&self.found).clone()
    }

    pub(super) fn last(&self) -> Vec<String> {
        locked(&self.last).iter().cloned().collect()
    }

    pub(super) fn actions(&self) -> u64 {
        self.actions.load(Ordering::Relaxed)
    }

    pub(super) fn reloads(&self) -> u64 {
        self.reloads.load(Ordering::Relaxed)
    }

    pub(super) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }
}
