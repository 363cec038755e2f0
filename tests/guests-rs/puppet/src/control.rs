//! The tests' way into an app: a TCP port. One connection carries one order: `ask NAME\nSCRIPT` or `tell NAME\nSCRIPT`, then
//! its end; back comes `ok` with the answer, or `!code: reason`, and the connection closes.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use crate::bindings::exports::wasmactor::actor::handler::Event;
use crate::bindings::wasmactor::actor::socket::{self, SocketEvent};
use crate::bindings::wasmactor::actor::types::Error;
use crate::bindings::wasmactor::actor::{log, messaging, registry};
use crate::format;

#[derive(Default)]
struct Control {
    orders: HashMap<u64, Vec<u8>>,
    /// Who awaits which answer.
    asked: HashMap<u64, u64>,
}

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
    static CONTROL: RefCell<Control> = RefCell::default();
}

pub(crate) fn is_on() -> bool {
    ON.get()
}

pub(crate) fn init() -> Result<(), String> {
    ON.set(true);
    let words = |error: Error| error.reason;
    let listener = socket::listen("127.0.0.1:0").map_err(words)?;
    let at = socket::local(listener).map_err(words)?;
    log::log(log::Level::Info, &format!("control listens at {at}"), &[]);
    Ok(())
}

pub(crate) fn handle(event: Event) -> Result<(), String> {
    CONTROL.with_borrow_mut(|control| control.event(event));
    Ok(())
}

impl Control {
    fn event(&mut self, event: Event) {
        match event {
            Event::Socket(news) => match news.event {
                SocketEvent::Accepted(accepted) => {
                    self.orders.insert(accepted.socket, Vec::new());
                    let _ = socket::start(accepted.socket);
                }
                SocketEvent::Data(bytes) => self.orders.entry(news.socket).or_default().extend(bytes),
                SocketEvent::End => self.order(news.socket),
                SocketEvent::Closed(_) => drop(self.orders.remove(&news.socket)),
                _ => {}
            },
            Event::Reply(reply) => {
                if let Some(socket) = self.asked.remove(&reply.session) {
                    answer(socket, reply.outcome);
                }
            }
            _ => {}
        }
    }

    fn order(&mut self, socket: u64) {
        let order = self.orders.remove(&socket).unwrap_or_default();
        let order = String::from_utf8_lossy(&order);
        let (head, script) = order.split_once('\n').unwrap_or((&order, ""));
        let (verb, name) = head.split_once(' ').unwrap_or((head, ""));
        let Some(to) = name.parse().ok().or_else(|| registry::lookup(name)) else {
            write(socket, &format!("!no-such-actor: no name {name}"));
            return;
        };
        let failed = match verb {
            "ask" => match messaging::request(to, 0, script.as_bytes(), 0, 0) {
                Ok(session) => {
                    self.asked.insert(session, socket);
                    return;
                }
                Err(error) => Err(error),
            },
            _ => messaging::send(to, 0, script.as_bytes()).map(|()| Vec::new()),
        };
        answer(socket, failed);
    }
}

fn answer(socket: u64, outcome: Result<Vec<u8>, Error>) {
    match outcome {
        Ok(payload) => write(socket, &format!("ok{}", String::from_utf8_lossy(&payload))),
        Err(error) => write(socket, &format::error(&error)),
    }
}

fn write(socket: u64, text: &str) {
    let _ = socket::write(socket, text.as_bytes());
    let _ = socket::close(socket);
}
