//! The core's parts alone, one thread: what each costs a message. `cargo bench -p wasmactor-bench`.

use divan::{Bencher, black_box, counter::ItemsCount};
use wasmactor::actor::Table;
use wasmactor::base::{Address, Body, Message, Payload, Session};
use wasmactor::sched::run_queue::Cursor;
use wasmactor::sched::{Bounds, Chain, Letter, Mailbox, RunQueue, Tag};
use wasmactor::time::Wheel;

/// That of the binary `wasmactor`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

const SIZES: [usize; 3] = [32, 1024, 65_536];
/// Where a bench is about a list of things.
const MANY: u64 = 1000;

fn to() -> Address {
    Address::new(0, 0, 1)
}

fn letter(payload: Payload) -> Letter {
    let body = Body::Message { kind: 1, payload, deadline: 0 };
    Letter::new(Message { source: Address::HOST, session: Session::NONE, body })
}

/// An open mailbox that rests.
fn mailbox() -> Mailbox {
    let mailbox = Mailbox::default();
    mailbox.open(to(), Tag::default(), Bounds::of(65_536));
    let _ = mailbox.rest();
    mailbox
}

/// One message in, out, and to rest: a turn of an actor that has nothing else to do.
#[divan::bench]
fn mailbox_push_take_rest(bencher: Bencher<'_, '_>) {
    let mailbox = mailbox();
    let mut batch = Chain::default();
    bencher.bench_local(|| {
        let _ = mailbox.push(to(), letter(Payload::empty()), |_| true);
        let _ = mailbox.take(&mut batch, false);
        let _ = mailbox.rest();
        mailbox.begin(&mut batch)
    });
}

/// A thousand messages in, taken whole as a worker does it, then begun one by one.
#[divan::bench]
fn mailbox_fill_and_empty(bencher: Bencher<'_, '_>) {
    let mailbox = mailbox();
    let mut batch = Chain::default();
    bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
        for _ in 0..MANY {
            let _ = mailbox.push(to(), letter(Payload::empty()), |_| true);
        }
        let _ = mailbox.take(&mut batch, false);
        while mailbox.begin(&mut batch).is_some() {}
        let _ = mailbox.rest();
    });
}

/// Into the run-next slot and out of it.
#[divan::bench]
fn run_queue_next(bencher: Bencher<'_, '_>) {
    let (queue, mut cursor) = (RunQueue::new(1), Cursor::default());
    bencher.bench_local(|| {
        queue.push(Some(0), 1);
        queue.take(0, &mut cursor, &())
    });
}

/// To the tail of a worker's queue and out of it.
#[divan::bench]
fn run_queue_local(bencher: Bencher<'_, '_>) {
    let (queue, mut cursor) = (RunQueue::new(1), Cursor::default());
    bencher.bench_local(|| {
        queue.push_tail(0, 1);
        queue.take(0, &mut cursor, &())
    });
}

/// Into the global queue and out of it.
#[divan::bench]
fn run_queue_global(bencher: Bencher<'_, '_>) {
    let (queue, mut cursor) = (RunQueue::new(1), Cursor::default());
    bencher.bench_local(|| {
        queue.push(None, 1);
        queue.take(0, &mut cursor, &())
    });
}

/// A wheel with so many timers of up to ten seconds.
fn wheel(timers: u64) -> Wheel<u64> {
    let mut wheel = Wheel::new();
    for timer in 0..timers {
        wheel.insert(1 + timer * 7919 % 10_000, timer);
    }
    wheel
}

/// The life of most timers: a deadline that is not needed.
#[divan::bench(args = [0, 100_000])]
fn wheel_arm_cancel(bencher: Bencher<'_, '_>, others: u64) {
    let mut wheel = wheel(others);
    bencher.bench_local(|| {
        let key = wheel.insert(black_box(5000), 1);
        wheel.cancel(key)
    });
}

/// A thousand timers armed and fired, cascades included.
#[divan::bench]
fn wheel_arm_fire(bencher: Bencher<'_, '_>) {
    let mut wheel: Wheel<u64> = Wheel::new();
    let mut now = 0;
    bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
        for timer in 0..MANY {
            wheel.insert(now + 1 + timer * 7919 % 10_000, timer);
        }
        now += 10_000;
        wheel.advance(now, |timer| {
            black_box(timer);
        });
    });
}

/// From an address to its slot, over a thousand actors.
#[divan::bench]
fn table_lookup(bencher: Bencher<'_, '_>) {
    let table: Table<()> = Table::new(0, 1);
    let addresses: Vec<Address> =
        (0..MANY).filter_map(|_| table.reserve(Some(0)).map(|(address, _)| address)).collect();
    let mut next = addresses.iter().cycle();
    bencher.bench_local(|| next.next().and_then(|address| table.get(*address)).is_some());
}

/// A slot taken and given back.
#[divan::bench]
fn table_reserve_release(bencher: Bencher<'_, '_>) {
    let table: Table<()> = Table::new(0, 1);
    bencher.bench_local(|| {
        if let Some((address, _)) = table.reserve(Some(0)) {
            table.release(Some(0), address);
        }
    });
}

/// What a send allocates, copies and frees.
#[divan::bench(args = SIZES)]
fn payload_copy_and_drop(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = vec![1_u8; size];
    bencher.bench_local(|| drop(black_box(Payload::from(black_box(&bytes[..])))));
}

/// One receiver's share of a broadcast.
#[divan::bench(args = SIZES)]
fn payload_share(bencher: Bencher<'_, '_>, size: usize) {
    let shared = Payload::from(vec![1_u8; size]).into_shared();
    bencher.bench_local(|| black_box(shared.clone()));
}
