//! A worker: does what it is asked for, and asks others at each tick.
//!
//! Orders: `go TICKS PAUSE SEED`, `flood NAME COUNT`, `mishap WHAT` (of the next reload).

use crate::bindings::exports::wasmactor::actor::handler::{Event, Message};
#[cfg(feature = "blocking")]
use crate::bindings::wasmactor::actor::blocking;
use crate::bindings::wasmactor::actor::{lifecycle, messaging, registry, timer};
use crate::book::Book;
use crate::{ASK, ORDER};

/// What a request may ask for, each as often as it stands here; see [`operate`]. Numbers are milliseconds, or bytes.
const OPERATIONS: [&str; 32] = [
    "ret",
    "ret",
    "ret",
    "ret",
    "ret",
    "ret",
    "ret",
    "ret",
    "ret",
    "ret",
    "ret",
    "late 1",
    "late 5",
    "late 20",
    "late 60",
    "fail",
    "silent",
    "hold",
    "forward",
    "forward",
    "spin 2",
    "spin 10",
    "park 3",
    "park 30",
    "call",
    "call",
    "big 3000",
    "big 90000",
    "child",
    "trap",
    "exit",
    "late 3",
];

/// How long a child lives at most, in milliseconds.
const CHILDHOOD: u64 = 300;

pub(crate) fn trap() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort()
}

pub(crate) fn operation(book: &mut Book) -> &'static str {
    // Endless turns are few: each takes as long as the manifest allows.
    if book.random(400) == 0 {
        return "forever";
    }
    OPERATIONS[usize::try_from(book.random(OPERATIONS.len() as u64)).unwrap_or(0)]
}

pub(crate) fn init_child(book: &mut Book) -> Result<(), String> {
    let time = book.random(CHILDHOOD);
    book.timer(time);
    if book.random(8) == 0 { Err("stillborn".to_owned()) } else { Ok(()) }
}

pub(crate) fn handle(book: &mut Book, event: Event) -> Result<(), String> {
    match event {
        Event::Message(message) if message.kind == ORDER => {
            let text = String::from_utf8_lossy(&message.payload).into_owned();
            order(book, &text);
            Ok(())
        }
        Event::Message(message) if message.kind == ASK => operate(book, &message),
        Event::Timeout(session) => {
            if let Some(request) = book.late.remove(&session) {
                // Its time may be over.
                let _ = messaging::reply(request, b"late");
            } else if session == book.ticks.2 {
                tick(book);
            } else if book.role == "child" {
                lifecycle::exit("grown up");
            }
            Ok(())
        }
        Event::Spawned(spawned) => {
            if let Ok(child) = spawned.outcome {
                book.watch(child);
                match book.random(6) {
                    0 => drop(lifecycle::kill(child, "not wanted")),
                    1 => drop(lifecycle::link(child)),
                    _ => {}
                }
                let operation = operation(book);
                book.ask(child, operation, 0);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn order(book: &mut Book, text: &str) {
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        ["go", ticks, pause, seed] => {
            book.reseed(seed.parse().unwrap_or(1));
            book.ticks.0 = ticks.parse().unwrap_or(0);
            book.ticks.1 = pause.parse().unwrap_or(1);
            let old = book.ticks.2;
            book.cancel_timer(old);
            book.ticks.2 = book.timer(0);
        }
        ["flood", name, count] => {
            let to = registry::lookup(name).unwrap_or(0);
            for _ in 0..count.parse().unwrap_or(0) {
                if book.post(to, "").is_err() {
                    break;
                }
            }
        }
        ["mishap", what] => book.mishap = what.to_owned(),
        _ => {}
    }
}

fn tick(book: &mut Book) {
    let Some(left) = book.ticks.0.checked_sub(1) else { return };
    book.ticks.0 = left;
    for _ in 0..=book.random(3) {
        let peer = book.peer();
        match book.random(20) {
            0..8 => {
                for _ in 0..=book.random(8) {
                    // A full mailbox is one of the things that happen.
                    let _ = book.post(peer, "");
                }
            }
            8..16 => {
                let timeout = [30, 200, 1000][usize::try_from(book.random(3)).unwrap_or(0)];
                let operation = operation(book);
                book.ask(peer, operation, timeout);
            }
            16 => {
                if let Some(request) = book.asked.last().copied() {
                    book.cancel(request);
                }
            }
            17 => {
                let time = book.random(40);
                let session = book.timer(time);
                if book.random(2) == 0 {
                    book.cancel_timer(session);
                }
            }
            18 => drop(book.spawn("child", "child")),
            _ => {
                // Without an answer: what comes of it nobody hears.
                let operation = operation(book);
                let _ = book.post(peer, operation);
            }
        }
    }
    if left > 0 {
        book.ticks.2 = book.timer(book.ticks.1);
    }
}

/// Does what a request asks for. Answers that come too late are errors that nobody needs.
fn operate(book: &mut Book, message: &Message) -> Result<(), String> {
    let text = String::from_utf8_lossy(&message.payload);
    let mut words = text.split(' ').skip(3);
    let (operation, number) = (words.next().unwrap_or("ret"), words.next().and_then(|word| word.parse().ok()));
    let number: u64 = number.unwrap_or(0);
    book.flush();
    match operation {
        "late" => {
            if let Ok(request) = messaging::defer() {
                let timer = book.timer(number);
                book.late.insert(timer, request);
            }
        }
        "fail" => return Err("asked to".to_owned()),
        "silent" => {}
        "hold" => drop(messaging::defer()),
        "forward" => {
            let peer = book.peer();
            let _ = messaging::forward(0, peer, ASK, b"0 0 0 ret");
        }
        "spin" => {
            let until = timer::now() + number * 1_000_000;
            while timer::now() < until {}
            let _ = messaging::ret(b"span");
        }
        "forever" => spin(),
        "trap" => trap(),
        "exit" => lifecycle::exit("asked to"),
        "child" => {
            let _ = book.spawn("child", "child");
            let _ = messaging::ret(b"child");
        }
        "big" => {
            let payload = vec![b'x'; usize::try_from(number).unwrap_or(0)];
            let _ = messaging::ret(&payload);
        }
        #[cfg(feature = "blocking")]
        "park" => {
            blocking::sleep(number);
            let _ = messaging::ret(b"slept");
        }
        #[cfg(feature = "blocking")]
        "call" => {
            let peer = book.peer();
            let called = blocking::call(peer, ASK, b"0 0 0 late 2", 100);
            let _ = messaging::ret(if called.is_ok() { b"called" } else { b"in vain" });
        }
        _ => drop(messaging::ret(b"ret")),
    }
    Ok(())
}

/// Endless, but the compiler must not know.
fn spin() {
    let mut n = 0u64;
    while std::hint::black_box(n) < u64::MAX {
        n = std::hint::black_box(n) & 1;
    }
}
