//! What there is of actors, timers, sockets, waits, descriptors and memory, as the host itself and /proc say: whether it
//! comes back to where it was.

use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::host::{Control, Host};
use super::journal::Journal;
use super::oracle::Oracle;
use crate::DEADLINE;

/// How much more memory there may be after a later round than after the first, in which threads, pools and the allocator's
/// arenas are made: half of it, and so many bytes. Thin air: rounds without a leak differ by 40 MiB; one grows with each round.
pub(super) const ROOM: u64 = 32 << 20;

/// See the file's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    actors: usize,
    timers: usize,
    sockets: usize,
    waits: usize,
    files: usize,
    /// Resident, in bytes.
    memory: u64,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { actors, timers, sockets, waits, files, memory } = self;
        let memory = memory >> 20;
        write!(
            f,
            "{actors} actors, {timers} timers, {sockets} sockets, {waits} waits, {files} descriptors, {memory} MiB resident"
        )
    }
}

impl Level {
    /// Whether all but memory is as it was.
    fn is_at(&self, other: &Self) -> bool {
        Self { memory: 0, ..*self } == Self { memory: 0, ..*other }
    }

    /// Whether memory is within its room. None: it is not, which is in the journal.
    pub(super) fn compare_memory(&self, later: &Self, journal: &Journal) -> Option<()> {
        let most = self.memory + self.memory / 2 + ROOM;
        if later.memory > most {
            journal.broken(format!("{} bytes of memory are resident, {most} at most may be", later.memory));
            return None;
        }
        Some(())
    }
}

/// What was seen at one moment.
struct Look {
    level: Level,
    alive: HashSet<u64>,
    /// Why it is not quiet.
    unrest: Vec<String>,
}

fn total(answer: &Value) -> usize {
    answer["total"].as_u64().and_then(|total| usize::try_from(total).ok()).expect("a total")
}

fn look(host: &Host, control: &mut Control, oracle: &Oracle) -> Look {
    let mut ask = |command: &str, arguments| control.ask(command, arguments).expect("the host answers");
    let actors = ask("ps", json!({ "limit": 0 }));
    let rows = actors["actors"].as_array().expect("a list");
    let mut unrest = Vec::new();
    let mut alive = HashSet::new();
    for row in rows {
        let address =
            row["address"].as_str().and_then(|text| u64::from_str_radix(text.trim_start_matches(':'), 16).ok());
        alive.insert(address.expect("an address"));
        if row["state"] != "idle" || row["mailbox"] != 0 {
            unrest.push(format!("{} is {}, {} wait", row["name"], row["state"], row["mailbox"]));
        }
    }
    for (actor, count) in oracle.open(&alive) {
        unrest.push(format!(":{actor:08x} awaits {count} things"));
    }
    let waits = ask("waits", json!({}));
    let waits = waits["waits"].as_array().expect("a list");
    unrest.extend(waits.iter().map(|wait| format!("{} waits for {}", wait["from"], wait["on"])));
    let waits = waits.len();
    let (timers, sockets) =
        (total(&ask("timers", json!({ "limit": 1 }))), total(&ask("netstat", json!({ "limit": 1 }))));
    let files = descriptors(host).len();
    let memory = resident(host);
    Look { level: Level { actors: rows.len(), timers, sockets, waits, files, memory }, alive, unrest }
}

/// What each of the host's descriptors is.
fn descriptors(host: &Host) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(host.proc().join("fd")) else { return Vec::new() };
    let target = |path| std::fs::read_link(path).map_or_else(|_| "gone".to_owned(), |to| to.display().to_string());
    entries.flatten().map(|entry| target(entry.path())).collect()
}

fn resident(host: &Host) -> u64 {
    let status = std::fs::read_to_string(host.proc().join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

/// Waits until all is quiet, and as it was at the start if there was one. None: it is not, which is in the journal.
pub(super) fn settled(host: &Host, oracle: &Oracle, start: Option<&Level>, journal: &Journal) -> Option<Level> {
    let mut control = host.control();
    let until = Instant::now() + DEADLINE;
    // What was recorded up to now is read.
    let mut syncs = journal.actions();
    loop {
        syncs += 1;
        let text = format!("y {syncs}");
        let mark = json!({ "actor": ".witness", "payload": { "text": text }, "timeout_ms": DEADLINE.as_secs() * 1000 });
        if control.ask("call", mark).is_err() || !oracle.synced(syncs) {
            journal.broken("the witness does not answer".to_owned());
        }
        if journal.has_found() {
            return None;
        }
        let look = look(host, &mut control, oracle);
        let expected = start.map_or(look.level.actors == Host::actors(), |start| look.level.is_at(start));
        if expected && look.unrest.is_empty() {
            oracle.forget(&look.alive);
            losses(&mut control, oracle, journal);
            journal.judge_cuts();
            return (!journal.has_found()).then_some(look.level);
        }
        if Instant::now() > until {
            let was = start.map_or_else(String::new, |start| format!(" (at the start: {start})"));
            let (unrest, files) = (look.unrest.join("; "), descriptors(host).join(", "));
            let seconds = DEADLINE.as_secs();
            journal.broken(format!("after {seconds} s of quiet: {}{was}; {unrest}; descriptors: {files}", look.level));
            return None;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A worker may have lost as many messages as it had ends: those that it was handling.
fn losses(control: &mut Control, oracle: &Oracle, journal: &Journal) {
    for name in Host::workers() {
        let info = control.ask("info", json!({ "actor": name })).expect("it lives");
        let address =
            info["address"].as_str().and_then(|text| u64::from_str_radix(text.trim_start_matches(':'), 16).ok());
        let lost = oracle.lost(address.expect("an address"));
        let ends = info["supervisor"]["restarts"].as_u64().expect("it has a supervisor");
        if lost > ends {
            journal.broken(format!("{name} has lost {lost} messages, and ended {ends} times only"));
        }
    }
}
