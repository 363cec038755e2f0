//! `/metrics`: figures as Prometheus reads them, over HTTP, at the address that app.toml gives. Used by the server.
//!
//! Must hold: a label's text cannot end it, whatever an actor or a module is called. There is nothing about single actors:
//! there may be a million; `wasmactor ps` shows those.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use socket2::Socket;

use crate::base::histogram::Counts;
use crate::control::Host;
use crate::node::{Node, State};

/// Longest head of a request in bytes.
const HEAD_MAX: usize = 8 << 10;
/// Headers that a request may have.
const HEADERS: usize = 64;
/// How long a client may take to ask, and to read.
const PATIENCE: Duration = Duration::from_secs(10);
/// Buckets of histograms end at the powers of two between these, in nanoseconds: 1 µs to 69 s.
const BUCKETS: std::ops::RangeInclusive<u32> = 10..=36;

/// Serves one request.
pub(super) fn serve(host: &Host, socket: &mut Socket) -> io::Result<()> {
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let Some(path) = asked(socket)? else { return Ok(()) };
    let (status, body) = match path {
        Asked::Get(path) if path == "/metrics" => ("200 OK", text(host)),
        Asked::Get(_) => ("404 Not Found", "there is only /metrics\n".to_owned()),
        Asked::Other => ("405 Method Not Allowed", "only GET\n".to_owned()),
        Asked::Bad => ("400 Bad Request", "this is no HTTP\n".to_owned()),
    };
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    socket.write_all(head.as_bytes())?;
    socket.write_all(body.as_bytes())
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Get(String),
    Other,
    Bad,
}

/// Reads the head of a request. None: the client went away.
fn asked(socket: &mut impl io::Read) -> io::Result<Option<Asked>> {
    let mut came = Vec::new();
    let mut chunk = [0; 1024];
    while came.len() < HEAD_MAX {
        let read = socket.read(&mut chunk)?;
        if read == 0 {
            return Ok(None);
        }
        came.extend_from_slice(&chunk[..read]);
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&came) {
            Ok(httparse::Status::Partial) => {}
            Ok(httparse::Status::Complete(_)) => {
                let path = request.path.map(|path| path.split('?').next().unwrap_or_default().to_owned());
                return Ok(Some(match (request.method, path) {
                    (Some("GET"), Some(path)) => Asked::Get(path),
                    _ => Asked::Other,
                }));
            }
            Err(_) => return Ok(Some(Asked::Bad)),
        }
    }
    Ok(Some(Asked::Bad))
}

/// Metrics under construction.
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ok = write!(self.0, "# HELP wasmactor_{name} {help}\n# TYPE wasmactor_{name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ok = writeln!(self.0, "wasmactor_{name}{labels} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// A histogram in seconds.
    fn histogram(&mut self, name: &str, label: (&str, &str), counts: &Counts) {
        let bucket = format!("{name}_bucket");
        let (mut total, mut powers) = (0, BUCKETS.map(|power| 1_u64 << power).peekable());
        for (bound, count) in counts.buckets() {
            total += count;
            if let Some(bound) = bound
                && powers.next_if_eq(&bound).is_some()
            {
                self.sample(&bucket, &[label, ("le", &seconds(bound))], total);
            }
        }
        self.sample(&bucket, &[label, ("le", "+Inf")], total);
        self.sample(&format!("{name}_sum"), &[label], seconds(counts.sum()));
        self.sample(&format!("{name}_count"), &[label], total);
    }
}

/// As label values are quoted.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Nanoseconds as seconds, exact.
fn seconds(nanoseconds: u64) -> String {
    format!("{}.{:09}", nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
}

fn text(host: &Host) -> String {
    let node = &*host.node;
    let mut page = Page(String::new());
    page.family("info", "gauge", "The host: its app and the program's version.");
    page.sample("info", &[("app", &host.app), ("version", env!("CARGO_PKG_VERSION"))], 1);
    page.one("uptime_seconds", "gauge", "Since the host's start.", seconds(node.clock().now_ns()));
    page.one("actors_failed_total", "counter", "Actors of the manifest that ended by a fault.", node.failed());
    actors(node, &mut page);
    sockets(node, &mut page);
    page.one("timers", "gauge", "Armed timers.", node.armed_timers().len());
    page.family("supervisor_restarts", "gauge", "Restarts within the supervisor's period.");
    for supervisor in node.supervisors() {
        page.sample("supervisor_restarts", &[("supervisor", &supervisor.name)], supervisor.recent);
    }
    let times = node.module_times();
    page.family("turn_seconds", "histogram", "How long turns take, by module; about one in 64 is measured.");
    for (module, times) in &times {
        page.histogram("turn_seconds", ("module", module), &times.turns);
    }
    page.family("wait_seconds", "histogram", "How long messages wait for their turn, by module.");
    for (module, times) in &times {
        page.histogram("wait_seconds", ("module", module), &times.waits);
    }
    process(&mut page);
    page.0
}

fn actors(node: &Node, page: &mut Page) {
    let watch = node.watch_workers();
    let mut states: BTreeMap<&str, usize> =
        ["idle", "queued", "running", "cut", "parked", "resting"].into_iter().map(|state| (state, 0)).collect();
    let mut modules: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    let (mut waiting, mut longest) = (0, 0);
    let mut running = 0;
    for view in node.each_view(&watch) {
        *states.entry(view.state.name()).or_default() += 1;
        running += usize::from(matches!(view.state, State::Running { .. }));
        let module = (view.edition.module.to_string(), view.edition.version.to_string());
        let (actors, memory) = modules.entry(module).or_default();
        *actors += 1;
        *memory += view.memory;
        waiting += view.waiting;
        longest = longest.max(view.waiting);
    }
    page.family("actors", "gauge", "Actors, by what they do.");
    states.iter().for_each(|(state, count)| page.sample("actors", &[("state", state)], count));
    page.family("module_actors", "gauge", "Actors, by what they are made of.");
    for ((module, version), (actors, _)) in &modules {
        page.sample("module_actors", &[("module", module), ("version", version)], actors);
    }
    page.family("memory_bytes", "gauge", "Linear memory of all actors, by what they are made of.");
    for ((module, version), (_, memory)) in &modules {
        page.sample("memory_bytes", &[("module", module), ("version", version)], memory);
    }
    page.one("mailbox_messages", "gauge", "Messages that wait in all mailboxes.", waiting);
    page.one("mailbox_messages_longest", "gauge", "Messages that wait in the longest mailbox.", longest);
    let bytes = crate::sched::backlog::bytes();
    page.one("mailbox_bytes", "gauge", "Bytes that wait in all mailboxes, as the host's budget counts them.", bytes);
    page.one("workers", "gauge", "Worker threads that may run actors at once.", node.options().workers);
    page.one("workers_busy", "gauge", "Workers that run an actor's turn.", running);
}

fn sockets(node: &Node, page: &mut Page) {
    let open = node.net().stats();
    let listeners = open.iter().filter(|socket| socket.peer.is_none()).count();
    page.family("sockets", "gauge", "Open sockets of actors.");
    page.sample("sockets", &[("kind", "listener")], listeners);
    page.sample("sockets", &[("kind", "connection")], open.len() - listeners);
    let sum = |of: fn(&crate::net::SocketInfo) -> u64| open.iter().map(of).sum::<u64>();
    page.one("sockets_received_bytes", "gauge", "Bytes that came in on the open sockets.", sum(|one| one.bytes_in));
    page.one("sockets_sent_bytes", "gauge", "Bytes that went out on the open sockets.", sum(|one| one.bytes_out));
    page.one("sockets_backlog_bytes", "gauge", "Bytes that wait to be sent.", sum(|one| one.backlog));
    let held = open.iter().filter(|socket| socket.held).count();
    page.one("sockets_held", "gauge", "Sockets that wait for their owner's full mailbox.", held);
}

/// The process, where the system tells.
fn process(page: &mut Page) {
    let mut usage: libc::rusage = {
        #[expect(unsafe_code, reason = "a struct of numbers")]
        // SAFETY: zeros are valid for a struct of integers.
        unsafe {
            std::mem::zeroed()
        }
    };
    #[expect(unsafe_code, reason = "std has no call for it")]
    // SAFETY: getrusage(2) fills the struct that it is given, and keeps no pointer to it.
    let known = unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) } == 0;
    if known {
        let nanos = |time: libc::timeval| {
            let whole = |part: i64| u64::try_from(part).unwrap_or(0);
            whole(time.tv_sec) * 1_000_000_000 + whole(time.tv_usec) * 1000
        };
        let cpu = seconds(nanos(usage.ru_utime) + nanos(usage.ru_stime));
        page.one("process_cpu_seconds_total", "counter", "Processor time of the host.", cpu);
    }
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let resident = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    if let Some(resident) = resident {
        #[expect(unsafe_code, reason = "std has no call for it")]
        // SAFETY: sysconf(3) only reads a setting.
        let page_size = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(0);
        let bytes = resident * page_size;
        page.one("process_resident_memory_bytes", "gauge", "Memory of the host that lies in RAM.", bytes);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        page.one("process_open_fds", "gauge", "Open descriptors of the host.", open.count());
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, HEAD_MAX, Page, asked};
    use crate::base::histogram::Histogram;

    fn ask(bytes: &[u8]) -> Option<Asked> {
        asked(&mut &*bytes).expect("memory can be read")
    }

    #[test]
    fn requests_are_understood_or_not() {
        let path = |path: &str| Some(Asked::Get(path.to_owned()));
        assert_eq!(ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), path("/metrics"));
        assert_eq!(ask(b"GET /metrics?x=1 HTTP/1.0\r\n\r\n"), path("/metrics"));
        assert_eq!(ask(b"POST /metrics HTTP/1.1\r\n\r\nbody"), Some(Asked::Other));
        assert_eq!(ask(b"GET /metrics HTT"), None);
        assert_eq!(ask(b"\x16\x03\x01garbage\r\n\r\n"), Some(Asked::Bad));
        let long = [b"GET / HTTP/1.1\r\nX: ", &[b'x'; HEAD_MAX][..]].concat();
        assert_eq!(ask(&long), Some(Asked::Bad));
        let many = ["GET / HTTP/1.1\r\n", &"X: y\r\n".repeat(100), "\r\n"].concat();
        assert_eq!(ask(many.as_bytes()), Some(Asked::Bad));
    }

    #[test]
    fn histograms_count_up_and_end_with_all() {
        let histogram = Histogram::default();
        histogram.record(1500, 3);
        histogram.record(5_000_000_000, 1);
        histogram.record(u64::MAX / 2, 1);
        let mut page = Page(String::new());
        page.histogram("turn_seconds", ("module", "a\"b\\\n"), &histogram.read());
        let lines: Vec<&str> = page.0.lines().collect();
        let label = "module=\"a\\\"b\\\\\\n\"";
        assert_eq!(lines[0], format!("wasmactor_turn_seconds_bucket{{{label},le=\"0.000001024\"}} 0"));
        assert_eq!(lines[1], format!("wasmactor_turn_seconds_bucket{{{label},le=\"0.000002048\"}} 3"));
        assert_eq!(lines.len(), 27 + 3);
        assert!(lines[26].ends_with("le=\"68.719476736\"} 4"), "{}", lines[26]);
        assert!(lines[27].ends_with("le=\"+Inf\"} 5") && lines[29].ends_with("} 5"), "{lines:?}");
    }
}
