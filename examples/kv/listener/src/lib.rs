//! The listener: takes connections, starts an actor for each and gives it the socket. It never sees a byte of them. It goes on
//! listening when its module is reloaded.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use wasmactor_sdk::exclusive::Actor;
use wasmactor_sdk::lifecycle::{Birth, kill, spawn_later};
use wasmactor_sdk::{
    Address, Error, Keep, Reply, Result, Sender, Socket, SocketEvent, actor, done, fail, info, socket, warn,
};

/// The module of the connections, in the manifest.
const CONN: &str = "conn";

#[derive(Deserialize)]
struct Args {
    /// `IP:PORT`.
    listen: String,
    stores: usize,
}

/// What a connection is told.
#[derive(Serialize)]
struct ConnArgs {
    stores: usize,
}

struct Listener {
    stores: usize,
    /// Connections whose actors are being started.
    waiting: HashMap<Birth, Socket>,
}

impl Actor for Listener {
    type Args = Args;
    type Message = ();

    fn init(args: Args) -> Result<Self> {
        if args.stores == 0 {
            fail!("args: stores must be at least 1");
        }
        let listener = socket::listen(&args.listen)?;
        info!("listening on {}", listener.local()?);
        Ok(Self { stores: args.stores, waiting: HashMap::new() })
    }

    fn handle(&mut self, (): (), _from: &Sender) -> Result<Reply> {
        done()
    }

    fn socket(&mut self, socket: Socket, event: SocketEvent) -> Result {
        match event {
            SocketEvent::Accepted { socket, peer } => {
                match spawn_later(CONN, None, &ConnArgs { stores: self.stores }) {
                    Ok(birth) => {
                        self.waiting.insert(birth, socket);
                    }
                    Err(error) => refuse(socket, &format!("{error} (client {peer})")),
                }
            }
            SocketEvent::Closed(reason) => {
                // One of a client that did not wait, or the listening one.
                self.waiting.retain(|_, waiting| *waiting != socket);
                if !reason.is_empty() {
                    warn!("a socket was closed: {reason}");
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn spawned(&mut self, birth: Birth, outcome: Result<Address, Error>) -> Result {
        let socket = self.waiting.remove(&birth);
        match (outcome, socket) {
            (Ok(conn), Some(socket)) => {
                if let Err(error) = socket.give(conn) {
                    kill(conn, "its client is gone")?;
                    refuse(socket, &error.to_string());
                }
            }
            (Ok(conn), None) => kill(conn, "its client is gone")?,
            (Err(error), Some(socket)) => refuse(socket, &error.to_string()),
            (Err(error), None) => warn!("cannot start a connection's actor: {error}"),
        }
        Ok(())
    }
}

/// Its sockets stay: the one that listens, and those that wait.
impl Keep for Listener {
    type State = (usize, HashMap<Birth, Socket>);

    /// Births under way are a part of the state.
    fn ready(&self, _in_flight: u32) -> bool {
        true
    }

    fn save(&self) -> Result<Self::State> {
        Ok((self.stores, self.waiting.clone()))
    }

    fn load((stores, waiting): Self::State, _version: &str) -> Result<Self> {
        Ok(Self { stores, waiting })
    }
}

/// Tells a client that it cannot be served. If its socket is closed already nobody is left to tell.
fn refuse(socket: Socket, why: &str) {
    warn!("cannot serve a connection: {why}");
    let _ = socket.write(b"-ERR cannot start an actor for this connection\r\n");
    let _ = socket.close();
}

actor!(Listener, state);
