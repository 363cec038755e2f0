//! A store: an actor that keeps a share of the keys and answers batches of operations on them. What a batch is: see
//! `kv-wire`. What the operations do: `kv-table`. It keeps its keys when the module is reloaded.
//!
//! What always holds: the operations of a batch are done in their order with nothing between them.

use kv_table::Table;
use kv_wire::BATCH;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use wasmactor_sdk::exclusive::Actor;
use wasmactor_sdk::{Bytes, Keep, Reply, Result, Sender, Timer, actor, done, fail, random, reply_raw, timer};

/// How often keys are looked for whose time is over and that nobody asks for.
const SWEEP: Duration = Duration::from_secs(1);

struct Store {
    table: Table,
    /// A sweep is to come.
    sweeping: bool,
}

impl Actor for Store {
    type Args = ();
    type Message = ();

    fn init((): ()) -> Result<Self> {
        Ok(Self { table: Table::new(random::get(), wall), sweeping: false })
    }

    fn handle(&mut self, (): (), _from: &Sender) -> Result<Reply> {
        done()
    }

    fn raw(&mut self, kind: u32, batch: Vec<u8>, _from: &Sender) -> Result<Reply> {
        if kind != BATCH {
            fail!("a store takes batches (kind {BATCH}), not kind {kind}");
        }
        let replies = self.table.run(&batch)?;
        if self.table.expires() && !self.sweeping {
            self.sweeping = true;
            Timer::after(SWEEP);
        }
        reply_raw(replies)
    }

    fn timeout(&mut self, _timer: Timer) -> Result {
        self.table.sweep();
        self.sweeping = self.table.expires();
        if self.sweeping {
            Timer::after(SWEEP);
        }
        Ok(())
    }
}

/// What the next version gets.
#[derive(Serialize, Deserialize)]
struct Saved {
    table: Bytes,
    sweeping: bool,
}

impl Keep for Store {
    type State = Saved;

    fn save(&self) -> Result<Saved> {
        Ok(Saved { table: Bytes(self.table.save()), sweeping: self.sweeping })
    }

    fn load(saved: Saved, version: &str) -> Result<Self> {
        let mut table = Table::new(random::get(), wall);
        if !table.load(&saved.table.0) {
            fail!("what version {version} has saved is no table");
        }
        Ok(Self { table, sweeping: saved.sweeping })
    }
}

/// Milliseconds since 1970.
fn wall() -> u64 {
    u64::try_from(timer::wall().as_millis()).unwrap_or(u64::MAX)
}

actor!(Store, state);
