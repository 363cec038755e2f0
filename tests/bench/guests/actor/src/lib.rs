//! The other side of what is measured: it counts, echoes, hands tokens on, serves TCP, grows trees. One module for all
//! of it: an actor does what it is asked.

use std::hint::black_box;
use std::time::Duration;

use bench_protocol::{Stretches, hop, kind, loops, pack, unpack};
use wasmactor_sdk::exclusive::{Actor, Asked};
use wasmactor_sdk::lifecycle::{Birth, spawn_later};
use wasmactor_sdk::{
    Address, Deferred, Error, Reply, Result, Sender, Socket, SocketEvent, Timer, actor, done, exit, fail, later,
    reply_raw, socket, timer,
};

const HOUR: Duration = Duration::from_secs(3600);

#[derive(Default)]
struct Other {
    next: Option<Address>,
    bytes: usize,
    /// Boxed: it is the affair of few.
    tree: Option<Box<Tree>>,
}

/// A node that waits for its children.
struct Tree {
    token: Deferred,
    /// Leaves below each child.
    below: u64,
    /// Children that have not answered.
    awaited: u64,
    sum: u64,
}

impl Actor for Other {
    type Args = ();
    type Message = ();

    fn init((): ()) -> Result<Self> {
        Ok(Self::default())
    }

    fn handle(&mut self, (): (), _from: &Sender) -> Result<Reply> {
        fail!("the bench sends raw payloads")
    }

    fn raw(&mut self, kind: u32, mut payload: Vec<u8>, from: &Sender) -> Result<Reply> {
        match kind {
            kind::DATA => self.bytes += payload.len(),
            kind::ECHO => return reply_raw(payload),
            kind::NEXT => self.next = unpack(&payload).first().map(|next| Address::from(*next)),
            kind::TOKEN => match (hop(&mut payload), self.next) {
                (Some(home), _) => Address::from(home).send_raw(kind::DONE, &[])?,
                (None, Some(next)) => next.send_raw(kind::TOKEN, &payload)?,
                (None, None) => fail!("a token came before the ring was closed"),
            },
            kind::LAST => {
                exit("it was the last message");
                return reply_raw(payload);
            }
            kind::LISTEN => return listen(),
            kind::SPIN => loop {
                self.bytes = black_box(self.bytes.wrapping_add(1));
            },
            kind::TREE => return self.grow(&payload, from),
            kind::ALARM => {
                Timer::after(HOUR);
                return reply_raw(payload);
            }
            kind::WATCH => return watch(&payload),
            kind::LOOP => return run_loop(&payload),
            kind => fail!("no message of kind {kind} from {} is known here", from.address()),
        }
        done()
    }

    fn socket(&mut self, socket: Socket, event: SocketEvent) -> Result {
        match event {
            SocketEvent::Accepted { socket, .. } => socket.start()?,
            SocketEvent::Data(bytes) => {
                socket.write(&bytes)?;
            }
            SocketEvent::End => socket.close()?,
            _ => {}
        }
        Ok(())
    }

    fn spawned(&mut self, _birth: Birth, outcome: Result<Address, Error>) -> Result {
        let Some(tree) = &self.tree else { fail!("a child of no tree") };
        outcome?.request_raw(kind::TREE, &pack(&[tree.below]), None)?;
        Ok(())
    }

    fn answer(&mut self, _request: Asked, outcome: Result<Vec<u8>, Error>) -> Result {
        let Some(tree) = &mut self.tree else { fail!("an answer to no tree") };
        tree.sum += unpack(&outcome?).first().copied().unwrap_or(0);
        tree.awaited -= 1;
        if tree.awaited == 0
            && let Some(tree) = self.tree.take()
        {
            exit("the tree is counted");
            tree.token.reply_raw(&pack(&[tree.sum]))?;
        }
        Ok(())
    }
}

impl Other {
    fn grow(&mut self, payload: &[u8], from: &Sender) -> Result<Reply> {
        let leaves = unpack(payload).first().copied().unwrap_or(0);
        if leaves <= 1 {
            exit("a leaf has been counted");
            return reply_raw(pack(&[1]));
        }
        self.tree = Some(Box::new(Tree { token: from.defer()?, below: leaves / 10, awaited: 10, sum: 0 }));
        for _ in 0..10 {
            spawn_later("actor", None, &())?;
        }
        later()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn watch(payload: &[u8]) -> Result<Reply> {
    let time = unpack(payload).first().copied().unwrap_or(0);
    let end = timer::now() + Duration::from_millis(time);
    let mut stretches = Stretches::default();
    loop {
        let now = timer::now();
        stretches.look(nanos(now));
        if now >= end {
            return reply_raw(pack(&stretches.ended));
        }
    }
}

fn run_loop(payload: &[u8]) -> Result<Reply> {
    let [which, times] = unpack(payload)[..] else { fail!("which loop, and how often?") };
    let Some((_, run)) = usize::try_from(which).ok().and_then(|which| loops::ALL.get(which)) else {
        fail!("there is no loop {which}")
    };
    let mut memory = vec![0; loops::BYTES];
    loops::fill(&mut memory);
    let (started, mut result) = (timer::now(), 0);
    for _ in 0..times {
        result = black_box(run(black_box(&mut memory)));
    }
    reply_raw(pack(&[nanos(timer::now() - started), result]))
}

fn listen() -> Result<Reply> {
    let socket = socket::listen("127.0.0.1:0")?;
    let local = socket.local()?;
    let port = local.rsplit(':').next().and_then(|port| port.parse().ok());
    let Some(port) = port else { fail!("`{local}` has no port") };
    socket.start()?;
    reply_raw(pack(&[port]))
}

actor!(Other);
