//! What is done to the app: kills, restarts, floods, halves of the tree that go down at once, a host that stands still, and
//! reloads, some of which fail.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::clients::CLIENTS;
use super::host::{Control, Host, RELOADED};
use super::journal::Journal;
use super::random::Random;
use crate::Signal;

/// Workers ask this long after an order, in ticks of so many milliseconds.
const TICKS: usize = 80;
const TICK: usize = 5;
/// Actions between two orders.
const ORDERS: usize = 30;

/// What goes wrong at a reload, or nothing.
const MISHAPS: [&str; 8] =
    ["", "", "save-refuses", "save-traps", "save-waits", "load-refuses", "load-traps", "test-fails"];

/// Actions, one after the other, until it is over.
pub(super) fn actions(host: &Host, random: &mut Random, over: &AtomicBool, journal: &Journal) {
    let mut control = host.control();
    let workers = Host::workers();
    let mut number = 0;
    while !over.load(Ordering::Relaxed) {
        if number % ORDERS == 0 {
            for worker in &workers {
                control.order(worker, &format!("go {TICKS} {TICK} {}", random.next()));
            }
            journal.note("all workers go on".to_owned());
        }
        number += 1;
        std::thread::sleep(Duration::from_micros(random.next() % 15_000));
        let worker = random.pick(&workers);
        match random.below(100) {
            0..28 => end(&mut control, "kill", worker, journal),
            28..38 => end(&mut control, "restart", worker, journal),
            38..50 => {
                let to = random.pick(&workers);
                let count = 1 + random.below(5000);
                control.order(worker, &format!("flood {to} {count}"));
                journal.note(format!("{worker} floods {to} with {count}"));
            }
            50..58 => conn(&mut control, random, journal),
            58..60 => {
                journal.may_cut(CLIENTS);
                end(&mut control, "kill", ".gate", journal);
            }
            60..63 => {
                let right = random.below(2) == 0;
                journal.note(format!("the {} half goes down", if right { "right" } else { "left" }));
                for worker in Host::half(right) {
                    end(&mut control, "kill", &worker, journal);
                }
            }
            63..66 => {
                let time = random.next() % 150;
                journal.note(format!("the host stands still for {time} ms"));
                host.signal(Signal::Pause);
                std::thread::sleep(Duration::from_millis(time));
                host.signal(Signal::Continue);
            }
            66..70 => {
                for _ in 0..=random.below(6) {
                    let worker = random.pick(&workers);
                    tell(&mut control, worker, "forever");
                    journal.note(format!("{worker} never ends its turn"));
                }
            }
            70..85 => {
                let operation = *random.pick(&["trap", "exit", "fail", "park 40", "spin 40", "child"]);
                tell(&mut control, worker, operation);
            }
            85..93 => {
                let ask = json!({ "actor": worker, "payload": { "text": "0 0 0 ret" }, "timeout_ms": 300 });
                look(&mut control, "call", ask);
            }
            _ => {
                let what = random.pick(&["ps", "waits", "tree", "modules", "timers", "netstat"]);
                look(&mut control, what, json!({}));
            }
        }
    }
}

/// Reloads, until it is over.
pub(super) fn reloads(host: &Host, random: &mut Random, over: &AtomicBool, journal: &Journal) {
    let mut control = host.control();
    let workers = Host::workers();
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(random.next() % 150));
        for _ in 0..random.below(4) {
            let (worker, mishap) = (random.pick(&workers), random.pick(&MISHAPS));
            control.order(worker, &format!("mishap {mishap}"));
        }
        let (module, version) = (random.pick(&RELOADED), random.below(usize::MAX));
        host.put(module, version);
        let action = match random.below(8) {
            0 => json!({ "trial": 1 + random.below(99) }),
            1 => json!("commit"),
            2 => json!("rollback"),
            3 => json!("check"),
            _ => json!("reload"),
        };
        journal.note(format!("reload of {module}, {action}"));
        let grace = 100 + random.below(400);
        let done = control.ask("reload", json!({ "module": module, "action": action, "grace_ms": grace }));
        journal.note(match &done {
            Ok(done) => {
                journal.reloaded();
                let row = &done["modules"][0];
                let kept = row["kept"].as_array().map_or(0, Vec::len);
                format!("{module}: {} exchanged, {kept} kept, problem {}", row["exchanged"], row["problem"])
            }
            // There is nothing to commit, or to go back to.
            Err(code) => format!("{module}: {code}"),
        });
    }
}

/// Ends an actor; it may be gone already.
fn end(control: &mut Control, how: &str, actor: &str, journal: &Journal) {
    let done = control.ask(how, json!({ "actor": actor, "reason": "stress" }));
    journal.note(format!("{how} {actor}{}", done.err().map_or_else(String::new, |code| format!(": {code}"))));
}

/// Ends the actor of a connection.
fn conn(control: &mut Control, random: &mut Random, journal: &Journal) {
    let all = control.ask("ps", json!({ "filter": "conn*", "limit": 0 })).expect("the host answers");
    let Some(rows) = all["actors"].as_array().filter(|rows| !rows.is_empty()) else { return };
    if let Some(address) = random.pick(rows)["address"].as_str() {
        journal.may_cut(1);
        end(control, "kill", address, journal);
    }
}

/// An operation that nobody awaits.
fn tell(control: &mut Control, worker: &str, operation: &str) {
    look(control, "send", json!({ "actor": worker, "payload": { "text": format!("0 0 0 {operation}") } }));
}

/// The host must answer; what, depends on the moment.
fn look(control: &mut Control, command: &str, arguments: Value) {
    let answered = control.ask(command, arguments);
    assert!(answered != Err("bad-request".to_owned()), "the stress asked for {command} wrongly");
}
