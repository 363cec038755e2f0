//! Does what is measured and takes the time; the native twin of the guest `driver`, as a state machine: each order has a
//! first step and one for each event that follows.

use bench_protocol::{Order, kind, pack, token};
use wasmactor::actor::Turn;
use wasmactor::base::{Address, Body, CallError, ErrorCode, Message, Payload, Session};
use wasmactor::node::Context;
use wasmactor::node::native::Handler;

/// What `kind::LATE` asks of each timer, in milliseconds.
const NAP: u64 = 10;
/// What `kind::ARM` asks of each timer, in milliseconds: an hour, longer than any run.
const HOUR: u64 = 3_600_000;

/// The order that is being carried out.
struct Job {
    kind: u32,
    order: Order,
    /// What is still to do, in the order's own unit.
    left: u64,
    started: u64,
    /// The request to answer; none if it came as a message.
    session: Session,
    source: Address,
    payload: Vec<u8>,
    /// When the timer of `LATE` is due.
    due: u64,
    lateness: Vec<u64>,
    /// The actors that `CROWD` started.
    crowd: Vec<u64>,
    /// Answers so far.
    answers: u64,
}

pub(super) fn handler() -> Handler {
    let mut job: Option<Job> = None;
    Box::new(move |cx, message| Turn::Done(handle(cx, &mut job, message).map_err(|error| error.to_string())))
}

fn handle(cx: &mut Context, job: &mut Option<Job>, message: Message) -> Result<(), CallError> {
    let (source, asked) = (message.source, !message.session.is_none());
    match message.body {
        Body::Message { kind: kind::DONE, .. } => {}
        Body::Message { kind, payload, .. } => {
            let order = Order::decode(&payload);
            let session = if asked { cx.defer()? } else { Session::NONE };
            let payload = vec![b'x'; order.bytes];
            let (left, started) = (order.n, cx.now());
            let (lateness, crowd) = (Vec::new(), Vec::new());
            let new = Job { kind, order, left, started, session, source, payload, due: 0, lateness, crowd, answers: 0 };
            return job.insert(new).begin(cx);
        }
        Body::Reply(Err(error)) | Body::Spawned(Err(error)) => return Err(error),
        Body::Spawned(Ok(child)) => {
            let first = job.as_mut().map_or(kind::LAST, |job| job.born(child));
            return cx.request(child, first, Payload::empty(), 0, Session::NONE).map(|_| ());
        }
        Body::Timeout => {
            if let Some(job) = job {
                job.lateness.push(cx.now().wrapping_sub(job.due));
            }
        }
        _ => {}
    }
    job.as_mut().map_or(Ok(()), |job| job.go_on(cx))
}

impl Job {
    fn target(&self) -> Address {
        Address::from_raw(self.order.target())
    }

    fn ask(&self, cx: &mut Context, payload: &[u8]) -> Result<(), CallError> {
        cx.request(self.target(), kind::ECHO, Payload::from(payload), 0, Session::NONE).map(|_| ())
    }

    fn begin(&mut self, cx: &mut Context) -> Result<(), CallError> {
        match self.kind {
            kind::SEND => self.batch(cx),
            kind::CALL => self.ask(cx, &self.payload),
            kind::SHARE => self.share(cx),
            kind::RING => {
                self.left = 1;
                let token = token(self.order.n, cx.address().raw(), self.order.bytes);
                cx.send(self.target(), kind::TOKEN, Payload::from(token))
            }
            kind::SPAWN | kind::CROWD => cx.spawn("actor", None, Payload::empty()).map(|_| ()),
            kind::ARM => self.arm(cx),
            kind::VISIT => {
                self.left = self.order.targets.len() as u64;
                self.visit(cx)
            }
            kind::COUNT => self.ask(cx, &self.payload),
            kind::LATE => {
                self.nap(cx);
                Ok(())
            }
            _ => Err(CallError::new(ErrorCode::Invalid, "no order of this kind is known here")),
        }
    }

    /// One more answer, end or timer is there.
    fn go_on(&mut self, cx: &mut Context) -> Result<(), CallError> {
        self.answers += 1;
        match self.kind {
            kind::SEND => {}
            kind::COUNT if cx.now() - self.started < self.order.n * 1_000_000 => {}
            kind::COUNT => self.left = 0,
            _ => self.left -= 1,
        }
        if self.left == 0 {
            return self.finish(cx);
        }
        match self.kind {
            kind::SEND => self.batch(cx),
            kind::CALL | kind::COUNT => self.ask(cx, &self.payload),
            kind::SPAWN | kind::CROWD => cx.spawn("actor", None, Payload::empty()).map(|_| ()),
            kind::VISIT => self.visit(cx),
            kind::LATE => {
                self.nap(cx);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn finish(&mut self, cx: &mut Context) -> Result<(), CallError> {
        let numbers = match self.kind {
            kind::LATE => std::mem::take(&mut self.lateness),
            kind::CROWD => [&[cx.now() - self.started], &self.crowd[..]].concat(),
            kind::COUNT => vec![self.answers],
            _ => vec![cx.now() - self.started],
        };
        if self.session.is_none() {
            return cx.send(self.source, kind::DONE, Payload::empty());
        }
        cx.reply(self.session, Payload::from(pack(&numbers)))
    }

    fn batch(&mut self, cx: &mut Context) -> Result<(), CallError> {
        let batch = self.left.min(self.order.batch);
        for _ in 0..batch {
            cx.send(self.target(), kind::DATA, Payload::from(&self.payload[..]))?;
        }
        self.left -= batch;
        self.ask(cx, &[])
    }

    fn share(&mut self, cx: &mut Context) -> Result<(), CallError> {
        let mut shares = self.order.shares();
        self.left = shares.len() as u64;
        shares.try_for_each(|(driver, share)| {
            cx.send(Address::from_raw(driver), self.order.inner, Payload::from(share.encode()))
        })
    }

    /// A new actor: the kind of its first message.
    fn born(&mut self, child: Address) -> u32 {
        if self.kind == kind::CROWD {
            self.crowd.push(child.raw());
            self.order.inner
        } else {
            kind::LAST
        }
    }

    fn visit(&self, cx: &mut Context) -> Result<(), CallError> {
        let next = self.order.targets.len().saturating_sub(usize::try_from(self.left).unwrap_or(0));
        let Some(to) = self.order.targets.get(next) else { return Ok(()) };
        let payload = Payload::from(&self.payload[..]);
        cx.request(Address::from_raw(*to), kind::ECHO, payload, 0, Session::NONE).map(|_| ())
    }

    fn arm(&mut self, cx: &mut Context) -> Result<(), CallError> {
        let mut timers = Vec::with_capacity(usize::try_from(self.order.n).unwrap_or(0));
        self.started = cx.now();
        timers.extend((0..self.order.n).map(|_| cx.timeout(HOUR).expect("native actors have no limit")));
        let took = cx.now() - self.started;
        for timer in timers {
            cx.cancel_timer(timer);
        }
        cx.reply(self.session, Payload::from(pack(&[took])))
    }

    fn nap(&mut self, cx: &mut Context) {
        self.due = cx.now() + NAP * 1_000_000;
        cx.timeout(NAP).expect("native actors have no limit");
    }
}
