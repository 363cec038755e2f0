//! The replies to a batch.

use crate::Malformed;

/// Replies that are being written.
#[derive(Debug, Default)]
pub struct Replies {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Replies {
    /// Where the next reply is appended. It ends with [`end`](Self::end).
    pub fn reply(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The reply is complete.
    pub fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// How long the replies are so far.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The message; `done` bytes of the batch are answered by it.
    pub fn finish(self, done: usize) -> Vec<u8> {
        let Self { mut bytes, ends } = self;
        bytes.reserve_exact(ends.len() * 4 + 8);
        let mut start = 0;
        for end in &ends {
            put(&mut bytes, end - start);
            start = *end;
        }
        put(&mut bytes, ends.len());
        put(&mut bytes, done);
        bytes
    }
}

fn put(bytes: &mut Vec<u8>, number: usize) {
    // Stores stop a batch long before 4 GiB.
    bytes.extend_from_slice(&u32::try_from(number).expect("replies are below 4 GiB").to_le_bytes());
}

/// Replies that are being read, one after the other.
#[derive(Debug, Default)]
pub struct Answer {
    message: Vec<u8>,
    /// Where the replies end and their lengths begin.
    lengths: usize,
    count: usize,
    done: usize,
    /// How many replies, and bytes of them, were taken.
    taken: usize,
    at: usize,
}

impl Answer {
    /// Reads a store's answer.
    pub fn new(message: Vec<u8>) -> Result<Self, Malformed> {
        let number = |from_end: usize| {
            let at = message.len().checked_sub(from_end)?;
            let (bytes, _) = message[at..].split_first_chunk()?;
            usize::try_from(u32::from_le_bytes(*bytes)).ok()
        };
        let (count, done) = (number(8).ok_or(Malformed)?, number(4).ok_or(Malformed)?);
        let lengths = count.checked_mul(4).and_then(|table| (message.len() - 8).checked_sub(table)).ok_or(Malformed)?;
        Ok(Self { message, lengths, count, done, taken: 0, at: 0 })
    }

    /// How many bytes of the batch it answers.
    pub fn done(&self) -> usize {
        self.done
    }

    /// The next reply. None: there are no more.
    pub fn take(&mut self) -> Option<&[u8]> {
        if self.taken == self.count {
            return None;
        }
        let (length, _) = self.message[self.lengths + self.taken * 4..].split_first_chunk()?;
        let end = self.at.checked_add(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        let reply = self.message[..self.lengths].get(self.at..end)?;
        self.taken += 1;
        self.at = end;
        Some(reply)
    }

    /// How many replies were not taken yet.
    pub fn left(&self) -> usize {
        self.count - self.taken
    }

    /// All replies that were not taken yet, in one piece.
    pub fn take_all(&mut self) -> &[u8] {
        let replies = &self.message[self.at..self.lengths];
        self.taken = self.count;
        self.at = self.lengths;
        replies
    }

    /// A message with the replies that were not taken yet.
    pub fn rest(&self) -> Vec<u8> {
        let from = self.lengths + self.taken * 4;
        let end = self.lengths + self.count * 4;
        let count = u32::try_from(self.left()).unwrap_or(u32::MAX);
        let done = u32::try_from(self.done).unwrap_or(u32::MAX);
        let parts = [&self.message[self.at..self.lengths], &self.message[from..end]];
        [parts[0], parts[1], &count.to_le_bytes(), &done.to_le_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Replies};

    fn replies(texts: &[&str]) -> Vec<u8> {
        let mut replies = Replies::default();
        for text in texts {
            replies.reply().extend_from_slice(text.as_bytes());
            replies.end();
        }
        replies.finish(77)
    }

    #[test]
    fn what_is_written_is_read() {
        let mut answer = Answer::new(replies(&["+OK\r\n", "", ":1\r\n"])).unwrap();
        assert_eq!(answer.done(), 77);
        assert_eq!(answer.take().unwrap(), b"+OK\r\n");
        assert_eq!(answer.left(), 2);
        let mut rest = Answer::new(answer.rest()).unwrap();
        assert_eq!((rest.done(), rest.left(), rest.take_all()), (77, 2, &b":1\r\n"[..]));
        assert_eq!(Answer::new(rest.rest()).unwrap().left(), 0);
        assert_eq!(Answer::new(Answer::default().rest()).unwrap().left(), 0);
        assert_eq!(answer.take_all(), b":1\r\n");
        assert_eq!((answer.take(), Answer::new(replies(&[])).unwrap().take()), (None, None));
    }

    #[test]
    fn lies_are_refused() {
        for cut in 0..8 {
            assert!(Answer::new(vec![255; cut]).is_err());
        }
        assert!(Answer::new(vec![255; 64]).is_err());
        // A reply that is longer than the message.
        let mut answer = Answer::new([[9, 0, 0, 0], [1, 0, 0, 0], [0; 4]].concat()).unwrap();
        assert_eq!(answer.take(), None);
    }
}
