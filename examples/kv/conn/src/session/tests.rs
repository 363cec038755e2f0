//! Sessions over real tables, with stores whose answers come when the test says, or fail.

use super::{BACKLOG, BUFFER, Io, Session};
use kv_table::Table;
use std::collections::VecDeque;

const STORES: usize = 4;

struct World {
    tables: Vec<Table>,
    requests: VecDeque<(usize, Vec<u8>)>,
    /// Stores that cannot be reached, and those that fail later.
    absent: Vec<usize>,
    failing: Vec<usize>,
    written: Vec<u8>,
    writes: usize,
    /// Bytes wait until the test takes them away.
    waiting: Option<u64>,
    reading: bool,
    closed: bool,
}

impl Io for World {
    fn request(&mut self, store: usize, batch: &[u8]) -> Result<(), String> {
        if self.absent.contains(&store) {
            return Err("nobody is there".to_owned());
        }
        self.requests.push_back((store, batch.to_vec()));
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> u64 {
        assert!(!bytes.is_empty() && !self.closed);
        self.written.extend_from_slice(bytes);
        self.writes += 1;
        match &mut self.waiting {
            Some(waiting) => {
                *waiting += bytes.len() as u64;
                *waiting
            }
            None => 0,
        }
    }

    fn read(&mut self, on: bool) {
        assert_ne!(on, self.reading, "only changes are told");
        self.reading = on;
    }

    fn close(&mut self) {
        assert!(!self.closed);
        self.closed = true;
    }
}

struct Rig {
    session: Session,
    world: World,
    turns: usize,
}

/// How often a session goes on in another version in the course of a test.
const MOVES: usize = 50;

impl Rig {
    fn new() -> Self {
        let world = World {
            tables: (0..STORES).map(|_| Table::new(1, || 1_000)).collect(),
            requests: VecDeque::new(),
            absent: Vec::new(),
            failing: Vec::new(),
            written: Vec::new(),
            writes: 0,
            waiting: None,
            reading: true,
            closed: false,
        };
        Self { session: Session::new(STORES, 7, || 1_000), world, turns: 0 }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.session.data(bytes.to_vec(), &mut self.world);
        self.moves();
    }

    /// Every other time the session goes on as what another version makes of its state.
    fn moves(&mut self) {
        self.turns += 1;
        if self.turns.is_multiple_of(2) && self.turns < 2 * MOVES {
            let state = wasmactor_sdk::encode(&self.session.save()).unwrap();
            self.session = Session::load(wasmactor_sdk::decode(&state).unwrap(), || 1_000).unwrap();
        }
    }

    /// Lets one store answer; the newest request first, so that answers come out of order.
    fn serve_one(&mut self) -> bool {
        let Some((store, batch)) = self.world.requests.pop_back() else { return false };
        let outcome = if self.world.failing.contains(&store) {
            Err("it fell".to_owned())
        } else {
            Ok(self.world.tables[store].run(&batch).unwrap())
        };
        self.session.answer(store, outcome, &mut self.world);
        self.moves();
        true
    }

    fn serve(&mut self) {
        while self.serve_one() {}
    }

    fn written(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.world.written)).unwrap()
    }

    /// Sends inline commands and compares all that is written.
    fn check(&mut self, commands: &str, expected: &str) {
        self.send(commands.as_bytes());
        self.serve();
        assert_eq!(self.written(), expected.replace('\n', "\r\n"), "{commands}");
    }
}

#[test]
fn commands_and_their_replies() {
    let mut rig = Rig::new();
    rig.check("PING\nping hi\necho x\n", "+PONG\n$2\nhi\n$1\nx\n");
    rig.check(
        "set a 1\nGET a\nget b\nincr a\nincrby a -5\nincrby a x\ndbsize\n",
        "+OK\n$1\n1\n$-1\n:2\n:-3\n-ERR value is not an integer or out of range\n:1\n",
    );
    rig.check("mset a 1 b 2 c 3 d 4 e 5\nmget a b c d e f\n", "+OK\n*6\n$1\n1\n$1\n2\n$1\n3\n$1\n4\n$1\n5\n$-1\n");
    rig.check("exists a b a z\ndel a b z\ndbsize\nkeys d\nkeys z\n", ":3\n:2\n:3\n*1\n$1\nd\n*0\n");
    rig.check("flushall\ndbsize\nflushall async\nflushall x\n", "+OK\n:0\n+OK\n-ERR syntax error\n");
    rig.check("set a 1 nx\nset a 2 nx\nset a 3 xx get\nset a 4 nx xx\n", "+OK\n$-1\n$1\n1\n-ERR syntax error\n");
    rig.check(
        "set a 1 ex x\nset a 1 ex 0\n",
        "-ERR value is not an integer or out of range\n-ERR invalid expire time in 'set' command\n",
    );
    rig.check(
        "get\nGET a b\nmset a\nmset a 1 b\nfoo a 'b c'\n",
        "-ERR wrong number of arguments for 'get' command\n-ERR wrong number of arguments for 'get' command\n\
        -ERR wrong number of arguments for 'mset' command\n-ERR wrong number of arguments for 'mset' command\n\
        -ERR unknown command 'foo', with args beginning with: 'a' 'b c' \n",
    );
    rig.check(
        "select 0\nselect 1\nconfig get save\nclient id\nclient setinfo lib-name x\ncommand docs\n",
        "+OK\n-ERR DB index is out of range\n*2\n$4\nsave\n$0\n\n:7\n+OK\n*0\n",
    );
    assert!(rig.world.reading && !rig.world.closed);
}

#[test]
fn one_write_for_a_pipeline_and_one_request_for_a_store() {
    let mut rig = Rig::new();
    let commands: String = (0..64).map(|key| format!("set key{key} {key}\nping\nget key{key}\n")).collect();
    rig.send(commands.as_bytes());
    assert_eq!(rig.world.requests.len(), STORES);
    rig.serve();
    assert_eq!(rig.world.writes, 1);
    let expected: String =
        (0..64).map(|key| format!("+OK\r\n+PONG\r\n${}\r\n{key}\r\n", key.to_string().len())).collect();
    assert_eq!(rig.written(), expected);
}

#[test]
fn what_comes_during_a_round_waits_for_the_next() {
    let mut rig = Rig::new();
    rig.send(b"set a 1\nget a\n");
    rig.send(b"get a\nge");
    rig.send(b"t b\n");
    rig.moves();
    assert_eq!(rig.world.requests.len(), 1);
    rig.serve();
    assert_eq!(rig.written(), "+OK\r\n$1\r\n1\r\n$1\r\n1\r\n$-1\r\n");
}

#[test]
fn resp3_differs_in_null_and_maps() {
    let mut rig = Rig::new();
    rig.check(
        "get a\nhello 4\nhello x\nget a\n",
        "$-1\n-NOPROTO unsupported protocol version\n-ERR Protocol version is not an integer or out of range\n$-1\n",
    );
    rig.send(b"get a\nhello 3\nget a\nmget a a\nset a 1 xx\nconfig get appendonly\ncommand docs\n");
    rig.serve();
    let written = rig.written();
    assert!(written.starts_with("$-1\r\n%7\r\n$6\r\nserver\r\n"), "{written}");
    assert!(written.ends_with("_\r\n*2\r\n_\r\n_\r\n_\r\n%1\r\n$10\r\nappendonly\r\n$2\r\nno\r\n%0\r\n"), "{written}");
    rig.send(b"hello 2\nget a\n");
    rig.serve();
    let written = rig.written();
    assert!(written.starts_with("*14\r\n") && written.ends_with("$-1\r\n"), "{written}");
}

#[test]
fn a_store_that_fails_spoils_only_its_commands() {
    let mut rig = Rig::new();
    // Stores of the keys: a and b 3, c and d others.
    let store = kv_wire::store_of(b"a", STORES);
    let (other, _) = [b"b", b"c", b"d", b"e"]
        .map(|key| (key, kv_wire::store_of(key, STORES)))
        .into_iter()
        .find(|(_, of)| *of != store)
        .unwrap();
    let other = char::from(other[0]);
    rig.check(&format!("mset a 1 {other} 2\n"), "+OK\n");
    rig.world.failing.push(store);
    let failed = "-ERR store failed: it fell\n";
    rig.check(
        &format!("get a\nget {other}\nmget {other} a\ndel a {other}\ndbsize\nping\n"),
        &format!("{failed}$1\n2\n{failed}{failed}{failed}+PONG\n"),
    );
    rig.world.failing.clear();
    rig.world.absent.push(store);
    let absent = "-ERR store failed: nobody is there\n";
    rig.check(&format!("get a\nget {other}\nmset a 1 {other} 2\n"), &format!("{absent}$-1\n{absent}"));
    // Even when no store is left to answer.
    rig.check("get a\nping\n", &format!("{absent}+PONG\n"));
    rig.world.absent.clear();
    rig.check("get a\n", "$1\n1\n");
    assert!(!rig.world.closed);
}

#[test]
fn protocol_errors_and_quit_close_after_all_is_answered() {
    for (bytes, last) in [
        (b"*1\r\nx\r\nget a\n".as_slice(), "-ERR Protocol error: expected '$', got 'x'\r\n"),
        (b"quit\nget a\n", "+OK\r\n"),
    ] {
        let mut rig = Rig::new();
        rig.send(&[b"get a\n", bytes].concat());
        assert!(!rig.world.closed);
        rig.send(b"ping\n");
        rig.serve();
        assert_eq!(rig.written(), format!("$-1\r\n{last}"));
        assert!(rig.world.closed);
        rig.send(b"ping\n");
        rig.session.drained(&mut rig.world);
        rig.session.end(&mut rig.world);
    }
}

#[test]
fn a_client_that_sends_no_more_is_answered() {
    let mut rig = Rig::new();
    rig.send(b"get a\n");
    rig.send(b"ping\nget");
    rig.session.end(&mut rig.world);
    assert!(!rig.world.closed);
    rig.serve();
    assert_eq!(rig.written(), "$-1\r\n+PONG\r\n");
    assert!(rig.world.closed);
}

#[test]
fn a_client_that_does_not_read_is_not_served_on() {
    let mut rig = Rig::new();
    let value = "v".repeat(700_000);
    rig.check(&format!("*3\r\n$3\r\nset\r\n$1\r\na\r\n$700000\r\n{value}\r\n"), "+OK\n");
    rig.world.waiting = Some(0);
    rig.send("get a\n".repeat(1000).as_bytes());
    while rig.serve_one() {
        // The backlog and one answer's replies at most, never 700 MB.
        assert!(rig.world.written.len() < 35 << 20);
    }
    assert!(rig.world.waiting.unwrap() >= BACKLOG);
    // It may send a little more, then it is not read from any more.
    assert!(rig.world.reading);
    rig.send(&vec![b'\n'; BUFFER]);
    assert!(!rig.world.reading);
    let mut got = 0;
    for _ in 0..1000 {
        got += rig.world.written.len();
        rig.world.written.clear();
        rig.world.waiting = Some(0);
        rig.session.drained(&mut rig.world);
        rig.serve();
    }
    assert_eq!(got + rig.world.written.len(), 1000 * (700_000 + "$700000\r\n\r\n".len()));
    assert!(rig.world.reading);
}

#[test]
fn replies_that_are_too_large_to_gather_are_refused() {
    let mut rig = Rig::new();
    let value = "v".repeat(8 << 20);
    rig.check(&format!("*3\r\n$3\r\nset\r\n$1\r\na\r\n$8388608\r\n{value}\r\n"), "+OK\n");
    rig.check(&format!("mget{}\nget b\n", " a".repeat(9)), "-ERR the reply would be larger than 64 MiB\n$-1\n");
}
