//! What an instance remembers, and how it tells of what happens.
//!
//! Records are lines; the witness puts the sender's address before them:
//!
//! | line | what |
//! |---|---|
//! | `b` | an instance begins |
//! | `o SESSION` | something is awaited: a reply, a timer, a birth, a down |
//! | `e SESSION` | it came, or was taken back in time |
//! | `m SOURCE NONCE SEQUENCE SENDS` | a numbered message came; `SENDS` is 0 for a request |
//! | `l ADDRESS` | the gate listens there |

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::bindings::exports::wasmactor::actor::handler::Event;
use crate::bindings::wasmactor::actor::types::Error;
use crate::bindings::wasmactor::actor::{lifecycle, log, messaging, registry, timer};
use crate::{ASK, NUMBERED, RECORDS};

/// See the file's head.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) role: String,
    /// Tells this instance's numbers from those of the one before, at the same address.
    nonce: u64,
    seed: u64,
    /// Of each receiver: messages sent, and those among them that want no answer.
    sent: BTreeMap<u64, (u64, u64)>,
    /// Requests that this actor waits for.
    pub(crate) asked: Vec<u64>,
    /// Requests that are answered when a timer fires, by its session.
    pub(crate) late: BTreeMap<u64, u64>,
    /// Ticks to come, the pause between them in milliseconds, and the next one's session.
    pub(crate) ticks: (u64, u64, u64),
    /// What goes wrong at a reload.
    pub(crate) mishap: String,
    /// The socket of the witness or of a connection; 0: none.
    pub(crate) socket: u64,
    /// Of the gate, by births; of a connection, its client's numbers by requests.
    pub(crate) pairs: BTreeMap<u64, u64>,
    /// Of a connection: the client sends no more.
    pub(crate) ending: bool,
    /// What came of a line that is not complete; of the witness, what came before its reader.
    pub(crate) half: String,
    /// Not sent yet.
    records: String,
}

impl Book {
    pub(crate) fn begin(&mut self, role: String) {
        self.role = role;
        self.nonce = timer::now();
        self.seed = self.nonce | 1;
        if self.role != "witness" {
            self.record("b");
        }
    }

    pub(crate) fn record(&mut self, line: &str) {
        self.records.push_str(line);
        self.records.push('\n');
    }

    /// Sends the records. The witness's mailbox is made for all of them.
    pub(crate) fn flush(&mut self) {
        if self.records.is_empty() {
            return;
        }
        let witness = registry::lookup(".witness").unwrap_or(0);
        if let Err(error) = messaging::send(witness, RECORDS, self.records.as_bytes()) {
            log::log(log::Level::Error, &format!("records are lost: {}", error.reason), &[]);
        }
        self.records.clear();
    }

    /// What every event means for the record.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Message(message) if [ASK, NUMBERED].contains(&message.kind) => {
                let text = String::from_utf8_lossy(&message.payload);
                let mut words = text.split(' ');
                if let (Some(nonce), Some(sequence), Some(sends)) = (words.next(), words.next(), words.next())
                    && nonce != "0"
                {
                    let sends = if message.session == 0 { sends } else { "0" };
                    self.record(&format!("m {} {nonce} {sequence} {sends}", message.source));
                }
            }
            Event::Reply(reply) => {
                self.asked.retain(|asked| *asked != reply.session);
                self.ended(reply.session);
            }
            Event::Spawned(spawned) => self.ended(spawned.session),
            Event::Timeout(session) => self.ended(*session),
            // What a judge is asked is not awaited.
            Event::Down(down) if self.role != "judge" => self.ended(down.watch),
            _ => {}
        }
    }

    fn opened(&mut self, session: u64) -> u64 {
        self.record(&format!("o {session}"));
        session
    }

    fn ended(&mut self, session: u64) {
        self.record(&format!("e {session}"));
    }

    /// The next numbers for a receiver, as they stand before a message.
    fn numbers(&mut self, to: u64, answer: bool) -> (String, (u64, u64)) {
        let (all, sends) = self.sent.get(&to).copied().unwrap_or_default();
        let next = (all + 1, sends + u64::from(!answer));
        (format!("{} {} {}", self.nonce, next.0, next.1), next)
    }

    /// Sends a message that wants no answer. One that was refused has no number.
    pub(crate) fn post(&mut self, to: u64, operation: &str) -> Result<(), Error> {
        let (numbers, next) = self.numbers(to, false);
        let kind = if operation.is_empty() { NUMBERED } else { ASK };
        messaging::send(to, kind, format!("{numbers} {operation}").as_bytes())?;
        self.sent.insert(to, next);
        Ok(())
    }

    /// Asks. None: it was refused.
    pub(crate) fn ask(&mut self, to: u64, operation: &str, timeout: u32) -> Option<u64> {
        let (numbers, next) = self.numbers(to, true);
        let payload = format!("{numbers} {operation}");
        let session = messaging::request(to, ASK, payload.as_bytes(), timeout, 0).ok()?;
        self.sent.insert(to, next);
        self.asked.push(session);
        Some(self.opened(session))
    }

    pub(crate) fn cancel(&mut self, request: u64) {
        if messaging::cancel(request) {
            self.asked.retain(|asked| *asked != request);
            self.ended(request);
        }
    }

    pub(crate) fn timer(&mut self, milliseconds: u64) -> u64 {
        let session = timer::timeout(milliseconds);
        self.opened(session)
    }

    pub(crate) fn cancel_timer(&mut self, session: u64) {
        if timer::cancel(session) {
            self.ended(session);
        }
    }

    pub(crate) fn watch(&mut self, target: u64) {
        let session = lifecycle::watch(target);
        self.opened(session);
    }

    pub(crate) fn spawn(&mut self, module: &str, args: &str) -> Result<u64, Error> {
        let session = lifecycle::spawn(module, None, args.as_bytes())?;
        Ok(self.opened(session))
    }

    /// Marsaglia's xorshift64: below `bound`.
    pub(crate) fn random(&mut self, bound: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % bound
    }

    pub(crate) fn reseed(&mut self, seed: u64) {
        self.seed = (seed ^ messaging::self_().wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1;
    }

    /// A worker, by chance; 0: there is none.
    pub(crate) fn peer(&mut self) -> u64 {
        let all = registry::list(".w");
        let workers: Vec<u64> = all.into_iter().filter(|(name, _)| name != ".witness").map(|(_, at)| at).collect();
        if workers.is_empty() {
            return 0;
        }
        workers[usize::try_from(self.random(workers.len() as u64)).unwrap_or(0)]
    }

    /// As `save` hands it over: a word before each part.
    pub(crate) fn text(&self) -> String {
        let Self { role, nonce, seed, ticks, socket, ending, .. } = self;
        let (left, pace, next) = ticks;
        let mut text = format!("{role} {nonce} {seed} {left} {pace} {next} {socket} {}\n", u8::from(*ending));
        let _ = writeln!(text, "{}\n{}", self.mishap, self.half);
        let list = |numbers: Vec<u64>| numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" ") + "\n";
        text += &list(self.sent.iter().flat_map(|(to, (all, sends))| [*to, *all, *sends]).collect());
        text += &list(self.asked.clone());
        text += &list(self.late.iter().flat_map(|(timer, request)| [*timer, *request]).collect());
        text += &list(self.pairs.iter().flat_map(|(one, other)| [*one, *other]).collect());
        text
    }

    /// What `text` gave.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let list = |words: &str| -> Option<Vec<u64>> {
            words.split(' ').filter(|word| !word.is_empty()).map(|word| word.parse().ok()).collect()
        };
        let (role, numbers) = lines.next()?.split_once(' ')?;
        let [nonce, seed, left, pace, next, socket, ending] = list(numbers)?[..] else { return None };
        let (mishap, half) = (lines.next()?.to_owned(), lines.next()?.to_owned());
        let sent = list(lines.next()?)?.chunks_exact(3).map(|part| (part[0], (part[1], part[2]))).collect();
        let asked = list(lines.next()?)?;
        let mut pairs = || -> Option<BTreeMap<u64, u64>> {
            Some(list(lines.next()?)?.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
        };
        let (late, pairs) = (pairs()?, pairs()?);
        let ticks = (left, pace, next);
        let (role, ending, records) = (role.to_owned(), ending == 1, String::new());
        Some(Self { role, nonce, seed, sent, asked, late, ticks, mishap, socket, pairs, ending, half, records })
    }
}
