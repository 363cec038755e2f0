//! Many connections, and no descriptors left.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::time::Instant;

use super::fixture::{Fixture, HANG, ME, client, in_child_with_files};
use crate::net::{Flow, Net, NetEvent, flags};

#[test]
fn a_thousand_connections() {
    if !in_child_with_files(4_096, "limits::a_thousand_connections") {
        return;
    }
    const COUNT: usize = 1_000;
    let fixture = Fixture::new();
    let (listener, at) = fixture.listen();
    let mut clients: Vec<_> = (0..COUNT).map(|_| client(at)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.write_all(&number.to_le_bytes()).unwrap();
    }
    let mut partial: HashMap<_, Vec<u8>> = HashMap::new();
    let mut answered = 0;
    while answered < COUNT {
        match fixture.next() {
            (ME, id, NetEvent::Accepted { socket, .. }) => {
                assert_eq!(id, listener);
                fixture.net.start(ME, socket).unwrap();
            }
            (ME, id, NetEvent::Data(data)) => {
                let got = partial.entry(id).or_default();
                got.extend_from_slice(&data);
                if got.len() == 8 {
                    assert_eq!(fixture.net.write(ME, id, got).unwrap(), 0);
                    answered += 1;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    for (number, client) in clients.iter_mut().enumerate() {
        let mut back = [0; 8];
        client.read_exact(&mut back).unwrap();
        assert_eq!(usize::from_le_bytes(back), number);
    }
    assert_eq!(fixture.net.stats().len(), COUNT + 1);
    fixture.net.close_all(ME);
    for _ in 0..=COUNT {
        assert!(matches!(fixture.next().2, NetEvent::Closed { reason: None }));
    }
    assert_eq!(fixture.net.open_sockets(), 0);
}

/// Open descriptors below this number; looking takes none.
fn descriptors(below: u32) -> u32 {
    let open = |number: &u32| std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok();
    u32::try_from((0..below).filter(open).count()).unwrap()
}

#[test]
fn without_descriptors_connections_are_refused_and_later_ones_taken() {
    const FILES: u32 = 64;
    if !in_child_with_files(FILES, "limits::without_descriptors_connections_are_refused_and_later_ones_taken") {
        return;
    }
    let fixture = Fixture::new();
    let (listener, at) = fixture.listen();
    let mut hoard = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }
    hoard.pop();
    for _ in 0..3 {
        // The one descriptor that is free becomes the client; there is none for its other side.
        let mut refused = client(at);
        assert!(!matches!(refused.read(&mut [0; 8]), Ok(1..)), "nobody can have answered");
        drop(refused);
        // The client's end comes before the poller has its reserve again, for which there is room: only then all is as before.
        let begun = Instant::now();
        while descriptors(FILES) != FILES - 1 {
            assert!(begun.elapsed() < HANG, "the reserve was not filled again");
            std::thread::yield_now();
        }
    }
    // Nothing was accepted, and the poller has got over it: a descriptor that came free in the middle of its refusing
    // would be no help to the next connection. The listener waits for nobody now, so the loop does not spin.
    hoard.pop();
    assert!(fixture.settle().is_empty());
    let state = fixture.net.0.table.get(listener).unwrap();
    assert!(!state.flags.any(flags::READABLE));
    drop(hoard);
    let _taken = client(at);
    assert!(matches!(fixture.next_of(listener), NetEvent::Accepted { .. }));
}

#[test]
fn without_even_the_reserve_connections_wait_until_something_closes() {
    if !in_child_with_files(64, "limits::without_even_the_reserve_connections_wait_until_something_closes") {
        return;
    }
    let (net, poller) = Net::new().unwrap();
    poller.without_reserve();
    let fixture = Fixture::running(net, poller, |_| Flow::Go);
    // Nothing closes before it shall: each close fills the reserve again.
    let (listener, at) = fixture.listen();
    let mut speaker = client(at);
    let NetEvent::Accepted { socket: other, .. } = fixture.next_of(listener) else { panic!() };
    fixture.net.start(ME, other).unwrap();
    let mut hoard = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }
    hoard.pop();
    let _waits = client(at);
    // Edges are served in the order they came: when this byte is here, the poller is done with the connection.
    speaker.write_all(b"!").unwrap();
    assert_eq!(fixture.gather(other, 1), b"!");
    assert!(fixture.quiet(), "there was no descriptor to accept with");
    drop(hoard);
    fixture.net.close(ME, other).unwrap();
    assert_eq!(fixture.next_of(other), NetEvent::Closed { reason: None });
    assert!(matches!(fixture.next_of(listener), NetEvent::Accepted { .. }));
}
