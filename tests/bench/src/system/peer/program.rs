//! A peer's program while it runs: what it prints, line by line. Used by `peer`.
//!
//! Lines: `PORT n` of a server that serves until its stdin closes; `RSS` of one that cannot see its own memory, before and
//! after it grows, which then waits a moment; and as the last one of all others its samples,
//! `{"samples":[{"name":"call","value":476.2,"unit":"ns"}]}`.
//!
//! Must hold: a program that hangs is ended, and so is one whose run has failed.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::system::Sample;

/// No run takes so long.
const PATIENCE: Duration = Duration::from_secs(120);
/// A page of memory on the machines that this runs on.
const PAGE: f64 = 4096.0;

/// A running peer.
pub(super) struct Program {
    /// For messages.
    name: String,
    child: Child,
    lines: Receiver<String>,
}

/// What a line says.
#[derive(Debug, PartialEq)]
enum Line {
    Port(u16),
    Rss,
    Samples(Vec<Sample>),
}

#[derive(Deserialize)]
struct Samples {
    samples: Vec<Sample>,
}

impl Line {
    fn parse(text: &str) -> Result<Self> {
        if text == "RSS" {
            return Ok(Self::Rss);
        }
        if let Some(port) = text.strip_prefix("PORT ") {
            return Ok(Self::Port(port.parse().with_context(|| format!("`{text}` has no port"))?));
        }
        let found: Samples = serde_json::from_str(text).with_context(|| format!("not a line of samples: `{text}`"))?;
        Ok(Self::Samples(found.samples))
    }
}

/// Resident bytes of a program, as it said when they were to be looked at.
#[derive(Debug, Default)]
pub(super) struct Memory(Vec<f64>);

impl Memory {
    /// By how much it grew; `None` if it was not looked at.
    pub(super) fn grown(&self) -> Option<f64> {
        Some(self.0.last()? - self.0.first()?)
    }
}

impl Program {
    pub(super) fn start(mut command: Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{name} does not start"))?;
        let output = BufReader::new(child.stdout.take().context("a pipe was asked for")?);
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            // Ends with the program's output, or when nobody waits for it any more.
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { name, child, lines })
    }

    fn line(&mut self) -> Result<Line> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Line::parse(&line).with_context(|| self.name.clone()),
            Err(RecvTimeoutError::Timeout) => bail!("{} has printed nothing for {PATIENCE:?}", self.name),
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait().context("a child can be waited for")?;
                bail!("{} ended without samples, with {status}", self.name)
            }
        }
    }

    /// Where a server listens.
    pub(super) fn port(&mut self) -> Result<u16> {
        match self.line()? {
            Line::Port(port) => Ok(port),
            other => bail!("{} printed {other:?} instead of a port", self.name),
        }
    }

    /// What a run found.
    pub(super) fn samples(&mut self, memory: &mut Memory) -> Result<Vec<Sample>> {
        loop {
            match self.line()? {
                Line::Samples(samples) => return Ok(samples),
                Line::Rss => memory.0.push(self.rss()?),
                Line::Port(_) => bail!("{} printed a port instead of samples", self.name),
            }
        }
    }

    fn rss(&self) -> Result<f64> {
        let text =
            std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).context("the program's memory")?;
        let pages: u32 = text.split(' ').nth(1).and_then(|word| word.parse().ok()).context("no pages in statm")?;
        Ok(f64::from(pages) * PAGE)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It has nothing left to do. If it is gone already, both say so.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Memory, Program};
    use crate::system::Sample;
    use crate::unit::Unit;
    use std::process::Command;

    fn program(script: &str) -> Program {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Program::start(command).expect("there is a shell")
    }

    #[test]
    fn lines_are_read() {
        let samples =
            r#"{"samples":[{"name":"call","value":476.2,"unit":"ns"},{"name":"x","value":3,"unit":"bytes"}]}"#;
        let expected = vec![Sample::ns("call", 476.2), Sample::new("x", 3.0, Unit::Bytes)];
        assert_eq!(Line::parse(samples).expect("right"), Line::Samples(expected));
        assert_eq!(Line::parse("PORT 4711").expect("right"), Line::Port(4711));
        assert_eq!(Line::parse("RSS").expect("right"), Line::Rss);
        for wrong in ["", "PORT x", "RSS 1", r#"{"samples":[{"name":"call","value":1,"unit":"miles"}]}"#] {
            assert!(Line::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn samples_come_after_looks_at_the_memory() {
        let mut memory = Memory::default();
        let script = r#"echo RSS; sleep 0.1; echo RSS; sleep 0.1; echo '{"samples":[]}'"#;
        assert_eq!(program(script).samples(&mut memory).expect("right"), vec![]);
        assert!(memory.grown().is_some() && memory.0.iter().all(|bytes| *bytes > 0.0), "{memory:?}");
        assert_eq!(Memory::default().grown(), None);
    }

    #[test]
    fn a_server_serves_until_it_is_dropped() {
        let mut server = program("echo PORT 80; cat");
        assert_eq!(server.port().expect("printed"), 80);
    }

    #[test]
    fn a_program_that_fails_is_named() {
        let error = program("exit 3").samples(&mut Memory::default()).expect_err("no samples");
        assert_eq!(error.to_string(), "sh ended without samples, with exit status: 3");
    }
}
