//! A driver that parks in its calls; see `kind::CALL` of the protocol.

use bench_protocol::{Order, kind, pack};
use wasmactor_sdk::exclusive::Actor;
use wasmactor_sdk::{Address, Reply, Result, Sender, actor, fail, reply_raw, timer};

struct Caller;

impl Actor for Caller {
    type Args = ();
    type Message = ();

    fn init((): ()) -> Result<Self> {
        Ok(Self)
    }

    fn handle(&mut self, (): (), _from: &Sender) -> Result<Reply> {
        fail!("the bench sends raw payloads")
    }

    fn raw(&mut self, kind: u32, payload: Vec<u8>, _from: &Sender) -> Result<Reply> {
        if kind != kind::CALL {
            fail!("no order of kind {kind} is known here");
        }
        let order = Order::decode(&payload);
        let (to, payload) = (Address::from(order.target()), vec![b'x'; order.bytes]);
        let started = timer::now();
        for _ in 0..order.n {
            to.call_raw(kind::ECHO, &payload, None)?;
        }
        let took = timer::now() - started;
        reply_raw(pack(&[u64::try_from(took.as_nanos())?]))
    }
}

actor!(Caller);
