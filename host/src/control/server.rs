//! Who may come in, and how many: one thread that accepts, and one for each client. Started by `boot`.
//!
//! Must hold: over TCP nothing is done without the token. A client has its thread for itself: one that is slow, silent or
//! waits for an actor holds up no other. There are at most [`CLIENTS`].

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use socket2::Socket;

use crate::base::sync::atomic::{AtomicU64, Ordering};
use crate::base::sync::{Arc, Mutex};
use crate::control::lines::{Lines, NoLine};
use crate::control::protocol::{self, Answer, LINE_MAX, Problem, Request, response};
use crate::control::{Host, commands, metrics, place};
use crate::threads::{prompt, try_thread};

/// Clients at a time. Thin air: each may hold a thread and a line.
const CLIENTS: usize = 64;

const STOP: Token = Token(usize::MAX);

/// Where to listen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// In the user's folder, where clients look.
    pub found: bool,
    /// A socket at this path.
    pub socket: Option<PathBuf>,
    /// TCP, and the file of its token.
    pub tcp: Option<(SocketAddr, PathBuf)>,
    /// Figures for Prometheus, which anybody on this machine may read.
    pub metrics: Option<SocketAddr>,
}

/// A file that was made for the time of the host.
#[derive(Debug)]
struct Made {
    path: PathBuf,
    inode: u64,
}

impl Made {
    fn new(path: PathBuf) -> io::Result<Self> {
        let inode = std::fs::symlink_metadata(&path)?.ino();
        Ok(Self { path, inode })
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // Somebody else may have put another one there.
        if std::fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            drop(place::remove(&self.path));
        }
    }
}

/// The clients of now, to end them with the host.
type Clients = Arc<Mutex<Vec<(u64, Socket)>>>;

/// One place where clients come in.
#[derive(Debug)]
struct Door {
    socket: Socket,
    behind: Behind,
}

/// What there is behind a door.
#[derive(Clone, Debug)]
enum Behind {
    /// Requests; with a token, of those who know it.
    Control(Option<Arc<str>>),
    Metrics,
}

/// See the file's head.
#[derive(Debug)]
pub struct Server {
    waker: Waker,
    thread: Option<JoinHandle<()>>,
    clients: Clients,
    _made: Vec<Made>,
}

impl Server {
    /// Opens the doors. Errors: what cannot be had, in words.
    pub fn start(host: Host, endpoints: &Endpoints) -> Result<Self, String> {
        let (doors, made) = open(&host.app, endpoints)?;
        let words = |error: io::Error| format!("the control thread: {error}");
        let poll = Poll::new().map_err(words)?;
        let waker = Waker::new(poll.registry(), STOP).map_err(words)?;
        for (index, door) in doors.iter().enumerate() {
            door.socket.set_nonblocking(true).map_err(words)?;
            let descriptor: RawFd = door.socket.as_raw_fd();
            poll.registry().register(&mut SourceFd(&descriptor), Token(index), Interest::READABLE).map_err(words)?;
        }
        let clients = Clients::default();
        let accepting = Accepting { host: Arc::new(host), doors, clients: clients.clone(), next: AtomicU64::new(0) };
        let thread = try_thread("wa-control".into(), move || accepting.run(poll)).map_err(words)?;
        Ok(Self { waker, thread: Some(thread), clients, _made: made })
    }

    /// Lets nobody in any more, ends all connections, and removes the socket. Threads of clients that wait for an actor end
    /// with that.
    pub fn stop(mut self) {
        if self.waker.wake().is_ok()
            && let Some(thread) = self.thread.take()
        {
            // It cannot unwind, so there is no error to lose.
            drop(thread.join());
        }
        for (_, socket) in self.clients.lock().drain(..) {
            drop(socket.shutdown(Shutdown::Both));
        }
    }
}

fn open(app: &str, endpoints: &Endpoints) -> Result<(Vec<Door>, Vec<Made>), String> {
    let (mut doors, mut made) = (Vec::new(), Vec::new());
    let mut unix = |path: &Path| {
        let listener = place::bind(path).and_then(|listener| Ok((listener, Made::new(path.to_owned())?)));
        let (listener, file) = listener.map_err(|error| format!("the control socket {}: {error}", path.display()))?;
        doors.push(Door { socket: Socket::from(listener), behind: Behind::Control(None) });
        made.push(file);
        Ok::<(), String>(())
    };
    if let Some(path) = &endpoints.socket {
        unix(path)?;
    }
    if endpoints.found {
        let folder = place::folder();
        let entry = place::entry(&folder, app);
        place::prepare(&folder).map_err(|error| format!("the folder of the control socket: {error}"))?;
        match &endpoints.socket {
            None => unix(&entry)?,
            Some(path) => made.push(link(path, entry)?),
        }
    }
    if let Some((at, file)) = &endpoints.tcp {
        let token = place::token_or_new(file).map_err(|error| format!("the token {}: {error}", file.display()))?;
        doors.push(Door { socket: tcp(*at)?, behind: Behind::Control(Some(token.into())) });
    }
    if let Some(at) = endpoints.metrics {
        doors.push(Door { socket: tcp(at)?, behind: Behind::Metrics });
    }
    Ok((doors, made))
}

fn tcp(at: SocketAddr) -> Result<Socket, String> {
    let listener = TcpListener::bind(at).map_err(|error| format!("control cannot listen on {at}: {error}"))?;
    Ok(Socket::from(listener))
}

/// The way to a socket that lies elsewhere.
fn link(path: &Path, entry: PathBuf) -> Result<Made, String> {
    let words = |error: io::Error| format!("the link to the control socket {}: {error}", entry.display());
    let path = std::path::absolute(path).map_err(words)?;
    place::remove(&entry).map_err(words)?;
    std::os::unix::fs::symlink(path, &entry).map_err(words)?;
    Made::new(entry.clone()).map_err(words)
}

struct Accepting {
    host: Arc<Host>,
    doors: Vec<Door>,
    clients: Clients,
    next: AtomicU64,
}

impl Accepting {
    fn run(&self, mut poll: Poll) {
        prompt();
        let mut events = Events::with_capacity(8);
        // The machine may have no descriptor for a moment. Thin air.
        const PAUSE: Duration = Duration::from_millis(50);
        loop {
            if let Err(error) = poll.poll(&mut events, None)
                && error.kind() != io::ErrorKind::Interrupted
            {
                return tracing::error!(target: "wasmactor", "the control endpoint is gone: {error}");
            }
            for event in &events {
                let Some(door) = self.doors.get(event.token().0) else { return };
                // Edges: all that wait.
                let fault = loop {
                    match door.socket.accept() {
                        Ok((socket, _)) => self.admit(socket, door.behind.clone()),
                        Err(fault) => break fault,
                    }
                };
                if fault.kind() != io::ErrorKind::WouldBlock {
                    tracing::warn!(target: "wasmactor", "a control client cannot come in: {fault}");
                    std::thread::sleep(PAUSE);
                    // Another edge, for those that still wait.
                    let descriptor: RawFd = door.socket.as_raw_fd();
                    let again =
                        poll.registry().reregister(&mut SourceFd(&descriptor), event.token(), Interest::READABLE);
                    if let Err(error) = again {
                        return tracing::error!(target: "wasmactor", "the control endpoint is gone: {error}");
                    }
                }
            }
        }
    }

    fn admit(&self, mut socket: Socket, behind: Behind) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let full = {
            let mut clients = self.clients.lock();
            let full = clients.len() >= CLIENTS;
            if let Some(socket) = socket.try_clone().ok().filter(|_| !full) {
                clients.push((number, socket));
            }
            full
        };
        if full {
            let words = format!("{CLIENTS} clients are connected: more are not served");
            let line = response(0, &Err(Problem::new(Problem::BUSY, words)));
            // It fits into the empty buffer of a new socket; if not, the end says enough.
            drop(socket.set_nonblocking(true).and_then(|()| socket.send(line.as_bytes())));
            return;
        }
        let (host, clients) = (self.host.clone(), self.clients.clone());
        let serve = move || {
            prompt();
            match behind {
                Behind::Control(token) => {
                    if let Ok(mut lines) = Lines::new(socket, LINE_MAX) {
                        serve(&host, &mut lines, token.as_deref());
                    }
                }
                // A client that went away wanted no more.
                Behind::Metrics => drop(metrics::serve(&host, &mut socket)),
            }
            clients.lock().retain(|(other, _)| *other != number);
        };
        if let Err(error) = try_thread(format!("wa-control-{number}"), serve) {
            tracing::warn!(target: "wasmactor", "the operating system gives no thread for a control client: {error}");
            self.clients.lock().retain(|(other, _)| *other != number);
        }
    }
}

/// Where a command's events go before its answer.
pub(super) struct Outlet<'a> {
    lines: &'a mut Lines,
    id: u64,
}

impl Outlet<'_> {
    /// Sends an event. Errors: the client is gone, or too slow.
    pub(super) fn event(&mut self, event: &impl serde::Serialize) -> io::Result<()> {
        let line = protocol::event(self.id, event).map_err(io::Error::other)?;
        self.lines.send(&line)
    }

    /// Whether the client wants no more.
    pub(super) fn is_over(&self) -> bool {
        self.lines.speaks()
    }
}

/// All requests of one client, one after the other.
fn serve(host: &Host, lines: &mut Lines, token: Option<&str>) {
    loop {
        let line = match lines.next() {
            Ok(line) => line,
            Err(NoLine::End | NoLine::Io(_)) => return,
            Err(NoLine::TooLong) => {
                let words = format!("a line may have {LINE_MAX} bytes");
                drop(lines.send(&response(0, &Err(Problem::new(Problem::BAD_REQUEST, words)))));
                return lines.drain();
            }
        };
        let (id, answer) = match Request::parse(&line) {
            Err((id, problem)) => (id, Err(problem)),
            Ok(request) if !knows(token, request.token.as_deref()) => {
                let words = "this door needs the token of the host's token file, in `token`";
                drop(lines.send(&response(request.id, &Err(Problem::new(Problem::UNAUTHORIZED, words)))));
                return lines.drain();
            }
            Ok(request) => (request.id, commands::answer(host, request.command, &mut Outlet { lines, id: request.id })),
        };
        if send(lines, id, &answer).is_err() {
            return;
        }
    }
}

fn send(lines: &mut Lines, id: u64, answer: &Answer) -> io::Result<()> {
    lines.send(&response(id, answer))
}

/// Whether this is the token, found out in a time that does not tell how much of it is right.
fn knows(token: Option<&str>, given: Option<&str>) -> bool {
    let Some(token) = token else { return true };
    let given = given.unwrap_or_default();
    let differ = token.bytes().zip(given.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    token.len() == given.len() && differ == 0
}

#[cfg(test)]
mod tests {
    use super::knows;

    #[test]
    fn only_the_token_opens() {
        assert!(knows(None, None) && knows(None, Some("x")) && knows(Some("secret"), Some("secret")));
        for given in [None, Some(""), Some("secre"), Some("secret2"), Some("Secret")] {
            assert!(!knows(Some("secret"), given), "{given:?}");
        }
    }
}
