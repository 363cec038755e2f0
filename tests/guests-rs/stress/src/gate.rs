//! The listener, and the actor of each connection.
//!
//! A client sends lines `NUMBER OPERATION…`; each is asked of a worker, and comes back as a line `NUMBER ok`, or `NUMBER !`
//! and an error's code. When the client has shut down its side and all is answered there comes `bye`, and the end.

use crate::bindings::exports::wasmactor::actor::handler::Event;
use crate::bindings::wasmactor::actor::lifecycle;
use crate::bindings::wasmactor::actor::socket::{self, SocketEvent};
use crate::bindings::wasmactor::actor::types::Error;
use crate::book::Book;

/// How long a connection's actor waits for its connection, in milliseconds: the gate may have ended meanwhile.
const WAIT: u64 = 1000;

pub(crate) fn init(book: &mut Book) -> Result<(), String> {
    let words = |error: Error| error.reason;
    let listener = socket::listen("127.0.0.1:0").map_err(words)?;
    let at = socket::local(listener).map_err(words)?;
    book.record(&format!("l {at}"));
    Ok(())
}

pub(crate) fn init_conn(book: &mut Book) -> Result<(), String> {
    book.timer(WAIT);
    Ok(())
}

pub(crate) fn handle(book: &mut Book, event: Event) -> Result<(), String> {
    match event {
        Event::Socket(news) => match news.event {
            SocketEvent::Accepted(accepted) => match book.spawn("conn", "conn") {
                Ok(birth) => drop(book.pairs.insert(birth, accepted.socket)),
                Err(_) => drop(socket::close(accepted.socket)),
            },
            SocketEvent::Closed(_) => book.pairs.retain(|_, waits| *waits != news.socket),
            _ => {}
        },
        Event::Spawned(spawned) => {
            let waits = book.pairs.remove(&spawned.session);
            match (spawned.outcome, waits) {
                (Ok(conn), Some(waits)) => {
                    if socket::give(waits, conn).is_err() {
                        let _ = lifecycle::kill(conn, "its client is gone");
                        let _ = socket::close(waits);
                    }
                }
                (Ok(conn), None) => drop(lifecycle::kill(conn, "its client is gone")),
                (Err(_), Some(waits)) => drop(socket::close(waits)),
                (Err(_), None) => {}
            }
        }
        _ => {}
    }
    Ok(())
}

pub(crate) fn handle_conn(book: &mut Book, event: Event) -> Result<(), String> {
    match event {
        Event::Socket(news) => match news.event {
            SocketEvent::Given(_) => {
                book.socket = news.socket;
                let _ = socket::start(news.socket);
            }
            SocketEvent::Data(bytes) => lines(book, &String::from_utf8_lossy(&bytes)),
            SocketEvent::End => {
                book.ending = true;
                end(book);
            }
            SocketEvent::Closed(_) => lifecycle::exit("closed"),
            _ => {}
        },
        Event::Reply(reply) => {
            if let Some(number) = book.pairs.remove(&reply.session) {
                let outcome = match reply.outcome {
                    Ok(_) => "ok".to_owned(),
                    Err(error) => format!("!{:?}", error.code),
                };
                write(book, &format!("{number} {outcome}\n"));
            }
            end(book);
        }
        Event::Timeout(_) if book.socket == 0 => lifecycle::exit("nobody came"),
        _ => {}
    }
    Ok(())
}

fn lines(book: &mut Book, text: &str) {
    let text = std::mem::take(&mut book.half) + text;
    let mut lines = text.split('\n');
    book.half = lines.next_back().unwrap_or_default().to_owned();
    for line in lines {
        let Some((number, operation)) = line.split_once(' ') else { continue };
        let Ok(number) = number.parse() else { continue };
        let peer = book.peer();
        match book.ask(peer, operation, 0) {
            Some(session) => drop(book.pairs.insert(session, number)),
            None => write(book, &format!("{number} !refused\n")),
        }
    }
}

/// Whether all is answered, and nothing more comes.
fn end(book: &mut Book) {
    if book.ending && book.pairs.is_empty() {
        write(book, "bye\n");
        let _ = socket::close(book.socket);
    }
}

/// A client that has gone reads nothing.
fn write(book: &Book, text: &str) {
    let _ = socket::write(book.socket, text.as_bytes());
}
