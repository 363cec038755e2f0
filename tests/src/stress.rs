//! The stress: a real host, whose actors ask each other, real TCP clients, and a seed that says who is killed, restarted,
//! reloaded, flooded and cut off when. Used by `cargo xtask stress`, and shortly by `it/stress.rs`.
//!
//! | file | what |
//! |---|---|
//! | `host` | the app, and its control endpoint |
//! | `chaos` | what is done to it |
//! | `clients` | TCP clients that check their answers, and vanish |
//! | `oracle` | reads the witness's records: whether the promises hold |
//! | `level` | what there is of actors, timers, sockets, memory: whether it comes back to where it was |
//! | `journal` | the last things that were done, and what was found |
//!
//! What is checked, of ARCHITECTURE.md's promises: every request, timer, birth and watch of an instance that lives ends
//! exactly once, and no late answer reaches the instance after it; messages of one sender come in order, none twice; of those
//! that were taken an instance's end loses the one that it was handling, no other; each line of a client is answered once;
//! when all is quiet again there are as many actors, timers, sockets, waits and descriptors as at the start, and memory within
//! [`level::ROOM`] of what it was after the first round.
//!
//! Must hold: the same seed does the same things at the same times after a round's begin; what threads make of that differs.

mod chaos;
mod clients;
mod host;
mod journal;
mod level;
mod oracle;
mod random;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use host::Host;
use journal::Journal;
use level::Level;
use oracle::Oracle;
use random::Random;

/// What a run shall be.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seed: u64,
    /// Everything as components, not flat.
    pub components: bool,
    /// Each begins with a quiet app, and ends with one.
    pub rounds: u32,
    /// How long it is not quiet.
    pub round: Duration,
}

/// What was done and seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub actions: u64,
    pub reloads: u64,
    pub records: u64,
    /// Things that were awaited, and ended.
    pub ended: u64,
    pub messages: u64,
    /// Answers that clients got.
    pub answers: u64,
    pub instances: u64,
}

/// A promise was broken, or the run came to nothing.
#[derive(Debug)]
pub struct Broken {
    pub found: Vec<String>,
    /// What was done last.
    pub actions: Vec<String>,
    /// The host's last lines.
    pub log: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the host's last lines:\n  {}", self.log.join("\n  "))?;
        writeln!(f, "the last actions:\n  {}", self.actions.join("\n  "))?;
        write!(f, "broken:\n  {}", self.found.join("\n  "))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { actions, reloads, records, ended, messages, answers, instances } = self;
        write!(
            f,
            "{actions} actions, {reloads} reloads, {instances} instances, {ended} waits ended, {messages} numbered messages, \
             {answers} clients' lines answered ({records} records)"
        )
    }
}

/// Runs it. `say` gets a line for each round.
pub fn run(plan: Plan, say: impl Fn(String)) -> Result<Count, Box<Broken>> {
    let journal = Arc::new(Journal::default());
    let mut host = Host::start(plan.components, &journal);
    let outcome = rounds(plan, &mut host, &journal, say);
    let stopped = host.stop();
    let mut found = journal.found();
    if found.is_empty() {
        found.extend(stopped.err());
    }
    match outcome {
        Some(count) if found.is_empty() => Ok(count),
        _ => Err(Box::new(Broken { found, actions: journal.last(), log: host.log() })),
    }
}

/// None: something was found, which is in the journal.
fn rounds(plan: Plan, host: &mut Host, journal: &Arc<Journal>, say: impl Fn(String)) -> Option<Count> {
    let oracle = Oracle::start(host.witness(), journal);
    let mut first = None;
    let start = level::settled(host, &oracle, None, journal)?;
    for round in 0..plan.rounds {
        journal.note(format!("round {round} begins"));
        one(plan, round, host, &oracle, journal);
        let now = level::settled(host, &oracle, Some(&start), journal)?;
        say(format!("round {}: {now}; so far {}", round + 1, count(&oracle, journal)));
        let warm: &Level = first.get_or_insert(now);
        warm.compare_memory(&now, journal)?;
    }
    Some(count(&oracle, journal))
}

fn count(oracle: &Oracle, journal: &Journal) -> Count {
    Count { actions: journal.actions(), reloads: journal.reloads(), answers: journal.answers(), ..oracle.count() }
}

/// One round, up to the moment in which nobody does anything any more.
fn one(plan: Plan, round: u32, host: &Host, oracle: &Oracle, journal: &Journal) {
    let over = AtomicBool::new(false);
    let seed = Random::new(plan.seed ^ u64::from(round).wrapping_mul(0xd6e8_feb8_6659_fd93));
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        let mut number = 0;
        let mut random = || {
            number += 1;
            seed.part(number)
        };
        let (mut some, mut other) = (random(), random());
        let over = &over;
        threads.push(scope.spawn(move || chaos::actions(host, &mut some, over, journal)));
        threads.push(scope.spawn(move || chaos::reloads(host, &mut other, over, journal)));
        for _ in 0..clients::CLIENTS {
            let mut own = random();
            threads.push(scope.spawn(move || clients::run(oracle, &mut own, over, journal)));
        }
        let until = Instant::now() + plan.round;
        while Instant::now() < until && !journal.has_found() {
            std::thread::sleep(Duration::from_millis(20));
        }
        over.store(true, Ordering::Relaxed);
    });
}
