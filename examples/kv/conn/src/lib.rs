//! A connection: an actor that serves one client. The listener gives it the socket; it asks the stores and writes the
//! replies. What it does is in [`session`], without actors; here is what ties that to the host.
//!
//! What always holds: it ends when its socket does, and goes on with it when its module is reloaded.

mod commands;
mod local;
mod round;
mod session;
mod set;

use kv_wire::BATCH;
use serde::{Deserialize, Serialize};
use session::{Io, Session};
use std::time::Duration;
use wasmactor_sdk::exclusive::{Actor, Asked};
use wasmactor_sdk::{
    Address, Error, ErrorCode, Keep, Reply, Result, Sender, Socket, SocketEvent, Timer, actor, done, exit, fail, names,
    timer,
};

/// A connection that got no socket after this time never will: its listener is gone.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Args {
    /// How many stores there are: `.store.0` and so on, or `.store` if there is only one.
    stores: usize,
}

struct Conn {
    session: Session,
    link: Link,
    patience: Timer,
}

/// The session's ways out.
#[derive(Clone, Serialize, Deserialize)]
struct Link {
    socket: Option<Socket>,
    /// The stores' addresses, as far as they are known.
    stores: Vec<Option<Address>>,
    /// Requests under way, and their stores.
    asked: Vec<(Asked, usize)>,
}

impl Actor for Conn {
    type Args = Args;
    type Message = ();

    fn init(args: Args) -> Result<Self> {
        let stores = args.stores.max(1);
        let id = i64::try_from(Address::own().get()).unwrap_or(i64::MAX);
        Ok(Self {
            session: Session::new(stores, id, wall),
            link: Link { socket: None, stores: vec![None; stores], asked: Vec::new() },
            patience: Timer::after(PATIENCE),
        })
    }

    fn handle(&mut self, (): (), _from: &Sender) -> Result<Reply> {
        done()
    }

    fn socket(&mut self, socket: Socket, event: SocketEvent) -> Result {
        match event {
            SocketEvent::Given(_) => {
                self.patience.cancel();
                self.link.socket = Some(socket);
                socket.start()?;
            }
            SocketEvent::Data(bytes) => self.session.data(bytes, &mut self.link),
            SocketEvent::Backlog(0) => self.session.drained(&mut self.link),
            SocketEvent::Backlog(_) => {}
            SocketEvent::End => self.session.end(&mut self.link),
            SocketEvent::Closed(reason) => exit(&reason),
            // It neither listens nor connects.
            SocketEvent::Connected(_) | SocketEvent::Accepted { .. } => {}
        }
        Ok(())
    }

    fn answer(&mut self, request: Asked, outcome: Result<Vec<u8>, Error>) -> Result {
        let Some(place) = self.link.asked.iter().position(|(asked, _)| *asked == request) else { return Ok(()) };
        let (_, store) = self.link.asked.swap_remove(place);
        if let Err(error) = &outcome
            && is_gone(error)
        {
            // A new one may have the name by now.
            self.link.stores[store] = None;
        }
        self.session.answer(store, outcome.map_err(|error| error.to_string()), &mut self.link);
        Ok(())
    }

    fn timeout(&mut self, _timer: Timer) -> Result {
        if self.link.socket.is_none() {
            exit("no socket came");
        }
        Ok(())
    }
}

/// Its socket, timer and requests stay its own.
#[derive(Serialize, Deserialize)]
struct Saved {
    session: session::Saved,
    link: Link,
    patience: Timer,
}

impl Keep for Conn {
    type State = Saved;

    /// Requests under way are a part of the state.
    fn ready(&self, _in_flight: u32) -> bool {
        true
    }

    fn save(&self) -> Result<Saved> {
        Ok(Saved { session: self.session.save(), link: self.link.clone(), patience: self.patience })
    }

    fn load(saved: Saved, version: &str) -> Result<Self> {
        let Some(session) = Session::load(saved.session, wall) else {
            fail!("what version {version} has saved is no session");
        };
        Ok(Self { session, link: saved.link, patience: saved.patience })
    }
}

impl Io for Link {
    fn request(&mut self, store: usize, batch: &[u8]) -> Result<(), String> {
        let known = self.stores[store];
        let address = known.map_or_else(|| self.find(store), Ok);
        let asked = address.and_then(|address| ask(address, batch));
        let asked = match asked {
            Err(error) if known.is_some() && is_gone(&error) => {
                self.find(store).and_then(|address| ask(address, batch))
            }
            asked => asked,
        };
        self.asked.push((asked.map_err(|error| error.to_string())?, store));
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> u64 {
        // An error means that the socket is closed, of which an event tells.
        self.socket.and_then(|socket| socket.write(bytes).ok()).unwrap_or(0)
    }

    fn read(&mut self, on: bool) {
        if let Some(socket) = self.socket {
            // As above.
            let _ = if on { socket.start() } else { socket.pause() };
        }
    }

    fn close(&mut self) {
        if let Some(socket) = self.socket {
            // As above.
            let _ = socket.close();
        }
    }
}

impl Link {
    fn find(&mut self, store: usize) -> Result<Address, Error> {
        let name = if self.stores.len() == 1 { ".store".to_owned() } else { format!(".store.{store}") };
        let address = names::lookup(&name)?;
        self.stores[store] = Some(address);
        Ok(address)
    }
}

fn ask(store: Address, batch: &[u8]) -> Result<Asked, Error> {
    store.request_raw(BATCH, batch, None)
}

fn is_gone(error: &Error) -> bool {
    matches!(error.code, ErrorCode::NoSuchActor | ErrorCode::ActorFailed | ErrorCode::ActorExited)
}

/// Milliseconds since 1970.
fn wall() -> u64 {
    u64::try_from(timer::wall().as_millis()).unwrap_or(u64::MAX)
}

actor!(Conn, state);
