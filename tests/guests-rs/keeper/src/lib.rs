//! An interleaved actor that keeps its state over a reload (`async_actor!(…, state)`). Requests that it holds go over; handlers
//! that wait for something do not, so it is exchanged when none is left. It can order its own reload.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wasmactor_sdk::control::{Ps, Reload};
use wasmactor_sdk::interleaved::{AsyncActor, sleep};
use wasmactor_sdk::{Address, Deferred, Held, Keep, Reply, Result, Sender, async_actor, done, later, reply};

#[derive(Deserialize)]
enum Ask {
    Add(u64),
    /// The total, and how often the actor was loaded.
    Total,
    /// Adds what `.gate` answers to this.
    Relay(String),
    /// Adds this after so many milliseconds. Wants no answer.
    Nap(u64, u64),
    /// Is answered by `Release`.
    Hold,
    /// Answers all that are held with this.
    Release(u64),
    /// Orders a reload of its own module, and waits for what becomes of it, or does not.
    Reload(bool),
    /// Those that it may list: names, and how many.
    List,
}

struct Keeper {
    total: Cell<u64>,
    loads: u64,
    /// How often `start` ran, of all instances.
    starts: Cell<u64>,
    held: RefCell<Vec<Deferred>>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    total: u64,
    loads: u64,
    starts: u64,
    held: Vec<Held>,
}

impl Keeper {
    fn says(&self) -> (u64, u64, u64) {
        (self.total.get(), self.loads, self.starts.get())
    }

    fn add(&self, number: u64) {
        self.total.set(self.total.get() + number);
    }
}

impl AsyncActor for Keeper {
    type Args = ();
    type Message = Ask;

    fn init((): ()) -> Result<Self> {
        Ok(Self { total: Cell::new(0), loads: 0, starts: Cell::new(0), held: RefCell::default() })
    }

    async fn start(self: Rc<Self>) -> Result {
        self.starts.set(self.starts.get() + 1);
        Ok(())
    }

    async fn handle(self: Rc<Self>, ask: Ask, from: Sender) -> Result<Reply> {
        match ask {
            Ask::Add(number) => self.add(number),
            Ask::Total => {}
            Ask::Relay(script) => {
                let answer = Address::named(".gate")?.ask_raw(0, script, None).await?;
                self.add(String::from_utf8_lossy(&answer).parse()?);
            }
            Ask::Nap(number, milliseconds) => {
                sleep(Duration::from_millis(milliseconds)).await;
                self.add(number);
                return done();
            }
            Ask::Hold => {
                self.held.borrow_mut().push(from.defer()?);
                return later();
            }
            Ask::Reload(waits) => {
                let order = Reload { module: "keeper", ..Reload::default() }.ask();
                if waits {
                    let reloaded = order.await?;
                    let why: Vec<String> = reloaded.kept.into_iter().map(|kept| kept.why).collect();
                    return reply((reloaded.exchanged, why, reloaded.problem));
                }
                drop(order);
            }
            Ask::List => {
                let listed = Ps::default().ask().await?;
                let rows = listed.actors.iter().map(|row| (&row.name, row.address == Address::own()));
                return reply((rows.collect::<Vec<_>>(), listed.total));
            }
            Ask::Release(number) => {
                for held in self.held.take() {
                    held.reply(&(number, self.loads))?;
                }
            }
        }
        reply(self.says())
    }
}

impl Keep for Keeper {
    type State = Saved;

    /// What is held goes over; a handler that goes on does not.
    fn ready(&self, in_flight: u32) -> bool {
        usize::try_from(in_flight).is_ok_and(|count| count == self.held.borrow().len())
    }

    fn save(&self) -> Result<Saved> {
        let held = self.held.borrow().iter().map(Deferred::held).collect();
        Ok(Saved { total: self.total.get(), loads: self.loads, starts: self.starts.get(), held })
    }

    fn load(saved: Saved, _version: &str) -> Result<Self> {
        let held = saved.held.into_iter().map(Deferred::from).collect();
        let (total, starts) = (Cell::new(saved.total), Cell::new(saved.starts));
        Ok(Self { total, loads: saved.loads + 1, starts, held: RefCell::new(held) })
    }
}

async_actor!(Keeper, state);
