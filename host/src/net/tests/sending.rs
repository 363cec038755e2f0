//! What the kernel does not take at once.

use std::io::Read;

use super::fixture::{Fixture, ME, pattern, read_all};
use crate::net::socket::MAX_UNSENT;
use crate::net::{NetError, NetEvent};

const MIB: usize = 1024 * 1024;

#[test]
fn a_slow_reader_gets_every_byte_and_the_backlog_is_reported() {
    let fixture = Fixture::new();
    let (socket, client) = fixture.pair();
    let data = pattern(64 * MIB);
    let mut queued = 0;
    for piece in data.chunks(100_000) {
        let now = fixture.net.write(ME, socket, piece).unwrap();
        assert!(now <= queued + piece.len() as u64);
        queued = now;
    }
    assert!(queued > 32 * MIB as u64, "the kernel took {queued} of {}", data.len());
    let mut reported: Vec<u64> = Vec::new();
    for (_, _, event) in fixture.settle() {
        let NetEvent::Backlog(bytes) = event else { panic!("{event:?}") };
        reported.push(bytes);
    }
    assert!(reported[0] >= MIB as u64, "{reported:?}");
    assert!(reported.is_sorted_by(|a, b| b / (MIB as u64) >= a / (MIB as u64) * 2), "{reported:?}");
    assert!(*reported.last().unwrap() * 2 > queued, "{reported:?} of {queued}");

    let mut got = vec![0; data.len()];
    (&client).read_exact(&mut got).unwrap();
    assert!(got == data);
    assert_eq!(fixture.next_of(socket), NetEvent::Backlog(0));
    assert_eq!(fixture.net.write(ME, socket, b"more").unwrap(), 0, "direct again");
    let info = fixture.net.stats()[0].clone();
    assert_eq!((info.backlog, info.bytes_out), (0, data.len() as u64 + 4));
    assert!(fixture.settle().is_empty(), "nothing more to report");
}

#[test]
fn a_reader_at_full_speed_gets_every_byte() {
    // The writer and the poller both send all the time, in turns: the place where an edge could get lost.
    let fixture = Fixture::new();
    let (socket, client) = fixture.pair();
    let data = pattern(24 * MIB);
    let expected = data.clone();
    let reader = std::thread::spawn(move || {
        let mut got = vec![0; expected.len()];
        (&client).read_exact(&mut got).unwrap();
        assert!(got == expected);
    });
    for piece in data.chunks(30_000) {
        fixture.net.write(ME, socket, piece).unwrap();
    }
    reader.join().unwrap();
}

#[test]
fn many_small_bursts_never_get_stuck() {
    // Fill the kernel's buffer, let the other side take all of it, again and again.
    let fixture = Fixture::new();
    let (socket, mut client) = fixture.pair();
    let burst = pattern(6 * MIB);
    let mut got = vec![0; burst.len()];
    for _ in 0..30 {
        for piece in burst.chunks(500_000) {
            fixture.net.write(ME, socket, piece).unwrap();
        }
        client.read_exact(&mut got).unwrap();
        assert!(got == burst);
    }
}

#[test]
fn close_sends_what_is_queued_first() {
    let fixture = Fixture::new();
    let (socket, client) = fixture.pair();
    let data = pattern(16 * MIB);
    assert!(fixture.net.write(ME, socket, &data).unwrap() > 0);
    fixture.net.close(ME, socket).unwrap();
    assert!(matches!(fixture.net.write(ME, socket, b"late"), Err(NetError::Closed(_))));
    assert!(fixture.net.stats()[0].closing);
    let got = read_all(&client);
    assert!(got == data);
    let mut events = std::iter::repeat_with(|| fixture.next_of(socket));
    assert_eq!(events.find(|event| !matches!(event, NetEvent::Backlog(_))), Some(NetEvent::Closed { reason: None }));
}

#[test]
fn shutdown_sends_what_is_queued_first_and_reading_goes_on() {
    let fixture = Fixture::new();
    let (socket, client) = fixture.pair();
    fixture.net.start(ME, socket).unwrap();
    let data = pattern(16 * MIB);
    fixture.net.write(ME, socket, &data).unwrap();
    fixture.net.shutdown(ME, socket).unwrap();
    fixture.net.shutdown(ME, socket).unwrap();
    let error = fixture.net.write(ME, socket, b"late").unwrap_err();
    assert!(error.to_string().contains("shut down"), "{error}");
    assert!(read_all(&client) == data);
    std::io::Write::write_all(&mut &client, b"answer").unwrap();
    let mut events = std::iter::repeat_with(|| fixture.next_of(socket));
    let data = events.find(|event| !matches!(event, NetEvent::Backlog(_)));
    assert_eq!(data, Some(NetEvent::Data(b"answer".to_vec().into())));
}

#[test]
fn what_waits_is_limited() {
    let fixture = Fixture::new();
    let (socket, _client) = fixture.pair();
    let too_much = vec![0; usize::try_from(MAX_UNSENT).unwrap() + 1];
    let error = fixture.net.write(ME, socket, &too_much).unwrap_err();
    assert!(matches!(error, NetError::Full { queued: 0, .. }), "{error}");
    assert_eq!(fixture.net.write(ME, socket, b"still open").unwrap(), 0);
}
