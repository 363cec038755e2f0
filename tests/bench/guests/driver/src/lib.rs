//! Does what is measured and takes the time; see the protocol for what each order means.
//!
//! Payloads are fresh for each message: the host copies each one out of the guest.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bench_protocol::{Order, kind, pack, token};
use wasmactor_sdk::interleaved::channel::{OneshotSender, oneshot};
use wasmactor_sdk::interleaved::{AsyncActor, sleep, spawn};
use wasmactor_sdk::{Address, ErrorCode, Reply, Result, Sender, Timer, async_actor, done, fail, reply_raw, timer};

/// What `kind::LATE` asks of each timer.
const NAP: Duration = Duration::from_millis(10);
/// What `kind::ARM` asks of each timer: longer than any run.
const HOUR: Duration = Duration::from_secs(3600);

/// Between two calls of `kind::PROBE`, and two waves of `kind::FLOOD`.
const PAUSE: Duration = Duration::from_millis(1);

#[derive(Default)]
struct Driver {
    /// How many `DONE` messages are awaited, and who does.
    awaited: RefCell<Option<(u64, OneshotSender<()>)>>,
}

impl AsyncActor for Driver {
    type Args = ();
    type Message = ();

    fn init((): ()) -> Result<Self> {
        Ok(Self::default())
    }

    async fn handle(self: Rc<Self>, (): (), _from: Sender) -> Result<Reply> {
        fail!("the bench sends raw payloads")
    }

    async fn raw(self: Rc<Self>, kind: u32, payload: Vec<u8>, from: Sender) -> Result<Reply> {
        if kind == kind::DONE {
            self.one_done();
            return done();
        }
        let order = Order::decode(&payload);
        let started = timer::now();
        match kind {
            kind::SEND => send(&order).await?,
            kind::CALL => call(&order).await?,
            kind::SHARE => self.share(&order).await?,
            kind::RING => self.ring(&order).await?,
            kind::SPAWN => start_and_end(&order).await?,
            kind::ARM => return reply_raw(pack(&[arm(&order)])),
            kind::LATE => return reply_raw(pack(&late(&order).await)),
            kind::CROWD => return reply_raw(pack(&crowd(&order).await?)),
            kind::VISIT => visit(&order).await?,
            kind::COUNT => return reply_raw(pack(&[count(&order).await?])),
            kind::PROBE => return reply_raw(pack(&probe(&order).await?)),
            kind::FLOOD => return reply_raw(pack(&flood(&order).await?)),
            kind => fail!("no order of kind {kind} is known here"),
        }
        let took = nanos(timer::now() - started);
        if !from.wants_reply() {
            from.address().send_raw(kind::DONE, &[])?;
        }
        reply_raw(pack(&[took]))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

async fn send(order: &Order) -> Result {
    let (to, payload) = (Address::from(order.target()), vec![b'x'; order.bytes]);
    let mut left = order.n;
    while left > 0 {
        let batch = left.min(order.batch);
        for _ in 0..batch {
            to.send_raw(kind::DATA, &payload)?;
        }
        to.ask_raw(kind::ECHO, Vec::new(), None).await?;
        left -= batch;
    }
    Ok(())
}

async fn call(order: &Order) -> Result {
    let to = Address::from(order.target());
    let mut payload = vec![b'x'; order.bytes];
    for _ in 0..order.n {
        payload = to.ask_raw(kind::ECHO, payload, None).await?;
    }
    Ok(())
}

async fn start_and_end(order: &Order) -> Result {
    for _ in 0..order.n {
        let child = spawn("actor", None, &()).await?;
        child.ask_raw(kind::LAST, Vec::new(), None).await?;
    }
    Ok(())
}

fn arm(order: &Order) -> u64 {
    let mut timers = Vec::with_capacity(usize::try_from(order.n).unwrap_or(0));
    let started = timer::now();
    timers.extend((0..order.n).map(|_| Timer::after(HOUR)));
    let took = nanos(timer::now() - started);
    for timer in timers {
        timer.cancel();
    }
    took
}

async fn late(order: &Order) -> Vec<u64> {
    let mut lateness = Vec::new();
    for _ in 0..order.n {
        let due = timer::now() + NAP;
        sleep(NAP).await;
        lateness.push(nanos(timer::now()).wrapping_sub(nanos(due)));
    }
    lateness
}

/// Nanoseconds, then the addresses.
async fn crowd(order: &Order) -> Result<Vec<u64>> {
    let mut numbers = vec![0];
    let started = timer::now();
    for _ in 0..order.n {
        let child = spawn("actor", None, &()).await?;
        child.ask_raw(order.inner, Vec::new(), None).await?;
        numbers.push(child.get());
    }
    numbers[0] = nanos(timer::now() - started);
    Ok(numbers)
}

async fn visit(order: &Order) -> Result {
    for target in &order.targets {
        Address::from(*target).ask_raw(kind::ECHO, vec![b'x'; order.bytes], None).await?;
    }
    Ok(())
}

async fn count(order: &Order) -> Result<u64> {
    let (to, end) = (Address::from(order.target()), timer::now() + Duration::from_millis(order.n));
    let mut calls = 0;
    while timer::now() < end {
        to.ask_raw(kind::ECHO, vec![b'x'; order.bytes], None).await?;
        calls += 1;
    }
    Ok(calls)
}

async fn probe(order: &Order) -> Result<Vec<u64>> {
    let (to, mut took) = (Address::from(order.target()), Vec::new());
    for _ in 0..order.n {
        sleep(PAUSE).await;
        let started = timer::now();
        to.ask_raw(kind::ECHO, vec![b'x'; order.bytes], None).await?;
        took.push(nanos(timer::now() - started));
    }
    Ok(took)
}

async fn flood(order: &Order) -> Result<[u64; 2]> {
    let (to, payload, mut counts) = (Address::from(order.target()), pack(&[0, 1]), [0, 0]);
    let end = timer::now() + Duration::from_millis(order.n);
    while timer::now() < end {
        for _ in 0..order.batch {
            match to.send_raw(kind::LOOP, &payload) {
                Ok(()) => counts[0] += 1,
                Err(error) if error.code == ErrorCode::MailboxFull => counts[1] += 1,
                Err(error) => return Err(error.into()),
            }
        }
        sleep(PAUSE).await;
    }
    Ok(counts)
}

impl Driver {
    async fn wait(&self, count: u64) {
        let (sender, receiver) = oneshot();
        *self.awaited.borrow_mut() = Some((count, sender));
        // The sender is kept until the last one is done, so the wait ends by its word.
        let _ = receiver.await;
    }

    fn one_done(&self) {
        let mut awaited = self.awaited.borrow_mut();
        if let Some((left, _)) = awaited.as_mut() {
            *left -= 1;
            if *left == 0
                && let Some((_, sender)) = awaited.take()
            {
                // Nobody waits any more: then nobody misses it.
                let _ = sender.send(());
            }
        }
    }

    async fn share(&self, order: &Order) -> Result {
        let shares = order.shares();
        let count = shares.len() as u64;
        for (driver, share) in shares {
            Address::from(driver).send_raw(order.inner, &share.encode())?;
        }
        self.wait(count).await;
        Ok(())
    }

    async fn ring(&self, order: &Order) -> Result {
        let token = token(order.n, Address::own().get(), order.bytes);
        Address::from(order.target()).send_raw(kind::TOKEN, &token)?;
        self.wait(1).await;
        Ok(())
    }
}

async_actor!(Driver);
