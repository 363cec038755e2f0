//! Who may do what, and what happens when a socket changes hands.

use std::io::Write;

use super::fixture::{Fixture, ME, pattern, send_on_thread};
use crate::net::{NetError, NetEvent, Owner, SocketId};

const YOU: Owner = 8;

/// The word for what every operation says.
fn all_operations(fixture: &Fixture, owner: Owner, id: SocketId) -> Vec<NetError> {
    let net = &fixture.net;
    vec![
        net.start(owner, id).unwrap_err(),
        net.pause(owner, id).unwrap_err(),
        net.write(owner, id, b"x").unwrap_err(),
        net.shutdown(owner, id).unwrap_err(),
        net.close(owner, id).unwrap_err(),
        net.abort(owner, id).unwrap_err(),
        net.give(owner, id, YOU, |_| panic!("announced")).unwrap_err(),
        net.local_addr(owner, id).unwrap_err(),
        net.peer_addr(owner, id).unwrap_err(),
    ]
}

#[test]
fn only_the_owner_can_do_anything() {
    let fixture = Fixture::new();
    let (socket, _client) = fixture.pair();
    for error in all_operations(&fixture, YOU, socket) {
        assert!(matches!(error, NetError::NotYours(_)), "{error}");
    }
    assert!(fixture.net.start(ME, socket).is_ok());
}

#[test]
fn ids_that_are_stale_or_made_up_reach_nothing() {
    let fixture = Fixture::new();
    let (old, _client) = fixture.pair();
    fixture.net.close(ME, old).unwrap();
    assert_eq!(fixture.next_of(old), NetEvent::Closed { reason: None });
    let (new, _client) = fixture.pair();
    assert_ne!(old, new);
    for raw in [old.raw(), 0, 1, u64::MAX, new.raw() + (1 << 24), new.raw() + 1] {
        for error in all_operations(&fixture, ME, SocketId::from_raw(raw)) {
            assert!(matches!(error, NetError::Closed(_)), "{raw}: {error}");
        }
        fixture.net.resume(SocketId::from_raw(raw));
    }
    assert!(fixture.net.start(ME, new).is_ok());
}

#[test]
fn give_hands_over_every_byte() {
    let fixture = Fixture::new();
    let (socket, client) = fixture.pair();
    let data = pattern(16 << 20);
    let sender = send_on_thread(&client, data.clone());
    fixture.net.start(ME, socket).unwrap();
    let mut got = fixture.gather(socket, 1 << 20);
    let busy = fixture.net.give(ME, socket, YOU, |_| panic!("announced")).unwrap_err();
    assert!(busy.to_string().contains("pause"), "{busy}");

    let mut owner = ME;
    let mut announced = ME;
    while got.len() < data.len() {
        // Give it back and forth while data streams in.
        let next = if owner == ME { YOU } else { ME };
        fixture.net.pause(owner, socket).unwrap();
        let reports = fixture.reports.clone();
        let announce = |peer| reports.send((next, socket, NetEvent::Connected { peer })).is_ok();
        assert!(fixture.net.give(owner, socket, next, announce).unwrap());
        assert!(matches!(fixture.net.start(owner, socket), Err(NetError::NotYours(_))));
        fixture.net.start(next, socket).unwrap();
        owner = next;
        // Up to the announcement all is for the old owner, after it all for the new one.
        loop {
            match fixture.next() {
                (to, _, NetEvent::Data(data)) => {
                    assert_eq!(to, announced);
                    got.extend_from_slice(&data);
                    if announced == owner {
                        break;
                    }
                }
                (to, _, NetEvent::Connected { .. }) => {
                    announced = to;
                    if got.len() >= data.len() {
                        break;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(got == data);
    sender.join().unwrap();
}

#[test]
fn a_give_that_nobody_takes_changes_nothing() {
    let fixture = Fixture::new();
    let (socket, mut client) = fixture.pair();
    assert!(!fixture.net.give(ME, socket, YOU, |_| false).unwrap());
    assert_eq!((fixture.net.owned_by(ME), fixture.net.owned_by(YOU)), (vec![socket], vec![]));
    client.write_all(b"mine").unwrap();
    fixture.net.start(ME, socket).unwrap();
    assert_eq!(fixture.gather(socket, 4), b"mine");
}

#[test]
fn a_listener_can_be_given_when_paused() {
    let fixture = Fixture::new();
    let (listener, at) = fixture.listen();
    fixture.net.pause(ME, listener).unwrap();
    let _client = super::fixture::client(at);
    assert!(fixture.net.give(ME, listener, YOU, |own| own == at).unwrap());
    assert!(fixture.settle().is_empty());
    fixture.net.start(YOU, listener).unwrap();
    let (owner, _, NetEvent::Accepted { socket, .. }) = fixture.next() else { panic!() };
    assert_eq!(owner, YOU);
    assert!(fixture.net.start(YOU, socket).is_ok());
}

#[test]
fn all_sockets_end_with_their_owner() {
    let fixture = Fixture::new();
    let (first, _one) = fixture.pair();
    let (second, _two) = fixture.pair();
    let (listener, _) = fixture.listen();
    let (kept, _three) = fixture.pair();
    fixture.net.give(ME, kept, YOU, |_| true).unwrap();
    let mut mine = fixture.net.owned_by(ME);
    mine.sort();
    let mut expected = [first, second, listener];
    expected.sort();
    assert_eq!(mine, expected);
    fixture.net.close_all(ME);
    let mut closed: Vec<_> = (0..3).map(|_| fixture.next().1).collect();
    closed.sort();
    assert_eq!(closed, expected);
    assert_eq!(fixture.net.owned_by(ME), []);
    assert!(fixture.net.start(YOU, kept).is_ok());
    assert_eq!(fixture.net.open_sockets(), 1);
}

#[test]
fn a_listener_is_no_connection() {
    let fixture = Fixture::new();
    let (listener, _) = fixture.listen();
    for error in [
        fixture.net.write(ME, listener, b"x").unwrap_err(),
        fixture.net.shutdown(ME, listener).unwrap_err(),
        fixture.net.peer_addr(ME, listener).unwrap_err(),
    ] {
        assert!(error.to_string().contains("it is a listener"), "{error}");
    }
}
