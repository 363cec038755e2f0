//! The witness hands what it is told to whoever is connected: a line `s ADDRESS`, then that actor's records. A request for
//! it (`y N`) becomes a line there, so that its asker knows that all that came before has come. A judge decides for a
//! supervisor, by chance; now and then it says nothing.

use crate::RECORDS;
use crate::bindings::exports::wasmactor::actor::handler::Event;
use crate::bindings::wasmactor::actor::lifecycle::{self, Decision};
use crate::bindings::wasmactor::actor::socket::{self, SocketEvent};
use crate::bindings::wasmactor::actor::{log, messaging, types::Error};
use crate::book::Book;

pub(crate) fn init() -> Result<(), String> {
    let words = |error: Error| error.reason;
    let listener = socket::listen("127.0.0.1:0").map_err(words)?;
    let at = socket::local(listener).map_err(words)?;
    log::log(log::Level::Info, &format!("witness listens at {at}"), &[]);
    Ok(())
}

pub(crate) fn handle(book: &mut Book, event: Event) -> Result<(), String> {
    let words = |error: Error| error.reason;
    match event {
        Event::Socket(news) => {
            if let SocketEvent::Accepted(accepted) = news.event {
                book.socket = accepted.socket;
                let before = std::mem::take(&mut book.half);
                socket::write(book.socket, before.as_bytes()).map_err(words)?;
            }
        }
        Event::Message(message) => {
            let text = String::from_utf8_lossy(&message.payload);
            if message.kind == RECORDS {
                let lines = format!("s {}\n{text}", message.source);
                if book.socket == 0 {
                    book.half += &lines;
                } else {
                    socket::write(book.socket, lines.as_bytes()).map_err(words)?;
                }
            } else {
                socket::write(book.socket, format!("{text}\n").as_bytes()).map_err(words)?;
                messaging::ret(b"done").map_err(words)?;
            }
        }
        _ => {}
    }
    Ok(())
}

pub(crate) fn judge(book: &mut Book, event: &Event) -> Result<(), String> {
    if let Event::Down(down) = event {
        let decision = match book.random(4) {
            0 => return Ok(()),
            1 => Decision::Restart,
            _ => Decision::Policy,
        };
        // Its time may be over.
        let _ = lifecycle::decide(down.watch, decision);
    }
    Ok(())
}
