//! Clients of an echo server: one thread, many connections, each with one request on the way (closed loop). Used by the
//! workload `tcp_echo`.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::stats::nanos;

/// Without any answer for so long, something is broken.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to do.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) at: SocketAddr,
    pub(crate) connections: usize,
    /// Size of a request and of its answer. Small enough for a socket's buffer.
    pub(crate) bytes: usize,
    /// Requests of this time do not count.
    pub(crate) warm_up: Duration,
    /// How many count.
    pub(crate) requests: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) took: Duration,
    /// Nanoseconds of each request.
    pub(crate) latencies: Vec<u64>,
}

struct Connection {
    stream: TcpStream,
    /// Bytes of the answer that are still to come.
    missing: usize,
    asked: Instant,
}

impl Run {
    pub(crate) fn run(&self) -> Result<Done> {
        let mut poll = Poll::new().context("no poll descriptor")?;
        let mut events = Events::with_capacity(1024);
        let request = vec![b'x'; self.bytes];
        let mut connections = (0..self.connections).map(|_| self.connect()).collect::<Result<Vec<_>>>()?;
        for (index, connection) in connections.iter_mut().enumerate() {
            poll.registry().register(&mut connection.stream, Token(index), Interest::READABLE)?;
            connection.ask(&request)?;
        }
        let mut done = Done::default();
        let mut started = Instant::now() + self.warm_up;
        let mut counting = false;
        let mut buffer = vec![0; self.bytes.max(4096)];
        loop {
            poll.poll(&mut events, Some(PATIENCE)).context("poll")?;
            if events.is_empty() {
                bail!("the echo server has not answered for {PATIENCE:?}");
            }
            for event in &events {
                let connection = &mut connections[event.token().0];
                let Some(latency) = connection.answer(&mut buffer)? else { continue };
                if counting {
                    done.latencies.push(nanos(latency));
                } else if Instant::now() >= started {
                    (counting, started) = (true, Instant::now());
                }
                connection.ask(&request)?;
            }
            if done.latencies.len() as u64 >= self.requests {
                done.took = started.elapsed();
                return Ok(done);
            }
        }
    }

    fn connect(&self) -> Result<Connection> {
        // Blocking connects keep the set-up simple.
        let stream = std::net::TcpStream::connect_timeout(&self.at, PATIENCE).context("connect")?;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream: TcpStream::from_std(stream), missing: self.bytes, asked: Instant::now() })
    }
}

impl Connection {
    fn ask(&mut self, request: &[u8]) -> Result<()> {
        (self.asked, self.missing) = (Instant::now(), request.len());
        let written = self.stream.write(request).context("write")?;
        if written < request.len() {
            bail!("the socket took {written} of {} bytes", request.len());
        }
        Ok(())
    }

    /// Reads what is there. Some: the answer is complete, and took so long.
    fn answer(&mut self, buffer: &mut [u8]) -> Result<Option<Duration>> {
        while self.missing > 0 {
            match self.stream.read(buffer) {
                Ok(0) => bail!("the echo server closed a connection"),
                Ok(read) if read > self.missing => bail!("more came back than was sent"),
                Ok(read) => self.missing -= read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error).context("read"),
            }
        }
        Ok(Some(self.asked.elapsed()))
    }
}
