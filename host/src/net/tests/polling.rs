//! Who polls: a worker that comes for it, and the socket thread when none does.

use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::fixture::{HANG, ME, client};
use crate::base::sync::Mutex;
use crate::base::sync::atomic::{AtomicUsize, Ordering};
use crate::net::poller::Duty;
use crate::net::{Flow, Net, NetEvent, Owner, Poller, Sink, SocketId};

type Report = (&'static str, SocketId, NetEvent);

/// Reports by which thread, and counts.
struct Named(&'static str, Mutex<Sender<Report>>, AtomicUsize);

impl Sink for Named {
    fn has_room(&self, _: Owner, _: usize) -> bool {
        true
    }

    fn socket(&self, _owner: Owner, id: SocketId, event: NetEvent) -> Flow {
        let _ = self.1.lock().send((self.0, id, event));
        self.2.fetch_add(1, Ordering::Relaxed);
        Flow::Go
    }
}

/// Stops the net at the end of a test, however it ends.
struct Stop<'a>(&'a Net);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// The duty, once the socket thread has given it up.
fn claim(poller: &Poller) -> Duty<'_> {
    loop {
        if let Some(duty) = poller.claim() {
            return duty;
        }
        std::thread::yield_now();
    }
}

#[track_caller]
fn next(reports: &Receiver<Report>) -> Report {
    reports.recv_timeout(HANG).expect("nothing was reported")
}

#[test]
fn a_worker_that_wants_to_polls_and_else_the_socket_thread() {
    let (net, poller) = Net::new().unwrap();
    assert!(poller.claim().is_none(), "there is no socket");
    let (sender, reports) = channel();
    let worker = Named("worker", Mutex::new(sender.clone()), AtomicUsize::new(0));
    let socket = Named("socket", Mutex::new(sender), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| poller.run(&socket).unwrap());
        // Also when an assertion fails: else the scope would wait for the socket thread for ever.
        let _stop = Stop(&net);
        let (_, at) = net.listen(ME, "127.0.0.1:0".parse().unwrap()).unwrap();
        let mut client = client(at);
        let (by, _, NetEvent::Accepted { socket: id, .. }) = next(&reports) else { panic!() };
        assert_eq!(by, "socket");
        net.start(ME, id).unwrap();
        let data = |byte: u8, by| (by, id, NetEvent::Data(vec![byte].into()));
        for watch_sleeps in [false, true] {
            // The socket thread waits in the kernel; this event ends that, and a worker that has asked comes next.
            assert!(poller.claim().is_none());
            client.write_all(b"1").unwrap();
            assert_eq!(next(&reports), data(b'1', "socket"));
            let (claimed, is_claimed) = channel();
            let (poller, worker) = (&poller, &worker);
            scope.spawn(move || {
                let mut duty = claim(poller);
                claimed.send(()).unwrap();
                // A ring that comes late ends a wait with nothing to serve.
                let before = worker.2.load(Ordering::Relaxed);
                while worker.2.load(Ordering::Relaxed) == before {
                    duty.wait().unwrap();
                    duty.serve(worker);
                }
            });
            // Where the worker's thread starts late, the socket thread waits in the kernel again: a ring ends that, too.
            let asked = Instant::now();
            while is_claimed.recv_timeout(Duration::from_millis(5)).is_err() {
                assert!(asked.elapsed() < HANG, "the socket thread keeps the duty");
                net.ring();
            }
            while watch_sleeps && !poller.watch_sleeps() {
                std::thread::yield_now();
            }
            client.write_all(b"2").unwrap();
            assert_eq!(next(&reports), data(b'2', "worker"));
            // The worker does not come back: it is stuck in a turn.
            client.write_all(b"3").unwrap();
            assert_eq!(next(&reports), data(b'3', "socket"));
        }
    });
    assert!(poller.claim().is_none(), "after the stop nobody polls");
}

#[test]
fn a_ring_ends_a_wait() {
    let (net, poller) = Net::new().unwrap();
    let (_, _) = net.listen(ME, "127.0.0.1:0".parse().unwrap()).unwrap();
    let mut duty = claim(&poller);
    // One that comes before the wait counts too.
    net.ring();
    duty.wait().unwrap();
    drop(duty);
    std::thread::scope(|scope| {
        scope.spawn(|| claim(&poller).wait().unwrap());
        net.ring();
    });
}
