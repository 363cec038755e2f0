//! Sockets, with real clients of the operating system.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};

use wasmactor_tests::{ALL, App, DEADLINE, Setup, wat};

fn connect(at: &str) -> TcpStream {
    let stream = TcpStream::connect(at).expect("somebody listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
    stream
}

/// An echo server at a free port.
fn echo(module: &str) -> (App, String) {
    let app = Setup::new().actor("echo", module, ALL).puppet("other").start();
    let at = app.ask(".echo", "echo; on socket {start $new}; listen 127.0.0.1:0; let server; local $server; ret $it");
    (app, at)
}

fn exchange(stream: &mut TcpStream, text: &[u8]) {
    stream.write_all(text).expect("sends");
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).expect("the echo");
    assert_eq!(back, text);
}

#[test]
fn an_echo_in_pieces_and_a_half_close() {
    for module in ["puppet", "plain"] {
        let (app, at) = echo(module);
        let mut stream = connect(&at);
        exchange(&mut stream, b"one");
        for byte in b"byte by byte" {
            exchange(&mut stream, &[*byte]);
        }
        stream.write_all(b"the last").and_then(|()| stream.shutdown(Shutdown::Write)).expect("sends");
        let mut rest = String::new();
        stream.read_to_string(&mut rest).expect("until the end");
        assert_eq!(rest, "the last");
        app.stop();
    }
}

#[test]
fn two_hundred_connections_at_once() {
    let (mut app, at) = echo("plain");
    let mut streams: Vec<TcpStream> = (0..200).map(|_| connect(&at)).collect();
    for (number, stream) in streams.iter_mut().enumerate() {
        stream.write_all(format!("{number:03}").as_bytes()).expect("sends");
    }
    for (number, stream) in streams.iter_mut().enumerate().rev() {
        let mut back = [0; 3];
        stream.read_exact(&mut back).expect("the echo");
        assert_eq!(back, format!("{number:03}").as_bytes());
    }
    app.lives();
}

#[test]
fn sixty_four_mebibytes_go_through_and_come_back_whole() {
    const CHUNK: usize = 1 << 16;
    const CHUNKS: usize = 1 << 10;
    let (mut app, at) = echo("plain");
    let mut stream = connect(&at);
    let chunk = |n: usize| -> Vec<u8> { (0..CHUNK).map(|i| (i.wrapping_mul(31) ^ n).to_le_bytes()[0]).collect() };
    let mut writer = stream.try_clone().expect("a socket");
    let writes = std::thread::spawn(move || {
        for n in 0..CHUNKS {
            writer.write_all(&chunk(n)).expect("sends");
        }
        writer.shutdown(Shutdown::Write).expect("ends");
    });
    let mut back = vec![0; CHUNK];
    for n in 0..CHUNKS {
        stream.read_exact(&mut back).expect("the echo");
        assert!(back == chunk(n), "chunk {n}");
    }
    assert_eq!(stream.read(&mut back).expect("the end"), 0);
    writes.join().expect("the writer");
    app.lives();
}

#[test]
fn a_client_that_does_not_read_holds_nobody_up() {
    let app = Setup::new().puppet("server").puppet("other").start();
    let at = app.ask(".server", "on socket {note $text}; listen 127.0.0.1:0; local $it; ret $it");
    let mut stream = connect(&at);
    app.ask_until(".server", "ret $notes", |text| text.contains("accepted"));
    // Far more than the kernel takes: the rest waits in the host, and the server hears how much.
    let text = "x".repeat(1 << 20);
    app.ask(".server", &format!("set big {text}; ret"));
    let queued = app.ask(".server", "repeat 16 {write $new $big}; ret $it");
    assert!(queued.parse::<u64>().expect("a number") > 1 << 20, "{queued}");
    assert_eq!(app.ask(".other", "ret alive"), "alive");
    app.ask_until(".server", "ret $notes", |text| text.contains("backlog"));
    assert_eq!(app.ask(".server", "close $new; ret $it"), "done");
    let mut all = Vec::new();
    stream.read_to_end(&mut all).expect("all that was written before the close");
    assert_eq!(all.len(), 16 << 20);
    app.ask_until(".server", "ret $notes", |text| text.contains("closed"));
    app.stop();
}

#[test]
fn a_connection_is_given_to_another_actor() {
    let app = Setup::new().puppet("gate").puppet("worker").start();
    app.ask(
        ".worker",
        "on socket {note $text; start $session; on socket {write $session I am worker; close $session}}; ret",
    );
    let at = app.ask(".gate", "on socket {let x; give $new .worker; note $it; write $new mine; note $it}; listen 127.0.0.1:0; local $it; ret $it");
    let mut stream = connect(&at);
    stream.write_all(b"hello").expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert_eq!(answer, "I am worker");
    assert_eq!(app.ask(".gate", "ret $notes"), "done,!invalid", "what was given away is not one's own");
    assert!(app.ask(".worker", "ret $notes").starts_with("given 127.0.0.1:"));
    app.stop();
}

#[test]
fn given_to_nobody_it_stays() {
    let app = Setup::new().puppet("gate").start();
    let at = app.ask(".gate", "on socket {give $new 4242; note $it; start $new; write $new still mine; close $new; on socket {}}; listen 127.0.0.1:0; local $it; ret $it");
    let mut answer = String::new();
    connect(&at).read_to_string(&mut answer).expect("an answer");
    assert_eq!(answer, "still mine");
    assert_eq!(app.ask(".gate", "ret $notes"), "!no-such-actor");
}

#[test]
fn an_actor_connects_and_talks() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = server.local_addr().expect("its address");
    let app = Setup::new().puppet("client").start();
    app.told(".client", &format!("on socket {{log $text; start $session; write $session hello; on socket {{log $text}}}}; connect {at}; let c"));
    let (mut stream, _) = server.accept().expect("a client");
    app.logged("client", &format!("connected {at}"));
    let mut hello = [0; 5];
    stream.read_exact(&mut hello).expect("its words");
    assert_eq!(&hello, b"hello");
    stream.write_all(b"welcome").expect("sends");
    app.logged("client", "data welcome");
    drop(stream);
    app.logged("client", "end");
    assert_eq!(app.ask(".client", "close $c; ret $it"), "done");
    app.logged("client", "closed");
    assert_eq!(
        app.ask(".client", "write $c x; note $it; close $c; note $it; start $c; note $it; ret $notes"),
        ["!invalid"; 3].join(",")
    );
}

#[test]
fn nobody_there_is_a_closed_with_the_systems_words() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let app = Setup::new().puppet("client").start();
    app.told(".client", &format!("connect {free}; log asked $it"));
    let line = app.logged("client", "closed ");
    assert!(line.message.contains("refused"), "{line:?}");
}

#[test]
fn a_port_that_is_taken_is_an_error_of_listen() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("its address");
    let app = Setup::new().puppet("server").start();
    let got = app.ask(".server", &format!("listen {at}; ret $it: $why"));
    assert!(got.starts_with("!io: ") && got.contains("in use"), "{got}");
    for bad in ["127.0.0.1", "localhost:80", "127.0.0.1:99999", "here"] {
        assert_eq!(app.ask(".server", &format!("listen {bad}; ret $it")), "!invalid", "{bad}");
        assert_eq!(app.ask(".server", &format!("connect {bad}; ret $it")), "!invalid", "{bad}");
    }
}

#[test]
fn a_client_that_goes_abruptly_is_a_closed() {
    let app = Setup::new().puppet("server").start();
    let at =
        app.ask(".server", "on socket {start $new; on socket {log $text}}; listen 127.0.0.1:0; local $it; ret $it");
    let stream = connect(&at);
    app.ask(".server", "repeat 1 {write $new words}; ret");
    app.ask_until(".server", "write $new words; ret $it", |queued| queued == "0");
    // With words unread the system sends a reset.
    drop(stream);
    let line = app.process.line("the end", |line| {
        line.actor == "server" && (line.message.starts_with("closed") || line.message == "end")
    });
    assert!(line.message.contains("reset") || line.message == "end", "{line:?}");
    assert_eq!(app.ask(".server", "ret alive"), "alive");
}

#[test]
fn the_end_of_an_actor_closes_its_sockets() {
    for end in ["exit", "trap"] {
        let app = Setup::new().puppet("server").start();
        let at = app.ask(".server", "on socket {start $new; log taken}; listen 127.0.0.1:0; local $it; ret $it");
        let mut stream = connect(&at);
        app.logged("server", "taken");
        app.ask(".witness", "on down {log server is down}; watch .server; ret");
        app.told(".server", end);
        let mut rest = Vec::new();
        // An end or a reset: gone in any case.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty());
        // Who hears of the end can rely on it: the port is free again, for the next actor.
        app.logged("witness", "server is down");
        assert!(TcpListener::bind(&at).is_ok(), "{at} is free after {end}");
        app.stop();
    }
}

#[test]
fn sockets_of_others_and_made_up_ones_cannot_be_used() {
    let app = Setup::new().puppet("server").puppet("thief").start();
    let ids = app.ask(".server", "listen 127.0.0.1:0; ret $it");
    for id in [ids.as_str(), "0", "1", "18446744073709551615"] {
        let script = format!(
            "forget; start {id}; note $it; pause {id}; note $it; write {id} x; note $it; shutdown {id}; note $it; \
             close {id}; note $it; give {id} .thief; note $it; local {id}; note $it; ret $notes"
        );
        assert_eq!(app.ask(".thief", &script), ["!invalid"; 7].join(","), "{id}");
    }
    assert!(app.ask(".server", &format!("local {ids}; ret $it")).starts_with("127.0.0.1:"));
}

#[test]
fn pause_holds_data_back_until_start() {
    let app = Setup::new().puppet("server").start();
    let at = app.ask(
        ".server",
        "on socket {start $new; on socket {note $text; pause $session}}; listen 127.0.0.1:0; local $it; ret $it",
    );
    let mut stream = connect(&at);
    stream.write_all(b"one").expect("sends");
    app.ask_until(".server", "ret $notes", |text| text.contains("data one"));
    stream.write_all(b"two").expect("sends");
    assert_eq!(app.ask(".server", "sleep 30; ret $notes"), "data one");
    app.ask(".server", "start $new; ret");
    app.ask_until(".server", "ret $notes", |text| text.contains("data two"));
    app.stop();
}

#[test]
fn a_hand_written_echo_server() {
    let (data, length) = wat::data("127.0.0.1:0");
    let init = format!(
        "(call $listen (i32.const 1024) (i32.const {length}) (i32.const 64))
        (call $local (i64.load (i32.const 72)) (i32.const 96))
        (call $log (i32.const 2) (i32.load (i32.const 100)) (i32.load (i32.const 104)) (i32.const 0) (i32.const 0))
        (call $ok)"
    );
    // Case 4 is `socket`; $b is the event: 1 accepted (id in $c), 3 data (pointer in $c, length in $p), 4 end.
    let handle = "(if (i32.eq (local.get $case) (i32.const 4)) (then
        (if (i64.eq (local.get $b) (i64.const 1)) (then (call $start (local.get $c) (i32.const 64))))
        (if (i64.eq (local.get $b) (i64.const 3)) (then
            (call $write (local.get $a) (i32.wrap_i64 (local.get $c)) (local.get $p) (i32.const 64))))
        (if (i64.eq (local.get $b) (i64.const 4)) (then (call $close (local.get $a) (i32.const 64))))))
        (call $ok)";
    let app = Setup::new().wat("echo", &wat::guest(&data, &init, handle)).start();
    let at = app.logged("echo", "127.0.0.1:").message;
    let mut stream = connect(&at);
    exchange(&mut stream, b"by hand");
    stream.shutdown(Shutdown::Write).expect("ends");
    assert_eq!(stream.read(&mut [0; 8]).expect("the end"), 0);
    app.stop();
}
