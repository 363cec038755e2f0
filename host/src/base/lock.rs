//! A lock for what is held for some tens of nanoseconds: mailboxes, free lists. Used where a parking lock's second
//! atomic step, to find out whether somebody sleeps, would cost as much as the work.
//!
//! Must hold: who holds one does nothing that may wait: no other lock (but for the first look at a grant), no system
//! call. Who waits for one spins a little, then lets others run; the holder may have lost its core.

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::base::sync::atomic::{AtomicBool, Ordering};

/// Looks before a waiting thread gives up its time slice: some hundred nanoseconds, longer than any holder needs.
#[cfg(not(loom))]
const LOOKS: u32 = 64;

/// See the file's head.
pub struct Spin<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

/// Holds the lock.
pub struct SpinGuard<'a, T>(&'a Spin<T>);

#[expect(unsafe_code, reason = "a lock")]
// SAFETY: the value is reached by one thread at a time, by `taken`; so it need only be fit to change threads.
unsafe impl<T: Send> Sync for Spin<T> {}

impl<T> Spin<T> {
    /// A free lock.
    pub fn new(value: T) -> Self {
        Self { taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Waits until the lock is free, and takes it.
    #[inline]
    pub fn lock(&self) -> SpinGuard<'_, T> {
        if !self.try_take() {
            self.wait();
        }
        SpinGuard(self)
    }

    #[inline]
    fn try_take(&self) -> bool {
        // Acquire pairs with the release in `drop`: who holds the lock sees what the one before did.
        self.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[cold]
    fn wait(&self) {
        loop {
            self.look();
            if self.try_take() {
                return;
            }
        }
    }

    /// Until the lock was seen free. Only reads: the holder keeps the cache line.
    #[cfg(not(loom))]
    fn look(&self) {
        let mut looks = 0;
        while self.taken.load(Ordering::Relaxed) {
            looks += 1;
            if looks % LOOKS == 0 {
                std::thread::yield_now();
            } else {
                std::hint::spin_loop();
            }
        }
    }

    #[cfg(loom)]
    fn look(&self) {
        loom::thread::yield_now();
    }
}

impl<T> Drop for SpinGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.taken.store(false, Ordering::Release);
    }
}

#[expect(unsafe_code, reason = "a lock")]
impl<T> Deref for SpinGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock, so no other thread has a reference.
        unsafe { &*self.0.value.get() }
    }
}

#[expect(unsafe_code, reason = "a lock")]
impl<T> DerefMut for SpinGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock, and is borrowed for as long as the reference lives.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T: Default> Default for Spin<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for Spin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spin").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SpinGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpinGuard").finish_non_exhaustive()
    }
}
