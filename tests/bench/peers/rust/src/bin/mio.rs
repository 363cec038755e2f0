//! The system `mio`: an echo server that is nothing but a poll loop on one thread. The limit for `tcp-echo`, which is the
//! only workload it has.

use std::io::{ErrorKind, Read, Result, Write};
use std::process::ExitCode;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use wasmactor_bench_peers::{Case, Sample};

const LISTENER: Token = Token(usize::MAX - 1);

fn main() -> ExitCode {
    wasmactor_bench_peers::main(run)
}

fn run(case: Case) -> Option<Vec<Sample>> {
    if case.workload != "tcp-echo" {
        return None;
    }
    std::thread::spawn(|| serve().expect("serves"));
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).expect("stdin can be read");
    Some(Vec::new())
}

fn serve() -> Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
    println!("PORT {}", listener.local_addr()?.port());
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    let free = connections.iter().position(Option::is_none).unwrap_or(connections.len());
                    let interests = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut stream, Token(free), interests)?;
                    let connection = Some(Connection { stream, unsent: Vec::new() });
                    if free == connections.len() {
                        connections.push(connection)
                    } else {
                        connections[free] = connection
                    }
                }
                continue;
            }
            let place = &mut connections[event.token().0];
            if place.as_mut().is_some_and(|connection| connection.ready(&mut buffer).is_err()) {
                *place = None;
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    /// What the kernel had no room for.
    unsent: Vec<u8>,
}

impl Connection {
    /// Sends back what has come. Errors: the connection is over.
    fn ready(&mut self, buffer: &mut [u8]) -> Result<()> {
        let sent = write(&mut self.stream, &self.unsent)?;
        self.unsent.drain(..sent);
        // The answer's client reads before it asks for more than a socket holds, so `unsent` stays small.
        loop {
            let read = match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let sent = if self.unsent.is_empty() { write(&mut self.stream, &buffer[..read])? } else { 0 };
            self.unsent.extend_from_slice(&buffer[sent..read]);
            if read < buffer.len() {
                return Ok(());
            }
        }
    }
}

/// How much of it the kernel takes.
fn write(stream: &mut TcpStream, data: &[u8]) -> Result<usize> {
    let mut sent = 0;
    while sent < data.len() {
        match stream.write(&data[sent..]) {
            Ok(more) => sent += more,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}
