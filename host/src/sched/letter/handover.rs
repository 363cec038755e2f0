//! Place for one letter that goes from a sender to the worker that gets the mailbox, past the queue. Used by the mailbox.
//!
//! Must hold: a letter is put in only while no worker has the mailbox, and taken out only by the worker that has it; how the
//! mailbox comes to that worker orders the two. So neither needs more than a load and a store. Others may ask whether
//! there is a letter, and hear what was so just now.

use std::fmt;
use std::ptr::{NonNull, null_mut};

use super::{Letter, Node};
use crate::base::Message;
use crate::base::sync::atomic::{AtomicPtr, Ordering};

/// See the file's head.
pub struct Handover(AtomicPtr<Node>);

impl Default for Handover {
    fn default() -> Self {
        Self(AtomicPtr::new(null_mut()))
    }
}

impl Handover {
    /// Whether a letter waits.
    #[inline]
    pub fn is_some(&self) -> bool {
        !self.0.load(Ordering::Relaxed).is_null()
    }

    /// Puts a letter in; there is none.
    #[inline]
    pub fn put(&self, letter: Letter) {
        debug_assert!(!self.is_some());
        self.0.store(letter.0.as_ptr(), Ordering::Relaxed);
        std::mem::forget(letter);
    }

    /// Takes it out.
    #[inline]
    pub fn take(&self) -> Option<Letter> {
        let node = NonNull::new(self.0.load(Ordering::Relaxed))?;
        self.0.store(null_mut(), Ordering::Relaxed);
        // The node was a letter's, which `put` forgot, and is no longer in here: it is this letter's alone.
        Some(Letter(node))
    }

    /// Shows it.
    ///
    /// # Safety
    ///
    /// No worker has the mailbox, or gets it meanwhile.
    #[expect(unsafe_code, reason = "the right to the letter stands elsewhere")]
    pub unsafe fn look(&self, look: impl FnOnce(&Message)) {
        if let Some(node) = NonNull::new(self.0.load(Ordering::Relaxed)) {
            // SAFETY: the node is a letter's, whose message is there, and nobody takes it out meanwhile, says the caller.
            look(unsafe { (*node.as_ptr()).message.assume_init_ref() });
        }
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl fmt::Debug for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handover").field(&self.is_some()).finish()
    }
}
