//! The other side: how the command line, or any program in Rust, talks to a host.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use socket2::Socket;

use crate::control::lines::{Lines, NoLine};
use crate::control::protocol::{Command, Nothing, Pong, Problem, Request, Response};

/// A longer answer is none of ours.
const ANSWER_MAX: usize = 1 << 30;

/// How long a host may take to say that it is there. Thin air.
const ALIVE: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The host says no.
    #[error("{0}")]
    Problem(#[from] Problem),
    /// There is no host, or none any more.
    #[error("{0}")]
    Lost(String),
}

/// A connection to a host.
#[derive(Debug)]
pub struct Client {
    lines: Lines,
    token: Option<String>,
    id: u64,
}

impl Client {
    /// To a host's socket.
    pub fn unix(path: &Path) -> io::Result<Self> {
        Self::new(Socket::from(UnixStream::connect(path)?), None)
    }

    /// To a host that listens on TCP.
    pub fn tcp(at: SocketAddr, token: String) -> io::Result<Self> {
        Self::new(Socket::from(TcpStream::connect(at)?), Some(token))
    }

    fn new(socket: Socket, token: Option<String>) -> io::Result<Self> {
        Ok(Self { lines: Lines::new(socket, ANSWER_MAX)?, token, id: 0 })
    }

    /// Asks which host this is. One that does not answer in some seconds (its process may be stopped) is none.
    pub fn ping(&mut self) -> Result<Pong, Failure> {
        let lost = |error: io::Error| Failure::Lost(error.to_string());
        self.lines.within(Some(ALIVE)).map_err(lost)?;
        let pong = self.get(Command::Ping(Nothing {}))?;
        self.lines.within(None).map_err(lost)?;
        Ok(pong)
    }

    /// Asks, and waits for the answer.
    pub fn ask(&mut self, command: Command) -> Result<Value, Failure> {
        self.id += 1;
        let request = Request { id: self.id, token: self.token.clone(), command };
        // A host that turns its clients away has said why before it ends the connection: so it is read in any case.
        let sent = self.lines.send(&request.line());
        let response = self.next().map_err(|lost| match sent {
            Err(error) => Failure::Lost(format!("the host does not listen: {error}")),
            Ok(()) => lost,
        })?;
        match (response.error, response.ok) {
            (Some(problem), _) => Err(problem.into()),
            (None, Some(value)) if response.id == self.id => Ok(value),
            _ => Err(Failure::Lost("the host does not speak this protocol".to_owned())),
        }
    }

    /// The same, as what it should be.
    pub fn get<T: DeserializeOwned>(&mut self, command: Command) -> Result<T, Failure> {
        let value = self.ask(command)?;
        serde_json::from_value(value).map_err(|error| Failure::Lost(format!("another host's answer: {error}")))
    }

    /// Asks for a stream: `take` gets each event, and says whether it wants another one. None: it did not.
    pub fn stream(&mut self, command: Command, mut take: impl FnMut(Value) -> bool) -> Result<Option<Value>, Failure> {
        self.id += 1;
        let request = Request { id: self.id, token: self.token.clone(), command };
        self.lines
            .send(&request.line())
            .map_err(|error| Failure::Lost(format!("the host does not listen: {error}")))?;
        loop {
            let response = self.next()?;
            match (response.event, response.error) {
                (_, Some(problem)) => return Err(problem.into()),
                (Some(event), None) => {
                    if !take(event) {
                        return Ok(None);
                    }
                }
                (None, None) => return Ok(response.ok),
            }
        }
    }

    fn next(&mut self) -> Result<Response, Failure> {
        let line = self.lines.next().map_err(|fault| {
            Failure::Lost(match fault {
                NoLine::End => "the host has ended the connection".to_owned(),
                NoLine::TooLong => "the answer has no end".to_owned(),
                NoLine::Io(error) => format!("the host is gone: {error}"),
            })
        })?;
        serde_json::from_slice(&line).map_err(|error| Failure::Lost(format!("this is no host's answer: {error}")))
    }

    /// Waits until the host has ended.
    pub fn wait_end(&mut self) {
        while self.next().is_ok() {}
    }
}
