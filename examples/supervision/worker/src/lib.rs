//! A worker: divides, counts what it has divided, leaves when it is told to. It knows nothing of supervisors, and checks
//! nothing: what it cannot divide is a panic.

use serde::Deserialize;
use wasmactor_sdk::exclusive::Actor;
use wasmactor_sdk::{Reply, Result, Sender, actor, exit, info, names, reply};

#[derive(Deserialize)]
struct Args {
    /// The name of an actor without which it does not begin.
    needs: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    Divide(i64, i64),
    /// How many divisions this instance has done.
    Count,
    Leave,
}

struct Worker {
    divided: u64,
}

impl Worker {
    /// Never inlined, so that the report of a crash names it.
    #[inline(never)]
    fn divide(&mut self, a: i64, b: i64) -> i64 {
        let quotient = a / b;
        self.divided += 1;
        quotient
    }
}

impl Actor for Worker {
    type Args = Args;
    type Message = Order;

    fn init(args: Args) -> Result<Self> {
        if let Some(needed) = args.needs {
            names::lookup(&needed)?;
        }
        info!("begins");
        Ok(Self { divided: 0 })
    }

    fn handle(&mut self, order: Order, _from: &Sender) -> Result<Reply> {
        match order {
            Order::Divide(a, b) => reply(self.divide(a, b)),
            Order::Count => reply(self.divided),
            Order::Leave => {
                exit("it was told to leave");
                reply("bye")
            }
        }
    }
}

actor!(Worker);
