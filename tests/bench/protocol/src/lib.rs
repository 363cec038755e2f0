//! What the bench and its actors say to each other: kinds of messages, and payloads of numbers. Used by the bench, its
//! native behaviors and its guests.
//!
//! Must hold: payloads that are measured are raw bytes, so that figures are the host's and not an encoding's.

pub mod loops;

/// Kinds of messages. 0 is left out: the SDKs take it for MessagePack.
pub mod kind {
    /// Counted, not answered.
    pub const DATA: u32 = 1;
    /// Answered with the same bytes.
    pub const ECHO: u32 = 2;
    /// One number: the next one of the ring.
    pub const NEXT: u32 = 3;
    /// A ring's token: hops left and whom to tell at the end, then padding. Sent on with one hop less.
    pub const TOKEN: u32 = 4;
    /// Answered; then the actor ends.
    pub const LAST: u32 = 5;
    /// To who ordered something by a message rather than a request: it is done.
    pub const DONE: u32 = 6;
    /// Makes an actor an echo server on a free port of 127.0.0.1; the answer is the port.
    pub const LISTEN: u32 = 7;
    /// Keeps its worker busy for ever. Not answered.
    pub const SPIN: u32 = 8;
    /// One number, a power of ten: the leaves of the tree that the actor grows below itself, ten children a node. The
    /// answer is how many there were; then the actor ends.
    pub const TREE: u32 = 9;
    /// Arms a timer of an hour, and is answered with the same bytes.
    pub const ALARM: u32 = 10;
    /// One number: for so many milliseconds the actor does nothing but look at the clock. The answer is how long it did so
    /// each time until it was made to wait, in nanoseconds.
    pub const WATCH: u32 = 11;
    /// Which of [`loops::ALL`](crate::loops::ALL), and how often: runs it over [`loops::BYTES`](crate::loops::BYTES) bytes.
    /// The answer is nanoseconds, and what came out of the last one.
    pub const LOOP: u32 = 12;

    /// Orders for drivers; the payload is an [`Order`](crate::Order), the answer nanoseconds.
    /// `n` messages to one target, and after each `batch` of them an echo that is waited for.
    pub const SEND: u32 = 16;
    /// `n` requests to one target, one after the other.
    pub const CALL: u32 = 17;
    /// Hands an order of the kind `inner` on to drivers, each with its share of `n` (at least 1), and waits for all. The targets are
    /// pairs: a driver, and its own target.
    pub const SHARE: u32 = 18;
    /// A token into the ring at the target, `n` hops.
    pub const RING: u32 = 19;
    /// `n` times: an actor is started, gets `LAST`, and answers it.
    pub const SPAWN: u32 = 20;
    /// Arms `n` timers of an hour; they are cancelled afterwards, which is not measured.
    pub const ARM: u32 = 21;
    /// `n` timers of 10 ms, one after the other; the answer is how late each was, as the
    /// bits of a signed number.
    pub const LATE: u32 = 22;
    /// Starts `n` actors, one after the other, each of which answers a first message of the kind `inner` and stays. The
    /// answer is followed by their addresses.
    pub const CROWD: u32 = 23;
    /// An echo of each target, one after the other.
    pub const VISIT: u32 = 24;
    /// Echoes of one target for `n` milliseconds; the answer is how many there were.
    pub const COUNT: u32 = 25;
    /// Echoes of one target for `n` milliseconds, one in each; the answer is what each took.
    pub const PROBE: u32 = 26;
    /// For `n` milliseconds, in each of them `batch` messages of the kind `LOOP` to one target at once. The answer is how many
    /// it took and how many its mailbox refused.
    pub const FLOOD: u32 = 27;
}

/// What a driver is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// How often.
    pub n: u64,
    /// Size of a payload.
    pub bytes: usize,
    /// Messages between two barriers.
    pub batch: u64,
    /// The kind of what is handed on.
    pub inner: u32,
    /// Raw addresses.
    pub targets: Vec<u64>,
}

impl Order {
    /// As a payload.
    pub fn encode(&self) -> Vec<u8> {
        let mut numbers = vec![self.n, self.bytes as u64, self.batch, u64::from(self.inner)];
        numbers.extend(&self.targets);
        pack(&numbers)
    }

    /// From a payload; numbers that are missing are 0.
    pub fn decode(payload: &[u8]) -> Self {
        let mut numbers = unpack(payload).into_iter();
        let mut next = || numbers.next().unwrap_or(0);
        let (n, bytes, batch, inner) = (next(), next(), next(), next());
        let (bytes, inner) = (usize::try_from(bytes).unwrap_or(0), u32::try_from(inner).unwrap_or(0));
        Self { n, bytes, batch, inner, targets: numbers.collect() }
    }

    /// The first target; 0, which is nobody, if there is none.
    pub fn target(&self) -> u64 {
        self.targets.first().copied().unwrap_or(0)
    }

    /// For `SHARE`: the drivers, each with the order that it gets.
    pub fn shares(&self) -> impl ExactSizeIterator<Item = (u64, Self)> {
        let pairs = self.targets.as_chunks::<2>().0;
        let n = (self.n / pairs.len().max(1) as u64).max(1);
        pairs.iter().map(move |[driver, target]| (*driver, Self { n, inner: 0, targets: vec![*target], ..*self }))
    }
}

/// Numbers as a payload.
pub fn pack(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// A payload as numbers; bytes that make no whole number are left out.
pub fn unpack(payload: &[u8]) -> Vec<u64> {
    payload.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect()
}

/// Collects how long something ran each time until it was made to wait, from looks at a clock.
#[derive(Debug, Default)]
pub struct Stretches {
    /// Nanoseconds of those that have ended.
    pub ended: Vec<u64>,
    began: u64,
    last: u64,
}

impl Stretches {
    /// A jump of the clock by so many nanoseconds is a wait: others had their turn. Shorter ones are the kernel's doings, and
    /// count as time that it ran.
    const WAIT: u64 = 400_000;

    /// It is so late now.
    pub fn look(&mut self, now: u64) {
        if self.began == 0 {
            self.began = now;
        } else if now - self.last >= Self::WAIT {
            self.ended.push(self.last - self.began);
            self.began = now;
        }
        self.last = now;
    }
}

/// A token of so many bytes (at least 16).
pub fn token(left: u64, home: u64, bytes: usize) -> Vec<u8> {
    let mut token = pack(&[left, home]);
    token.resize(bytes.max(token.len()), b'x');
    token
}

/// Takes a hop off a token. `Some`: it had none left, and this is who wants to know.
pub fn hop(token: &mut [u8]) -> Option<u64> {
    let numbers = unpack(token);
    let (left, home) = (numbers.first().copied().unwrap_or(0), numbers.get(1).copied().unwrap_or(0));
    if left == 0 {
        return Some(home);
    }
    token[..8].copy_from_slice(&(left - 1).to_le_bytes());
    None
}

#[cfg(test)]
mod tests {
    use super::{Order, Stretches, hop, token};

    #[test]
    fn an_order_comes_back() {
        let order = Order { n: 3, bytes: 32, batch: 1000, inner: 17, targets: vec![7, u64::MAX] };
        assert_eq!(Order::decode(&order.encode()), order);
    }

    #[test]
    fn an_order_is_shared() {
        let order = Order { n: 10, inner: 17, targets: vec![1, 2, 3, 4], ..Order::default() };
        let shares: Vec<_> = order.shares().map(|(driver, share)| (driver, share.n, share.target())).collect();
        assert_eq!(shares, [(1, 5, 2), (3, 5, 4)]);
    }

    #[test]
    fn a_stretch_ends_with_a_jump_of_the_clock() {
        let mut stretches = Stretches::default();
        for now in [10, 20, 900, 1_000_000, 1_000_700, 9_000_000, 9_000_001] {
            stretches.look(now);
        }
        assert_eq!(stretches.ended, [890, 700]);
    }

    #[test]
    fn a_token_makes_its_hops() {
        let mut token = token(2, 42, 32);
        assert_eq!((hop(&mut token), hop(&mut token), hop(&mut token)), (None, None, Some(42)));
        assert_eq!(token.len(), 32);
    }
}
