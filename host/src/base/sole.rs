//! A value that one thread at a time has, by right of something else than a lock. Used for the running half of an actor:
//! the stage of its mailbox says who has it, and a lock beside that would cost two atomic steps a turn.
//!
//! Must hold: [`Sole::enter`] is called only by who has the right, and the guard is gone before the right is passed on, by
//! a step that orders what was written before what the next one reads. Builds with debug assertions, as all tests are,
//! end in a panic when a second thread comes in.

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};

#[cfg(debug_assertions)]
use crate::base::sync::atomic::{AtomicBool, Ordering};

/// See the file's head.
pub struct Sole<T> {
    value: UnsafeCell<T>,
    #[cfg(debug_assertions)]
    entered: AtomicBool,
}

/// In there.
pub struct SoleGuard<'a, T>(&'a Sole<T>);

#[expect(unsafe_code, reason = "the right to the value stands elsewhere")]
// SAFETY: the value is reached by one thread at a time, which who calls `enter` has to see to; so it need only be fit to
// change threads.
unsafe impl<T: Send> Sync for Sole<T> {}

impl<T> Sole<T> {
    /// Holds the value.
    pub fn new(value: T) -> Self {
        Self {
            value: UnsafeCell::new(value),
            #[cfg(debug_assertions)]
            entered: AtomicBool::new(false),
        }
    }

    /// The value.
    ///
    /// # Safety
    ///
    /// No other thread is in there, or comes in while the guard lives, and what the one before wrote happened before.
    #[inline]
    #[expect(unsafe_code, reason = "the right to the value stands elsewhere")]
    pub unsafe fn enter(&self) -> SoleGuard<'_, T> {
        #[cfg(debug_assertions)]
        assert!(!self.entered.swap(true, Ordering::Relaxed), "two threads have what belongs to one");
        SoleGuard(self)
    }
}

#[cfg(debug_assertions)]
impl<T> Drop for SoleGuard<'_, T> {
    fn drop(&mut self) {
        self.0.entered.store(false, Ordering::Relaxed);
    }
}

#[expect(unsafe_code, reason = "the right to the value stands elsewhere")]
impl<T> Deref for SoleGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the promise of who called `enter`.
        unsafe { &*self.0.value.get() }
    }
}

#[expect(unsafe_code, reason = "the right to the value stands elsewhere")]
impl<T> DerefMut for SoleGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed for as long as the reference lives.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> fmt::Debug for Sole<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sole").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SoleGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoleGuard").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Sole;

    #[test]
    #[expect(unsafe_code, reason = "what is tested")]
    fn one_after_the_other_gets_in() {
        let sole = Sole::new(1);
        // SAFETY: one thread, and each guard is gone before the next.
        unsafe {
            *sole.enter() += 1;
            assert_eq!(*sole.enter(), 2);
        }
    }

    #[test]
    #[should_panic(expected = "two threads have what belongs to one")]
    #[expect(unsafe_code, reason = "what is tested")]
    fn a_second_one_is_found_out() {
        let sole = Sole::new(());
        // SAFETY: the second call panics before it gives anything.
        unsafe {
            let _first = sole.enter();
            let _second = sole.enter();
        }
    }
}
