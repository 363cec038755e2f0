//! A message in its place: a node that is written once by the sender, linked from mailbox to worker, and used again.
//! Used by the mailbox, and by the workers for the share that they took.
//!
//! Why not a ring buffer for each mailbox: an idle actor would keep its buffer, and messages would be copied from one
//! buffer to the next. A [`Chain`] of letters needs nothing when it is empty, and a share of it changes hands in one step.
//!
//! Nodes come from a pool of the thread, which is refilled from, and spills into, a depot of the process: so nothing
//! is allocated in the steady state, also where one worker only sends and another only receives.
//!
//! Must hold: a node is owned by exactly one letter, chain or pool; a node in a pool holds no message.

mod handover;
mod pool;

use std::fmt;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr::NonNull;

use crate::base::Message;

pub use handover::Handover;

/// Two cache lines of their own, so that sender and receiver on two cores share no more than the message.
#[repr(align(128))]
struct Node {
    next: Option<NonNull<Node>>,
    /// There but in a pool. No `Option`: taking one apart copies the message in pieces, and once more than is needed.
    message: MaybeUninit<Message>,
}

/// Asks the processor for a node that is soon read, or written: where another core had it last, it comes while what is before it
/// is handled.
#[inline]
fn fetch(node: NonNull<Node>, to_write: bool) {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "a hint to the processor")]
    // SAFETY: a hint changes nothing, whatever the address; the second line is inside of the node.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_ET0, _MM_HINT_T0, _mm_prefetch};
        let lines: [*const i8; 2] = [node.as_ptr().cast(), node.as_ptr().cast::<i8>().add(64)];
        for line in lines {
            if to_write {
                _mm_prefetch::<_MM_HINT_ET0>(line);
            } else {
                _mm_prefetch::<_MM_HINT_T0>(line);
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (node, to_write);
}

/// One message and its place.
pub struct Letter(NonNull<Node>);

#[expect(unsafe_code, reason = "owns its node")]
// SAFETY: a letter owns its node, as a box would; messages may change threads.
unsafe impl Send for Letter {}

#[expect(unsafe_code, reason = "owns its node")]
impl Letter {
    /// Writes a message.
    #[inline]
    pub fn new(message: Message) -> Self {
        let node = pool::get();
        // SAFETY: `get` gives a node that nobody else has.
        unsafe { (*node.as_ptr()).message.write(message) };
        Self(node)
    }

    /// The message; the place goes back to the pool.
    #[inline]
    pub fn open(self) -> Message {
        let node = self.0;
        std::mem::forget(self);
        // SAFETY: the node was the letter's, which is forgotten, so it is ours alone; its message is there, and is read
        // once, since the pool takes the node for empty.
        let message = unsafe { (*node.as_ptr()).message.assume_init_read() };
        pool::put(node);
        message
    }
}

#[expect(unsafe_code, reason = "owns its node")]
impl Deref for Letter {
    type Target = Message;
    #[inline]
    fn deref(&self) -> &Message {
        // SAFETY: the letter owns its node, whose message is there.
        unsafe { (*self.0.as_ptr()).message.assume_init_ref() }
    }
}

#[expect(unsafe_code, reason = "owns its node")]
impl Drop for Letter {
    fn drop(&mut self) {
        // SAFETY: the letter owns its node, whose message is there, and nobody uses the letter after this.
        unsafe { (*self.0.as_ptr()).message.assume_init_drop() };
        pool::put(self.0);
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// Letters in their order.
#[derive(Default)]
pub struct Chain {
    /// The first and the last; what lies between hangs together by `next`, and the last one's is none.
    ends: Option<(NonNull<Node>, NonNull<Node>)>,
    length: u32,
}

#[expect(unsafe_code, reason = "owns its nodes")]
// SAFETY: as for a letter.
unsafe impl Send for Chain {}

#[expect(unsafe_code, reason = "owns its nodes")]
impl Chain {
    /// How many.
    pub fn len(&self) -> usize {
        self.length as usize
    }

    /// The same, as it is kept.
    pub(super) fn length(&self) -> u32 {
        self.length
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_none()
    }

    /// The first message.
    pub fn front(&self) -> Option<&Message> {
        // SAFETY: the chain owns its nodes, whose messages are there, and is borrowed for as long as the reference lives.
        self.ends.map(|(first, _)| unsafe { (*first.as_ptr()).message.assume_init_ref() })
    }

    /// Adds one at the end.
    #[inline]
    pub fn push(&mut self, letter: Letter) {
        let node = letter.0;
        std::mem::forget(letter);
        // SAFETY: the node was the letter's and is the chain's from here on; the last node is the chain's.
        unsafe {
            (*node.as_ptr()).next = None;
            self.ends = match self.ends {
                None => Some((node, node)),
                Some((first, last)) => {
                    (*last.as_ptr()).next = Some(node);
                    Some((first, node))
                }
            };
        }
        self.length += 1;
    }

    /// Takes the first.
    #[inline]
    pub fn pop(&mut self) -> Option<Letter> {
        let (first, last) = self.ends?;
        // SAFETY: the first node is the chain's.
        let next = unsafe { (*first.as_ptr()).next };
        if let Some(next) = next {
            fetch(next, false);
        }
        self.ends = next.map(|next| (next, last));
        self.length -= 1;
        Some(Letter(first))
    }

    /// Takes the first `count`, or all.
    pub fn split(&mut self, count: usize) -> Self {
        let Some((first, last)) = self.ends.filter(|_| count > 0) else { return Self::default() };
        if count >= self.len() {
            return std::mem::take(self);
        }
        let mut cut = first;
        for _ in 1..count {
            // SAFETY: `cut` is the chain's and not its last node, since there are more than `count`.
            cut = unsafe { (*cut.as_ptr()).next }.expect("the chain is longer");
        }
        // SAFETY: as above; the part behind it stays with this chain.
        let rest = unsafe { (*cut.as_ptr()).next.take() };
        let taken = u32::try_from(count).expect("less than the chain's length");
        self.ends = rest.map(|rest| (rest, last));
        self.length -= taken;
        Self { ends: Some((first, cut)), length: taken }
    }

    /// Puts all of another chain before the first.
    pub fn prepend(&mut self, mut other: Self) {
        std::mem::swap(self, &mut other);
        self.append(&mut other);
    }

    /// Puts all of another chain, which is left empty, behind the last.
    pub fn append(&mut self, other: &mut Self) {
        let Some((second, end)) = other.ends.take() else { return };
        self.ends = match self.ends {
            None => Some((second, end)),
            Some((first, last)) => {
                // SAFETY: `last` is this chain's; `second` was the other's and is this one's from here on.
                unsafe { (*last.as_ptr()).next = Some(second) };
                Some((first, end))
            }
        };
        self.length += std::mem::take(&mut other.length);
    }

    /// Takes the first message that is such a one.
    pub fn remove(&mut self, such: impl Fn(&Message) -> bool) -> Option<Letter> {
        let mut before = Self::default();
        let mut found = None;
        while let Some(letter) = self.pop() {
            if such(&letter) {
                found = Some(letter);
                break;
            }
            before.push(letter);
        }
        self.prepend(before);
        found
    }

    /// Any message that is such a one?
    pub fn any(&self, such: impl Fn(&Message) -> bool) -> bool {
        self.iter().any(such)
    }

    /// All messages, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Message> {
        let mut at = self.ends.map(|(first, _)| first);
        std::iter::from_fn(move || {
            let node = at?;
            // SAFETY: the node is the chain's, which is borrowed for as long as the iterator and what it gives, and its message
            // is there.
            let (message, next) = unsafe { ((*node.as_ptr()).message.assume_init_ref(), (*node.as_ptr()).next) };
            at = next;
            Some(message)
        })
    }
}

impl Iterator for Chain {
    type Item = Letter;
    fn next(&mut self) -> Option<Letter> {
        self.pop()
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} letters", self.length)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Chain, Letter};
    use crate::base::{Address, Body, Message, Payload, Session};

    fn letter(number: u64) -> Letter {
        let body = Body::Message { kind: 0, payload: Payload::empty(), deadline: 0 };
        Letter::new(Message { source: Address::HOST, session: Session(number), body })
    }

    fn chain(numbers: &[u64]) -> Chain {
        let mut chain = Chain::default();
        numbers.iter().for_each(|number| chain.push(letter(*number)));
        chain
    }

    #[track_caller]
    fn holds(chain: Chain, expected: &[u64]) {
        assert_eq!(chain.len(), expected.len());
        assert_eq!(chain.is_empty(), expected.is_empty());
        let numbers: Vec<u64> = chain.map(|letter| letter.open().session.0).collect();
        assert_eq!(numbers, expected);
    }

    #[test]
    fn a_share_is_cut_off_and_put_back() {
        for count in 0..=5 {
            let mut rest = chain(&[1, 2, 3, 4]);
            let mut share = rest.split(count);
            assert_eq!((share.len(), rest.len()), (count.min(4), 4 - count.min(4)));
            rest.push(letter(5));
            let _first = share.pop();
            rest.prepend(share);
            let from = if count == 0 { 0 } else { 1 };
            holds(rest, &[1, 2, 3, 4, 5][from..]);
        }
    }

    #[test]
    fn one_is_taken_out_of_the_middle() {
        for number in 1..=4 {
            let mut chain = chain(&[1, 2, 3]);
            let such = |message: &Message| message.session.0 == number;
            assert_eq!(chain.any(such), number < 4);
            assert_eq!(chain.remove(such).is_some(), number < 4);
            chain.push(letter(9));
            let left: Vec<u64> = [1, 2, 3, 9].into_iter().filter(|other| *other != number).collect();
            holds(chain, &left);
        }
    }

    #[test]
    fn nodes_change_threads_and_are_used_again() {
        for _ in 0..20 {
            let chain = chain(&(0..500).collect::<Vec<u64>>());
            let sum = std::thread::spawn(move || chain.map(|letter| letter.open().session.0).sum::<u64>());
            assert_eq!(sum.join().expect("no panic"), 499 * 500 / 2);
        }
    }
}
