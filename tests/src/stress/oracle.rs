//! Reads the witness's records (`guests-rs/stress/src/book.rs` says what they are) and checks the promises by them.
//!
//! Must hold: what an actor does reaches the witness in the order in which it did it, which is the first promise; so this
//! judges each actor's records by themselves.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use super::Count;
use super::journal::Journal;
use crate::DEADLINE;

/// See the file's head.
#[derive(Debug)]
pub(super) struct Oracle {
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    actors: HashMap<u64, Actor>,
    /// Where the gate listens.
    gate: Option<String>,
    /// The last `y NUMBER`, by which the stress asks how far it has read.
    synced: u64,
    count: Count,
}

#[derive(Debug, Default)]
struct Actor {
    /// What is awaited.
    open: HashSet<u64>,
    /// The last numbers that came from each instance of a sender: of all, and of those that want no answer.
    last: HashMap<(u64, u64), (u64, u64)>,
    /// Messages that did not come.
    lost: u64,
}

impl Oracle {
    /// Reads from now on, in a thread that ends with the host.
    pub(super) fn start(at: &str, journal: &Arc<Journal>) -> Self {
        let stream = TcpStream::connect(at).expect("the witness listens");
        let state = Arc::<(Mutex<State>, Condvar)>::default();
        let (shared, journal) = (state.clone(), journal.clone());
        std::thread::spawn(move || {
            let mut source = 0;
            for line in BufReader::new(stream).lines() {
                let Ok(line) = line else { break };
                let mut state = shared.0.lock().expect("nobody panics with it");
                if let Err(what) = state.record(&mut source, &line) {
                    drop(state);
                    journal.broken(what);
                } else if line.starts_with('y') || line.starts_with('l') {
                    shared.1.notify_all();
                }
            }
        });
        Self { state }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().expect("nobody panics with it")
    }

    pub(super) fn count(&self) -> Count {
        self.locked().count
    }

    /// Where the gate listens now.
    pub(super) fn gate(&self) -> Option<String> {
        self.locked().gate.clone()
    }

    /// Waits until everything up to `y NUMBER` is read. False: it did not come.
    pub(super) fn synced(&self, number: u64) -> bool {
        let state = self.locked();
        let (state, _) =
            self.state.1.wait_timeout_while(state, DEADLINE, |state| state.synced < number).expect("nobody panics");
        state.synced >= number
    }

    /// How much those of these actors wait for that wait for anything.
    pub(super) fn open(&self, alive: &HashSet<u64>) -> BTreeMap<u64, usize> {
        let state = self.locked();
        let waiting = |actor: &u64| state.actors.get(actor).map_or(0, |actor| actor.open.len());
        alive.iter().map(|actor| (*actor, waiting(actor))).filter(|(_, open)| *open > 0).collect()
    }

    /// Forgets all but these; to be called when nobody is born.
    pub(super) fn forget(&self, alive: &HashSet<u64>) {
        self.locked().actors.retain(|address, _| alive.contains(address));
    }

    /// Messages to this actor that did not come.
    pub(super) fn lost(&self, actor: u64) -> u64 {
        self.locked().actors.get(&actor).map_or(0, |actor| actor.lost)
    }
}

impl State {
    /// Takes a line. Errors: what is wrong.
    fn record(&mut self, source: &mut u64, line: &str) -> Result<(), String> {
        self.count.records += 1;
        let bad = || format!("the witness says {line:?}");
        let (what, rest) = line.split_at_checked(1).ok_or_else(bad)?;
        let rest = rest.trim_start();
        if what == "l" {
            self.gate = Some(rest.to_owned());
            return Ok(());
        }
        let numbers: Result<Vec<u64>, _> = rest.split_whitespace().map(str::parse).collect();
        let numbers = numbers.map_err(|_| bad())?;
        let actor = self.actors.entry(*source).or_default();
        match (what, &numbers[..]) {
            ("s", [address]) => *source = *address,
            ("y", [number]) => self.synced = *number,
            ("b", []) => {
                // What the instance before has awaited ended with it.
                actor.open.clear();
                self.count.instances += 1;
            }
            ("o", [session]) => {
                if !actor.open.insert(*session) {
                    return Err(format!(":{source:08x} awaits {session} twice"));
                }
            }
            ("e", [session]) => {
                self.count.ended += 1;
                if !actor.open.remove(session) {
                    let twice = format!(
                        ":{source:08x}: {session} ended, which this instance did not await, or for the second time"
                    );
                    return Err(twice);
                }
            }
            ("m", [from, nonce, all, sends]) => {
                self.count.messages += 1;
                let last = actor.last.entry((*from, *nonce)).or_default();
                if *all <= last.0 || (*sends > 0 && *sends <= last.1) {
                    return Err(format!(
                        ":{source:08x} got message {all} ({sends}) of :{from:08x} after {} ({}): out of order, or twice",
                        last.0, last.1
                    ));
                }
                last.0 = *all;
                if *sends > 0 {
                    actor.lost += sends - last.1 - 1;
                    last.1 = *sends;
                }
            }
            _ => return Err(bad()),
        }
        Ok(())
    }
}
