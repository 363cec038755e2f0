//! Does what is measured and takes the time; see the protocol for what each order means.
//!
//! Payloads are fresh for each message: the host copies each one out of the guest.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bench_protocol::{Order, kind, pack, token};
use wasmactor_sdk::interleaved::channel::{OneshotSender, oneshot};
use wasmactor_sdk::interleaved::{AsyncActor, sleep, spawn};
use wasmactor_sdk::{Address, Reply, Result, Sender, Timer, async_actor, done, fail, reply_raw, timer};

/// What `kind::LATE` asks of each timer.
const NAP: Duration = Duration::from_millis(10);
/// What `kind::ARM` asks of each timer: longer than any run.
const HOUR: Duration = Duration::from_secs(3600);

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
            kind::GATHER => self.gather(&order).await?,
            kind::RING => self.ring(&order).await?,
            kind::SPAWN => start_and_end(&order).await?,
            kind::ARM => return reply_raw(pack(&[arm(&order)])),
            kind::LATE => return reply_raw(pack(&late(&order).await)),
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
        lateness.push(nanos(timer::now().saturating_sub(due)));
    }
    lateness
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

    async fn gather(&self, order: &Order) -> Result {
        let Some((sink, senders)) = order.targets.split_last() else { fail!("nobody to gather from") };
        let count = senders.len() as u64;
        let share = Order { n: order.n / count, targets: vec![*sink], ..order.clone() };
        for sender in senders {
            Address::from(*sender).send_raw(kind::SEND, &share.encode())?;
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
