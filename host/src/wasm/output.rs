//! What a guest prints, as lines on their way to the log. Used by `wasi`.
//!
//! Must hold: at most [`BOUND`] bytes wait; a guest that prints more in one turn parks until they are written. A line
//! is at most [`LINE`] bytes; a longer one is broken.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{self, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tracing::Level;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::base::sync::{Arc, Mutex};
use crate::node::Context;

/// Bytes of whole lines that may wait.
const BOUND: usize = 64 << 10;
/// Bytes of one line.
const LINE: usize = 8 << 10;

/// Both streams of one guest.
#[derive(Clone, Default)]
pub(super) struct Output(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    whole: VecDeque<(Level, String)>,
    bytes: usize,
    /// The unfinished lines of stdout and stderr.
    partial: [Vec<u8>; 2],
}

/// One of the two, as WASI sees it.
#[derive(Clone)]
pub(super) struct Stream {
    lines: Output,
    which: usize,
}

impl Output {
    pub(super) fn stdout(&self) -> Stream {
        Stream { lines: self.clone(), which: 0 }
    }

    pub(super) fn stderr(&self) -> Stream {
        Stream { lines: self.clone(), which: 1 }
    }

    /// Writes the whole lines to the log: stdout as info, stderr as warnings.
    pub(super) fn drain(&self, cx: &mut Context) {
        let mut lines = self.0.lock();
        while let Some((level, line)) = lines.whole.pop_front() {
            cx.log(level, &line, &[]);
        }
        lines.bytes = 0;
    }

    /// The unfinished lines too: the guest will not finish them.
    pub(super) fn finish(&self, cx: &mut Context) {
        {
            let mut lines = self.0.lock();
            lines.end(0);
            lines.end(1);
        }
        self.drain(cx);
    }
}

impl Lines {
    fn push(&mut self, which: usize, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match part.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (part, false),
            };
            for chunk in text.chunks(LINE) {
                if self.partial[which].len() + chunk.len() > LINE {
                    self.end(which);
                }
                self.partial[which].extend_from_slice(chunk);
            }
            if ended {
                self.end(which);
            }
        }
    }

    fn end(&mut self, which: usize) {
        let line = std::mem::take(&mut self.partial[which]);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches('\r');
        if !text.is_empty() {
            self.bytes += text.len() + size_of::<(Level, String)>();
            self.whole.push_back(([Level::INFO, Level::WARN][which], text.to_owned()));
        }
    }

    fn room(&self) -> usize {
        BOUND.saturating_sub(self.bytes)
    }
}

impl StdoutStream for Stream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.lines.0.lock().push(self.which, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(self.lines.0.lock().room())
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        poll_fn(|task| {
            if self.lines.0.lock().room() > 0 {
                return Poll::Ready(());
            }
            // Whoever runs the actor writes the lines when it parks, so it can go on at once.
            task.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

/// Only the other WASI versions write this way; it must exist, and it works.
impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, task: &mut task::Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut lines = self.lines.0.lock();
        let count = bytes.len().min(lines.room());
        if count == 0 && !bytes.is_empty() {
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        lines.push(self.which, &bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::{BOUND, LINE, Lines};

    fn lines(parts: &[&str]) -> Vec<String> {
        let mut lines = Lines::default();
        for part in parts {
            lines.push(0, part.as_bytes());
        }
        lines.whole.into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn parts_become_lines() {
        assert_eq!(lines(&["a", "b\nc\r\n", "\n", "rest"]), ["ab", "c"]);
    }

    #[test]
    fn a_line_without_end_is_broken() {
        let long = "x".repeat(3 * LINE + 1);
        assert_eq!(lines(&[&long]).iter().map(String::len).collect::<Vec<_>>(), [LINE; 3]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut lines = Lines::default();
        while lines.room() > 0 {
            lines.push(1, b"a line\n");
        }
        assert!(lines.bytes < BOUND + LINE);
    }
}
