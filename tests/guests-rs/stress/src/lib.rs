//! The actors of the stress (`tests/src/stress.rs`): they ask, answer, fail and die at random, and tell the `witness` what
//! became of each thing that they wait for and what reached them. They check nothing: who reads the witness's records does.
//! They use the contract as it is, without the SDK, since the records name sessions.
//!
//! | file | what |
//! |---|---|
//! | `book` | what an instance remembers, and its records |
//! | `worker` | asks others, and does what it is asked for; a `child` is one that ends soon |
//! | `gate` | the listener, and the actor of each connection |
//! | `witness` | hands records to whoever is connected; a `judge` decides for a supervisor |
//!
//! `args` names the role. Kinds of messages: [`ASK`], [`NUMBERED`], [`ORDER`], [`RECORDS`].
//!
//! Must hold: a record is sent before anything is done that may end the instance, and at the end of each turn.

mod bindings;
mod book;
mod gate;
mod witness;
mod worker;

use std::cell::RefCell;

use bindings::exports::wasmactor::actor::handler::{Event, Guest};
use bindings::exports::wasmactor::actor::state;
use bindings::wasmactor::actor::config;

use book::Book;

/// A request, or the same without an answer: `NONCE SEQUENCE SENDS OPERATION…`, see [`Book::post`].
pub(crate) const ASK: u32 = 0;
/// A message that is only counted: `NONCE SEQUENCE SENDS`.
pub(crate) const NUMBERED: u32 = 1;
/// From the stress itself: words, see `worker`.
pub(crate) const ORDER: u32 = 2;
/// For the witness: lines, see `book`.
pub(crate) const RECORDS: u32 = 3;

struct Stress;

thread_local! {
    static BOOK: RefCell<Book> = RefCell::default();
}

/// The manifest's `args` come as MessagePack; what a spawner gives is taken as it is.
fn role() -> String {
    let args = config::args();
    let text = match &args[..] {
        [0xa0..=0xbf, text @ ..] => text,
        other => other,
    };
    String::from_utf8_lossy(text).into_owned()
}

impl Guest for Stress {
    fn init() -> Result<(), String> {
        BOOK.with_borrow_mut(|book| {
            book.begin(role());
            let begun = match book.role.as_str() {
                "witness" => witness::init(),
                "gate" => gate::init(book),
                "conn" => gate::init_conn(book),
                "child" => worker::init_child(book),
                _ => Ok(()),
            };
            book.flush();
            begun
        })
    }

    fn handle(event: Event) -> Result<(), String> {
        BOOK.with_borrow_mut(|book| {
            book.note(&event);
            let done = match book.role.as_str() {
                "witness" => witness::handle(book, event),
                "judge" => witness::judge(book, &event),
                "gate" => gate::handle(book, event),
                "conn" => gate::handle_conn(book, event),
                _ => worker::handle(book, event),
            };
            book.flush();
            done
        })
    }
}

impl state::Guest for Stress {
    fn save(in_flight: u32) -> Result<Option<Vec<u8>>, String> {
        BOOK.with_borrow(|book| match book.mishap.as_str() {
            "save-refuses" => Err("not this time".to_owned()),
            "save-traps" => worker::trap(),
            "save-waits" if in_flight > 0 => Ok(None),
            _ => Ok(Some(book.text().into_bytes())),
        })
    }

    fn load(state: Vec<u8>, _version: String) -> Result<(), String> {
        let book = Book::from_text(&String::from_utf8_lossy(&state)).ok_or("not a book")?;
        match book.mishap.as_str() {
            "load-refuses" => return Err("not this one".to_owned()),
            "load-traps" => worker::trap(),
            _ => {}
        }
        BOOK.set(book);
        Ok(())
    }

    fn self_test() -> Result<(), String> {
        BOOK.with_borrow(|book| if book.mishap == "test-fails" { Err("not well".to_owned()) } else { Ok(()) })
    }
}
