//! TCP clients: each line is answered once; and clients that vanish in the middle.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::journal::Journal;
use super::oracle::Oracle;
use super::random::Random;
use crate::DEADLINE;

/// How many there are at a time.
pub(super) const CLIENTS: u64 = 6;
const OPERATIONS: [&str; 10] =
    ["ret", "ret", "ret", "late 10", "silent", "forward", "fail", "big 50000", "hold", "call"];

/// One after the other, until it is over.
pub(super) fn run(oracle: &Oracle, random: &mut Random, over: &AtomicBool, journal: &Journal) {
    while !over.load(Ordering::Relaxed) {
        // While the gate rests nobody listens.
        let stream = oracle.gate().and_then(|gate| TcpStream::connect(gate).ok());
        match stream {
            Some(stream) => client(stream, random, journal),
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

fn client(stream: TcpStream, random: &mut Random, journal: &Journal) {
    stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
    let mut stream = BufReader::new(stream);
    let mut open = HashSet::new();
    let mut sent = 0;
    for _ in 0..=random.below(4) {
        let mut lines = String::new();
        for _ in 0..=random.below(12) {
            sent += 1;
            open.insert(sent);
            lines += &format!("{sent} {}\n", random.pick(&OPERATIONS));
        }
        // A connection that was cut shows when it is read.
        let _ = stream.get_mut().write_all(lines.as_bytes());
        if random.below(3) == 0 && read(&mut stream, &mut open, sent, journal) != Read::Line {
            return journal.cut();
        }
    }
    match random.below(8) {
        // Vanishes, with or without unread answers in its buffer.
        0 => {}
        1 => std::thread::sleep(Duration::from_millis(random.next() % 60)),
        // Sends no more, and wants all answers.
        _ => {
            let _ = stream.get_mut().shutdown(Shutdown::Write);
            let end = loop {
                match read(&mut stream, &mut open, sent, journal) {
                    Read::Line => {}
                    end => break end,
                }
            };
            match end {
                Read::Bye if !open.is_empty() => {
                    journal.broken(format!("a client got no answer to {} of {sent} lines", open.len()));
                }
                Read::End => journal.cut(),
                _ => {}
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Read {
    Line,
    Bye,
    /// Without a word.
    End,
}

/// Reads a line and checks it.
fn read(stream: &mut BufReader<TcpStream>, open: &mut HashSet<u64>, sent: u64, journal: &Journal) -> Read {
    let mut line = String::new();
    match stream.read_line(&mut line) {
        Err(error) if [std::io::ErrorKind::WouldBlock, std::io::ErrorKind::TimedOut].contains(&error.kind()) => {
            journal.broken(format!("a client has waited {} s for {} answers", DEADLINE.as_secs(), open.len()));
            return Read::End;
        }
        Err(_) | Ok(0) => return Read::End,
        Ok(_) => {}
    }
    if line == "bye\n" {
        return Read::Bye;
    }
    let number = line.split_once(' ').and_then(|(number, _)| number.parse().ok());
    match number {
        Some(number) if open.remove(&number) => journal.answered(),
        // Half a line, since the connection was cut.
        _ if !line.ends_with('\n') => return Read::End,
        _ => journal.broken(format!("a client that has sent {sent} lines got {line:?}: twice, or never asked for")),
    }
    Read::Line
}
