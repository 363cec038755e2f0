//! A poller on a thread of its own, what it reports in a channel, and helpers for the other side of a connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::base::sync::Mutex;
use crate::net::{Flow, Net, NetEvent, Owner, Poller, Sink, SocketId};

/// Ends a test that hangs; nothing is measured with it.
pub(super) const HANG: Duration = Duration::from_secs(60);
/// The owner in most tests.
pub(super) const ME: Owner = 7;

pub(super) type Reported = (Owner, SocketId, NetEvent);
type Answer = dyn FnMut(&NetEvent) -> Flow + Send;

struct Channel {
    reports: Mutex<Sender<Reported>>,
    answer: Mutex<Box<Answer>>,
}

impl Sink for Channel {
    fn has_room(&self, _: Owner, _: usize) -> bool {
        true
    }

    fn socket(&self, owner: Owner, id: SocketId, event: NetEvent) -> Flow {
        let flow = (self.answer.lock())(&event);
        let _ = self.reports.lock().send((owner, id, event));
        flow
    }
}

pub(super) struct Fixture {
    pub(super) net: Net,
    pub(super) reports: Sender<Reported>,
    events: Receiver<Reported>,
    thread: Option<JoinHandle<()>>,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::answering(|_| Flow::Go)
    }

    /// With a sink that has an opinion.
    pub(super) fn answering(answer: impl FnMut(&NetEvent) -> Flow + Send + 'static) -> Self {
        let (net, poller) = Net::new().unwrap();
        Self::running(net, poller, answer)
    }

    /// With a poller that the test has changed.
    pub(super) fn running(net: Net, poller: Poller, answer: impl FnMut(&NetEvent) -> Flow + Send + 'static) -> Self {
        let (reports, events) = channel();
        let sink = Channel { reports: Mutex::new(reports.clone()), answer: Mutex::new(Box::new(answer)) };
        let thread = std::thread::spawn(move || poller.run(&sink).unwrap());
        Self { net, reports, events, thread: Some(thread) }
    }

    /// The next report.
    #[track_caller]
    pub(super) fn next(&self) -> Reported {
        self.events.recv_timeout(HANG).expect("nothing was reported")
    }

    /// The next report, which must be of this socket and [`ME`].
    #[track_caller]
    pub(super) fn next_of(&self, id: SocketId) -> NetEvent {
        let (owner, socket, event) = self.next();
        assert_eq!((owner, socket), (ME, id), "{event:?}");
        event
    }

    /// Whether nothing was reported so far.
    pub(super) fn quiet(&self) -> bool {
        self.events.try_recv().is_err()
    }

    /// A listener on a free port.
    pub(super) fn listen(&self) -> (SocketId, SocketAddr) {
        self.net.listen(ME, "127.0.0.1:0".parse().unwrap()).unwrap()
    }

    /// An accepted socket and the client at its other side.
    pub(super) fn pair(&self) -> (SocketId, TcpStream) {
        let (listener, at) = self.listen();
        let client = client(at);
        let NetEvent::Accepted { socket, peer } = self.next_of(listener) else { panic!("not accepted") };
        assert_eq!(peer, client.local_addr().unwrap());
        self.net.close(ME, listener).unwrap();
        assert_eq!(self.next_of(listener), NetEvent::Closed { reason: None });
        (socket, client)
    }

    /// Gathers so many bytes of data.
    #[track_caller]
    pub(super) fn gather(&self, id: SocketId, size: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < size {
            match self.next_of(id) {
                NetEvent::Data(data) => {
                    assert!(!data.is_empty());
                    all.extend_from_slice(&data);
                }
                other => panic!("{other:?} after {} bytes", all.len()),
            }
        }
        all
    }

    /// Waits until the poller has served everything that was asked of it: closing a fresh listener goes through it.
    pub(super) fn settle(&self) -> Vec<Reported> {
        let (probe, _) = self.listen();
        self.net.close(ME, probe).unwrap();
        let mut before = Vec::new();
        loop {
            match self.next() {
                (_, id, NetEvent::Closed { reason: None }) if id == probe => return before,
                other => before.push(other),
            }
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.net.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the poller panicked");
        }
    }
}

/// A client with a hang guard.
pub(super) fn client(at: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(at).unwrap();
    client.set_read_timeout(Some(HANG)).unwrap();
    client.set_write_timeout(Some(HANG)).unwrap();
    client
}

/// Bytes that show a loss, a repetition or a swap: a counter every four bytes.
pub(super) fn pattern(size: usize) -> Vec<u8> {
    (0..u32::try_from(size / 4).unwrap()).flat_map(u32::to_le_bytes).collect()
}

/// Everything until the other side ends.
pub(super) fn read_all(mut from: &TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    from.read_to_end(&mut all).unwrap();
    all
}

/// Writes on a thread, so that the test can look at the receiving side meanwhile.
pub(super) fn send_on_thread(to: &TcpStream, data: Vec<u8>) -> JoinHandle<()> {
    let mut to = to.try_clone().unwrap();
    std::thread::spawn(move || to.write_all(&data).unwrap())
}

/// Runs one test in a process of its own, under another limit of open files: the limit is the whole process's. True in
/// that process; the caller does its test then.
pub(super) fn in_child_with_files(limit: u32, test: &str) -> bool {
    const MARK: &str = "WASMACTOR_NET_TEST_CHILD";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let module = module_path!().split_once("::").unwrap().1.rsplit_once("::").unwrap().0;
    let output = Command::new("sh")
        .args(["-c", "ulimit -n \"$1\" && shift && exec \"$@\"", "sh", &limit.to_string()])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::{test}"), "--nocapture"])
        .env(MARK, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "the child ran another test:\n{text}");
    false
}
