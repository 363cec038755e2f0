//! Listen, connect, data, and the addresses that go with them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use super::fixture::{Fixture, ME, client, pattern, read_all, send_on_thread};
use crate::net::socket::Kind;
use crate::net::{NetError, NetEvent};

fn echo_on(at: &str) {
    let fixture = Fixture::new();
    let (listener, at) = fixture.net.listen(ME, at.parse().unwrap()).unwrap();
    let mut client = client(at);
    let NetEvent::Accepted { socket, peer } = fixture.next_of(listener) else { panic!() };
    assert_eq!(peer, client.local_addr().unwrap());
    assert_eq!(fixture.net.local_addr(ME, socket).unwrap(), at);
    assert_eq!(fixture.net.peer_addr(ME, socket).unwrap(), peer);
    fixture.net.start(ME, socket).unwrap();
    for size in [4, 64, 60, 128, 4_096, 8] {
        let data = pattern(size);
        client.write_all(&data).unwrap();
        let got = fixture.gather(socket, size);
        assert_eq!(fixture.net.write(ME, socket, &got).unwrap(), 0, "a small write goes out at once");
        let mut back = vec![0; size];
        client.read_exact(&mut back).unwrap();
        assert_eq!(back, data);
    }
}

#[test]
fn echo() {
    echo_on("127.0.0.1:0");
}

#[test]
fn echo_over_ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("skipped: this machine has no IPv6 loopback");
        return;
    }
    echo_on("[::1]:0");
}

#[test]
fn two_sockets_of_ours_talk() {
    let fixture = Fixture::new();
    let (listener, at) = fixture.listen();
    let out = fixture.net.connect(ME, at).unwrap();
    let mut accepted = None;
    for _ in 0..2 {
        match fixture.next() {
            (ME, id, NetEvent::Connected { peer }) => assert_eq!((id, peer), (out, at)),
            (ME, id, NetEvent::Accepted { socket, peer }) => {
                assert_eq!((id, peer), (listener, fixture.net.local_addr(ME, out).unwrap()));
                accepted = Some(socket);
            }
            other => panic!("{other:?}"),
        }
    }
    let accepted = accepted.unwrap();
    fixture.net.start(ME, accepted).unwrap();
    fixture.net.write(ME, out, b"over").unwrap();
    assert_eq!(fixture.gather(accepted, 4), b"over");
}

#[test]
fn every_byte_arrives_in_order_and_buffers_grow() {
    let fixture = Fixture::new();
    let (socket, client) = fixture.pair();
    fixture.net.start(ME, socket).unwrap();
    let data = pattern(16 * 1024 * 1024);
    let sender = send_on_thread(&client, data.clone());
    assert!(fixture.gather(socket, data.len()) == data);
    sender.join().unwrap();
    let info = fixture.net.stats().into_iter().find(|info| info.id == socket).unwrap();
    assert_eq!((info.bytes_in, info.bytes_out, info.backlog), (data.len() as u64, 0, 0));
    assert_eq!((info.owner, info.reading, info.held, info.closing), (ME, true, false, false));
}

#[test]
fn what_is_written_before_the_connection_stands_arrives() {
    let fixture = Fixture::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = fixture.net.connect(ME, other.local_addr().unwrap()).unwrap();
    fixture.net.write(ME, socket, b"early ").unwrap();
    fixture.net.write(ME, socket, b"bird").unwrap();
    fixture.net.close(ME, socket).unwrap();
    let (peer, _) = other.accept().unwrap();
    assert_eq!(read_all(&peer), b"early bird");
    assert!(matches!(fixture.next_of(socket), NetEvent::Connected { .. }));
    assert_eq!(fixture.next_of(socket), NetEvent::Closed { reason: None });
}

#[test]
fn a_refused_connection_says_so() {
    let fixture = Fixture::new();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let socket = fixture.net.connect(ME, nobody).unwrap();
    let reason = Some(format!("connect {nobody}: connection refused"));
    assert_eq!(fixture.next_of(socket), NetEvent::Closed { reason });
    assert!(matches!(fixture.net.start(ME, socket), Err(NetError::Closed(_))));
}

#[test]
fn an_impossible_address_is_reported_the_same_way() {
    let fixture = Fixture::new();
    let broadcast: SocketAddr = "255.255.255.255:9".parse().unwrap();
    let socket = fixture.net.connect(ME, broadcast).unwrap();
    let NetEvent::Closed { reason: Some(reason) } = fixture.next_of(socket) else { panic!() };
    assert!(reason.starts_with("connect 255.255.255.255:9: "), "{reason}");
}

#[test]
fn a_taken_port_is_an_error_and_free_again_when_closed_is_reported() {
    let fixture = Fixture::new();
    let (listener, at) = fixture.listen();
    assert_ne!(at.port(), 0);
    let error = fixture.net.listen(ME, at).unwrap_err();
    assert_eq!(error.to_string(), format!("listen {at}: address already in use"));
    fixture.net.close(ME, listener).unwrap();
    assert_eq!(fixture.next_of(listener), NetEvent::Closed { reason: None });
    fixture.net.listen(ME, at).unwrap();
}

#[test]
fn accepted_connections_have_the_options_of_all_others() {
    let fixture = Fixture::new();
    let (socket, _client) = fixture.pair();
    let socket = fixture.net.0.table.get(socket).unwrap();
    let Kind::Stream(stream) = &socket.kind else { panic!() };
    assert!(stream.nodelay().unwrap());
    assert!(socket2::SockRef::from(stream).keepalive().unwrap());
}

#[test]
fn a_stopped_poller_closes_everything() {
    let fixture = Fixture::new();
    let (_socket, client) = fixture.pair();
    let net = fixture.net.clone();
    drop(fixture);
    assert_eq!(read_all(&client), b"");
    assert_eq!(net.open_sockets(), 0);
}
