//! Pause and start by the owner; hold and resume for its mailbox.

use std::io::Write;

use super::fixture::{Fixture, ME, client, pattern, send_on_thread};
use crate::base::sync::Arc;
use crate::base::sync::atomic::{AtomicBool, Ordering};
use crate::net::{Flow, NetEvent};

#[test]
fn nothing_comes_before_start() {
    let fixture = Fixture::new();
    let (socket, mut client) = fixture.pair();
    client.write_all(b"early").unwrap();
    assert!(fixture.settle().is_empty());
    fixture.net.start(ME, socket).unwrap();
    assert_eq!(fixture.gather(socket, 5), b"early");
}

#[test]
fn pause_stops_and_start_goes_on_with_nothing_lost() {
    let fixture = Fixture::new();
    let (socket, client) = fixture.pair();
    let data = pattern(8 << 20);
    let sender = send_on_thread(&client, data.clone());
    let mut got = Vec::new();
    while got.len() < data.len() {
        fixture.net.start(ME, socket).unwrap();
        got.extend(fixture.gather(socket, 1));
        fixture.net.pause(ME, socket).unwrap();
        // The poller has seen the pause after this; what it had read before is in here.
        for (_, _, event) in fixture.settle() {
            let NetEvent::Data(data) = event else { panic!("{event:?}") };
            got.extend_from_slice(&data);
        }
        assert!(fixture.settle().is_empty(), "data came while paused");
    }
    assert!(got == data);
    sender.join().unwrap();
}

#[test]
fn a_held_socket_waits_for_resume() {
    let fixture = Fixture::answering(|event| if matches!(event, NetEvent::Data(_)) { Flow::Pause } else { Flow::Go });
    let (socket, client) = fixture.pair();
    let data = pattern(1 << 20);
    let sender = send_on_thread(&client, data.clone());
    fixture.net.start(ME, socket).unwrap();
    let mut got = Vec::new();
    while got.len() < data.len() {
        got.extend(fixture.gather(socket, 1));
        assert!(fixture.settle().is_empty(), "data came while held");
        assert!(fixture.net.stats()[0].held);
        fixture.net.resume_owner(ME);
    }
    assert!(got == data);
    sender.join().unwrap();
}

#[test]
fn a_resume_that_overtakes_the_hold_is_not_lost() {
    // The sink says Pause each time, and the test resumes as soon as it sees the event, which may be before the poller
    // has noted the hold.
    let fixture = Fixture::answering(|event| if matches!(event, NetEvent::Data(_)) { Flow::Pause } else { Flow::Go });
    let (socket, client) = fixture.pair();
    let data = pattern(16 << 20);
    let sender = send_on_thread(&client, data.clone());
    fixture.net.start(ME, socket).unwrap();
    let mut got = Vec::new();
    while got.len() < data.len() {
        got.extend(fixture.gather(socket, 1));
        fixture.net.resume(socket);
    }
    assert!(got == data);
    sender.join().unwrap();
}

#[test]
fn start_and_pause_against_a_busy_poller() {
    let fixture = Fixture::new();
    let (socket, client) = fixture.pair();
    let data = pattern(16 << 20);
    let sender = send_on_thread(&client, data.clone());
    let done = Arc::new(AtomicBool::new(false));
    let toggler = {
        let (net, done) = (fixture.net.clone(), Arc::clone(&done));
        std::thread::spawn(move || {
            while !done.load(Ordering::SeqCst) {
                net.start(ME, socket).unwrap();
                std::thread::yield_now();
                net.pause(ME, socket).unwrap();
            }
        })
    };
    let got = fixture.gather(socket, data.len());
    done.store(true, Ordering::SeqCst);
    toggler.join().unwrap();
    assert!(got == data);
    sender.join().unwrap();
}

#[test]
fn a_held_listener_keeps_connections_waiting() {
    let fixture =
        Fixture::answering(|event| if matches!(event, NetEvent::Accepted { .. }) { Flow::Pause } else { Flow::Go });
    let (listener, at) = fixture.listen();
    let _clients: Vec<_> = (0..10).map(|_| client(at)).collect();
    for _ in 0..10 {
        assert!(matches!(fixture.next_of(listener), NetEvent::Accepted { .. }));
        assert!(fixture.settle().is_empty(), "accepted while held");
        fixture.net.resume(listener);
    }
}

#[test]
fn one_busy_socket_does_not_keep_the_others_waiting() {
    // A sink that never lets the busy one run dry: the other's byte must still come.
    let fixture = Fixture::new();
    let (busy, client) = fixture.pair();
    let (calm, mut other) = fixture.pair();
    let sender = send_on_thread(&client, pattern(16 << 20));
    fixture.net.start(ME, busy).unwrap();
    fixture.net.start(ME, calm).unwrap();
    other.write_all(b"!").unwrap();
    let mut left = 16 << 20;
    let mut heard = false;
    while left > 0 || !heard {
        match fixture.next() {
            (ME, id, NetEvent::Data(data)) if id == busy => left -= data.len(),
            (ME, id, NetEvent::Data(_)) if id == calm => heard = true,
            other => panic!("{other:?}"),
        }
    }
    sender.join().unwrap();
}
