//! All the ways in which a connection ends.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::fixture::{Fixture, ME, pattern, read_all};
use crate::net::{Flow, NetError, NetEvent};

fn reset(client: TcpStream) {
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
}

fn was_reset() -> NetEvent {
    NetEvent::Closed { reason: Some("connection reset by peer".to_owned()) }
}

#[test]
fn the_other_side_ends_first() {
    let fixture = Fixture::new();
    let (socket, mut client) = fixture.pair();
    fixture.net.start(ME, socket).unwrap();
    client.write_all(b"last words").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(fixture.gather(socket, 10), b"last words");
    assert_eq!(fixture.next_of(socket), NetEvent::End);
    assert_eq!(fixture.net.write(ME, socket, b"answer").unwrap(), 0);
    fixture.net.close(ME, socket).unwrap();
    assert_eq!(fixture.next_of(socket), NetEvent::Closed { reason: None });
    assert_eq!(read_all(&client), b"answer");
}

#[test]
fn data_and_end_before_start_are_kept() {
    let fixture = Fixture::new();
    let (socket, client) = fixture.pair();
    let data = pattern(200_000);
    (&client).write_all(&data).unwrap();
    drop(client);
    assert!(fixture.settle().is_empty());
    fixture.net.start(ME, socket).unwrap();
    assert!(fixture.gather(socket, data.len()) == data);
    assert_eq!(fixture.next_of(socket), NetEvent::End);
}

#[test]
fn we_end_first() {
    let fixture = Fixture::new();
    let (socket, mut client) = fixture.pair();
    fixture.net.start(ME, socket).unwrap();
    fixture.net.shutdown(ME, socket).unwrap();
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
    client.write_all(b"still here").unwrap();
    assert_eq!(fixture.gather(socket, 10), b"still here");
    drop(client);
    assert_eq!(fixture.next_of(socket), NetEvent::End);
    assert!(fixture.settle().is_empty(), "it stays until it is closed");
    fixture.net.close(ME, socket).unwrap();
    assert_eq!(fixture.next_of(socket), NetEvent::Closed { reason: None });
}

#[test]
fn a_reset_has_a_reason() {
    let fixture = Fixture::new();
    let (socket, client) = fixture.pair();
    fixture.net.start(ME, socket).unwrap();
    reset(client);
    assert_eq!(fixture.next_of(socket), was_reset());
    assert!(matches!(fixture.net.close(ME, socket), Err(NetError::Closed(_))));
}

#[test]
fn a_reset_of_a_paused_socket_is_reported_when_it_is_started() {
    let fixture = Fixture::new();
    let (socket, client) = fixture.pair();
    reset(client);
    assert!(fixture.settle().is_empty());
    fixture.net.start(ME, socket).unwrap();
    assert_eq!(fixture.next_of(socket), was_reset());
}

#[test]
fn a_reset_after_the_end_is_reported() {
    let fixture = Fixture::new();
    let (socket, client) = fixture.pair();
    fixture.net.start(ME, socket).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(fixture.next_of(socket), NetEvent::End);
    reset(client);
    // In this state Linux calls it a broken pipe.
    assert!(matches!(fixture.next_of(socket), NetEvent::Closed { reason: Some(_) }));
}

#[test]
fn a_write_to_a_broken_connection_fails_and_then_it_is_closed() {
    let fixture = Fixture::new();
    let (socket, client) = fixture.pair();
    reset(client);
    fixture.settle();
    let error = fixture.net.write(ME, socket, b"hello?").unwrap_err();
    let NetError::Io { what: "write", .. } = error else { panic!("{error}") };
    let NetEvent::Closed { reason: Some(reason) } = fixture.next_of(socket) else { panic!() };
    assert!(error.to_string().ends_with(&reason), "{error}: {reason}");
}

#[test]
fn abort_resets_and_throws_the_queue_away() {
    let fixture = Fixture::new();
    let (socket, mut client) = fixture.pair();
    fixture.net.write(ME, socket, &pattern(16 << 20)).unwrap();
    fixture.net.close(ME, socket).unwrap();
    fixture.net.abort(ME, socket).unwrap();
    let mut sink = Vec::new();
    assert_eq!(client.read_to_end(&mut sink).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let mut events = std::iter::repeat_with(|| fixture.next_of(socket));
    assert_eq!(events.find(|event| !matches!(event, NetEvent::Backlog(_))), Some(NetEvent::Closed { reason: None }));
    assert!(matches!(fixture.net.abort(ME, socket), Err(NetError::Closed(_))));
}

#[test]
fn unread_bytes_do_not_turn_a_close_into_a_reset() {
    let fixture = Fixture::new();
    let (socket, mut client) = fixture.pair();
    client.write_all(&pattern(100_000)).unwrap();
    fixture.settle();
    fixture.net.write(ME, socket, b"goodbye").unwrap();
    fixture.net.close(ME, socket).unwrap();
    assert_eq!(read_all(&client), b"goodbye");
}

#[test]
fn when_nobody_takes_the_data_the_socket_is_closed() {
    let fixture = Fixture::answering(|event| if matches!(event, NetEvent::Data(_)) { Flow::Close } else { Flow::Go });
    let (socket, mut client) = fixture.pair();
    fixture.net.start(ME, socket).unwrap();
    client.write_all(b"anybody?").unwrap();
    assert!(matches!(fixture.next_of(socket), NetEvent::Data(_)));
    assert_eq!(fixture.next_of(socket), NetEvent::Closed { reason: None });
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn when_nobody_takes_the_connection_it_and_the_listener_are_closed() {
    let fixture =
        Fixture::answering(|event| if matches!(event, NetEvent::Accepted { .. }) { Flow::Close } else { Flow::Go });
    let (listener, at) = fixture.listen();
    let mut client = super::fixture::client(at);
    let NetEvent::Accepted { socket, .. } = fixture.next_of(listener) else { panic!() };
    let mut closed = [fixture.next().1, fixture.next().1];
    closed.sort();
    let mut expected = [listener, socket];
    expected.sort();
    assert_eq!(closed, expected);
    assert_eq!(client.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}
