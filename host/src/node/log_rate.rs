//! How many lines an actor may have in the log in a second. Used by [`super::log`].
//!
//! Must hold: what is left out is counted, and said: by the next line in another second, or when the actor's instance ends.

/// Lines of one actor in the second of now.
#[derive(Debug, Default)]
pub(in crate::node) struct LogRate {
    /// Whole seconds of the node's clock.
    second: u32,
    lines: u32,
    left_out: u32,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::node) enum Line {
    Written,
    /// And before it so many were not.
    WrittenAfter(u32),
    LeftOut,
}

impl LogRate {
    /// One more line.
    pub(in crate::node) fn line(&mut self, now_ns: u64, most: u32) -> Line {
        let second = u32::try_from(now_ns / 1_000_000_000).unwrap_or(u32::MAX);
        if std::mem::replace(&mut self.second, second) != second {
            self.lines = 0;
        }
        if self.lines >= most {
            self.left_out = self.left_out.saturating_add(1);
            return Line::LeftOut;
        }
        self.lines += 1;
        match self.left_out() {
            0 => Line::Written,
            count => Line::WrittenAfter(count),
        }
    }

    /// Lines that were left out and not told of.
    pub(in crate::node) fn left_out(&mut self) -> u32 {
        std::mem::take(&mut self.left_out)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Line, LogRate};

    #[test]
    fn so_many_in_a_second_and_the_rest_is_counted() {
        let mut rate = LogRate::default();
        let second = 1_000_000_000;
        let lines: Vec<Line> = (0..5).map(|step| rate.line(step * second / 10, 3)).collect();
        assert_eq!(lines, [Line::Written, Line::Written, Line::Written, Line::LeftOut, Line::LeftOut]);
        assert_eq!(rate.line(second, 3), Line::WrittenAfter(2));
        assert_eq!((rate.line(second, 3), rate.left_out()), (Line::Written, 0));
        assert_eq!((rate.line(second, 0), rate.left_out(), rate.left_out()), (Line::LeftOut, 1, 0));
    }
}
