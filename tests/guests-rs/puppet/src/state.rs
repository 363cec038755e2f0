//! What a puppet remembers, and what it does when something happens.
//!
//! An event other than a message runs the script that `on EVENT {…}` has set, with `$session` and `$text`; without one it
//! becomes a line of the log, `EVENT TEXT`.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::bindings::exports::wasmactor::actor::handler::Event;
use crate::bindings::wasmactor::actor::socket::{self, SocketEvent};
use crate::bindings::wasmactor::actor::{log, messaging, types::Error};
use crate::{format, script};

#[derive(Default)]
pub(crate) struct State {
    pub(crate) values: HashMap<String, String>,
    pub(crate) on: HashMap<String, String>,
    /// What `note` has kept.
    pub(crate) notes: Vec<String>,
    /// Bytes that came by sockets in `sink` mode.
    pub(crate) received: u64,
    /// Sends back what comes.
    pub(crate) echo: bool,
    pub(crate) sink: bool,
    /// Set by `stop`: the rest of the script is left out.
    pub(crate) failed: Option<String>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

pub(crate) fn with<T>(work: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(work)
}

pub(crate) fn say(text: &str) {
    log::log(log::Level::Info, text, &[]);
}

impl State {
    pub(crate) fn set(&mut self, name: &str, value: impl ToString) {
        self.values.insert(name.to_owned(), value.to_string());
    }

    /// Keeps what an operation ended with.
    pub(crate) fn put<T: ToString>(&mut self, outcome: Result<T, Error>) {
        match outcome {
            Ok(value) => self.set("it", value),
            Err(error) => {
                self.set("it", format::code(error.code));
                self.set("why", error.reason);
            }
        }
    }

    pub(crate) fn event(&mut self, event: Event) -> Result<(), String> {
        if let Event::Message(message) = &event {
            self.set("from", message.source);
            self.set("session", message.session);
            self.set("kind", message.kind);
            return self.run(&String::from_utf8_lossy(&message.payload));
        }
        if let Event::Socket(news) = &event {
            match &news.event {
                SocketEvent::Data(bytes) if self.echo => {
                    return socket::write(news.socket, bytes).map(drop).map_err(|error| error.reason);
                }
                SocketEvent::End if self.echo => return socket::close(news.socket).map_err(|error| error.reason),
                SocketEvent::Data(bytes) if self.sink => {
                    self.received += bytes.len() as u64;
                    return Ok(());
                }
                _ => {}
            }
        }
        let (kind, session, text) = format::event(&event);
        self.set("session", session);
        if let SocketEvent::Accepted(accepted) = &(match &event {
            Event::Socket(news) => news.event.clone(),
            _ => SocketEvent::End,
        }) {
            self.set("new", accepted.socket);
        }
        self.set("text", &text);
        match self.on.get(kind).cloned() {
            Some(script) => self.run(&script),
            None => {
                say(format!("{kind} {text}").trim_end());
                Ok(())
            }
        }
    }

    pub(crate) fn run(&mut self, text: &str) -> Result<(), String> {
        for words in script::statements(text) {
            let value = |name: &str| match name {
                "notes" => Some(self.notes.join(",")),
                "received" => Some(self.received.to_string()),
                "self" => Some(messaging::self_().to_string()),
                name => self.values.get(name).cloned(),
            };
            let words: Vec<String> = words
                .iter()
                .map(|word| script::filled(&word.text, if word.braced { '%' } else { '$' }, value))
                .collect();
            self.op(&words)?;
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
        }
        Ok(())
    }
}
