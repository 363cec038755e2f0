//! How many bytes wait in all mailboxes of this process: payloads that do not lie in their letters, and letters. Told by the
//! mailboxes and by the letters' pool; asked by `node` before a message goes out.
//!
//! A thread sums up what it brings and takes, and adds it to the whole in coarse steps: so two workers do not write to one
//! cache line for each message, and who asks reads a line that seldom changes. Letters are counted where they leave the
//! depot and come back, many at a time; one message in a busy mailbox costs nothing.
//!
//! Must hold: the whole is right but for a step of each thread, and what is left of a thread is booked when it ends. What is
//! empty in the threads' pools (16 KiB each) counts, what is empty in the depot does not. A model counts nothing: threads do
//! not agree on anything here.

/// Bytes that wait, about.
#[cfg(not(loom))]
pub use counted::bytes;

/// Bytes that wait, about.
#[cfg(loom)]
pub fn bytes() -> usize {
    0
}

#[cfg(not(loom))]
pub(in crate::sched) use counted::{came, went};

#[cfg(loom)]
pub(in crate::sched) fn came(_bytes: usize) {}

#[cfg(loom)]
pub(in crate::sched) fn went(_bytes: usize) {}

#[cfg(not(loom))]
mod counted {
    use std::cell::Cell;

    use crate::base::sync::Padded;
    use crate::base::sync::atomic::{AtomicU64, Ordering};

    /// What a thread keeps to itself. With a hundred threads the whole is right within some megabytes.
    const STEP: i64 = 64 << 10;

    /// A sum of positive and negative parts, modulo 2^64. It may be less than zero for a moment.
    static WHOLE: Padded<AtomicU64> = Padded(AtomicU64::new(0));

    /// What this thread has not booked.
    struct Own(Cell<i64>);

    impl Drop for Own {
        fn drop(&mut self) {
            book(self.0.get());
        }
    }

    thread_local! {
        static OWN: Own = const { Own(Cell::new(0)) };
    }

    #[cold]
    fn book(bytes: i64) {
        WHOLE.fetch_add(bytes.cast_unsigned(), Ordering::Relaxed);
    }

    fn add(bytes: i64) {
        let kept = OWN.try_with(|own| {
            let sum = own.0.get() + bytes;
            let due = sum.unsigned_abs() >= STEP.unsigned_abs();
            own.0.set(if due { 0 } else { sum });
            if due {
                book(sum);
            }
        });
        // The thread is about to end.
        if kept.is_err() {
            book(bytes);
        }
    }

    /// So many bytes wait from now on.
    pub(in crate::sched) fn came(bytes: usize) {
        add(bytes.cast_signed() as i64);
    }

    /// So many do not wait any more.
    pub(in crate::sched) fn went(bytes: usize) {
        add(-(bytes.cast_signed() as i64));
    }

    /// Bytes that wait, about.
    #[inline]
    pub fn bytes() -> usize {
        let whole = WHOLE.load(Ordering::Relaxed).cast_signed();
        usize::try_from(whole).unwrap_or(0)
    }
}
