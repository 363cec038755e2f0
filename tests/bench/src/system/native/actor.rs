//! The other side of what is measured; the native twin of the guest `actor`.

use std::hint::black_box;

use bench_protocol::{hop, kind, loops, pack, unpack};
use wasmactor::actor::Turn;
use wasmactor::base::{Address, Body, CallError, ErrorCode, Message, Payload, Session, SocketEvent};
use wasmactor::node::Context;
use wasmactor::node::native::Handler;

#[derive(Default)]
struct Other {
    next: Option<Address>,
    bytes: usize,
    tree: Option<Box<Tree>>,
}

/// A node that waits for its children.
struct Tree {
    session: Session,
    /// Leaves below each child.
    below: u64,
    /// Children that have not answered.
    awaited: u64,
    sum: u64,
}

pub(super) fn handler() -> Handler {
    let mut other = Other::default();
    Box::new(move |cx, message| Turn::Done(other.handle(cx, message).map_err(|error| error.to_string())))
}

impl Other {
    fn handle(&mut self, cx: &mut Context, message: Message) -> Result<(), CallError> {
        match message.body {
            Body::Message { kind, payload, .. } => self.message(cx, kind, payload),
            Body::Socket { event: SocketEvent::Accepted { socket, .. }, .. } => cx.start(socket),
            Body::Socket { socket, event: SocketEvent::Data(bytes) } => cx.write(socket, &bytes).map(|_| ()),
            Body::Socket { socket, event: SocketEvent::End } => cx.close(socket),
            Body::Spawned(child) => {
                let below = self.tree.as_ref().map_or(0, |tree| tree.below);
                cx.request(child?, kind::TREE, Payload::from(pack(&[below])), 0, Session::NONE).map(|_| ())
            }
            Body::Reply(sum) => self.counted(cx, &sum?),
            _ => Ok(()),
        }
    }

    fn counted(&mut self, cx: &mut Context, sum: &[u8]) -> Result<(), CallError> {
        let Some(tree) = &mut self.tree else { return Ok(()) };
        tree.sum += unpack(sum).first().copied().unwrap_or(0);
        tree.awaited -= 1;
        if tree.awaited > 0 {
            return Ok(());
        }
        cx.exit("the tree is counted".to_owned());
        cx.reply(tree.session, Payload::from(pack(&[tree.sum])))
    }

    fn grow(&mut self, cx: &mut Context, payload: &[u8]) -> Result<(), CallError> {
        let leaves = unpack(payload).first().copied().unwrap_or(0);
        if leaves <= 1 {
            cx.exit("a leaf has been counted".to_owned());
            return cx.ret(Payload::from(pack(&[1])));
        }
        self.tree = Some(Box::new(Tree { session: cx.defer()?, below: leaves / 10, awaited: 10, sum: 0 }));
        (0..10).try_for_each(|_| cx.spawn("actor", None, Payload::empty()).map(|_| ()))
    }

    fn message(&mut self, cx: &mut Context, kind: u32, payload: Payload) -> Result<(), CallError> {
        match kind {
            kind::DATA => self.bytes += payload.len(),
            kind::ECHO => return cx.ret(Payload::from(&payload[..])),
            kind::NEXT => self.next = unpack(&payload).first().map(|next| Address::from_raw(*next)),
            kind::TOKEN => {
                let mut token = payload.to_vec();
                return match (hop(&mut token), self.next) {
                    (Some(home), _) => cx.send(Address::from_raw(home), kind::DONE, Payload::empty()),
                    (None, Some(next)) => cx.send(next, kind::TOKEN, Payload::from(token)),
                    (None, None) => Err(CallError::new(ErrorCode::Invalid, "a token came before the ring was closed")),
                };
            }
            kind::LAST => {
                cx.exit("it was the last message".to_owned());
                return cx.ret(Payload::from(&payload[..]));
            }
            kind::TREE => return self.grow(cx, &payload),
            kind::LISTEN => {
                let socket = cx.listen("127.0.0.1:0")?;
                let local = cx.local(socket)?;
                cx.start(socket)?;
                let port = local.rsplit(':').next().and_then(|port| port.parse().ok());
                return cx.ret(Payload::from(pack(&[port.unwrap_or(0)])));
            }
            kind::LOOP => return run_loop(cx, &payload),
            _ => return Err(CallError::new(ErrorCode::Invalid, "no message of this kind is known here")),
        }
        Ok(())
    }
}

fn run_loop(cx: &mut Context, payload: &[u8]) -> Result<(), CallError> {
    let unknown = || CallError::new(ErrorCode::Invalid, "there is no such loop");
    let [which, times] = unpack(payload)[..] else { return Err(unknown()) };
    let (_, run) = usize::try_from(which).ok().and_then(|which| loops::ALL.get(which)).ok_or_else(unknown)?;
    let mut memory = vec![0; loops::BYTES];
    loops::fill(&mut memory);
    let (started, mut result) = (cx.now(), 0);
    for _ in 0..times {
        result = black_box(run(black_box(&mut memory)));
    }
    cx.ret(Payload::from(pack(&[cx.now() - started, result])))
}
