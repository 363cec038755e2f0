//! What everything on this node shares, and what actors can do with it. Used by the worker, timer, monitor and
//! socket threads, by the sandbox, and by boot.
//!
//! | file | what |
//! |---|---|
//! | `context` | what one actor may act through, and what the host keeps for it |
//! | `deliver` | a message, or an answer, into a mailbox |
//! | `messaging`, `blocking` | send, request, reply; exclusive calls |
//! | `deadline` | when time is over |
//! | `budget` | how much all may use together |
//! | `allowance` | what is in force for an actor, beside what it uses |
//! | `limits`, `quota`, `log_rate` | how much one actor may use; its share of a core; its lines in the log |
//! | `spawn`, `exit` | birth and death |
//! | `supervise`, `restart`, `links` | restarts by policy, what an actor keeps over one, ends that go on to others |
//! | `lifecycle`, `names`, `timers`, `sockets`, `log` | the rest of an actor's imports |
//! | `view`, `inspect` | actors as they are seen from outside; what only their own thread knows, and each turn |
//! | `metrics` | what actors use, how long turns and waits are |
//! | `reload`, `exchange`, `editions` | another version of a module: for all of its actors; for one; which there are |
//! | `crash` | what is left of an actor that faulted |
//! | `slice`, `waker` | time slices and kills in the middle of a turn; wake-ups |
//! | `turn`, `turn_kind` | one mailbox's share of messages through its behavior |
//! | `order` | what operators do, ordered by actors |
//! | `outside` | requests from outside the actors: boot, signals, benches |
//! | `native` | behaviors in Rust, for tests and benches |
//!
//! Must hold: nothing here, or below, knows wasm. Locks are leaves: none is held while another one is taken, except
//! the core lock of the actor that a worker runs, and the
//! watchers' lock, under which a mailbox may be asked whether its actor lives.

pub mod allowance;
pub mod blocking;
pub mod budget;
pub mod context;
pub mod crash;
pub mod deadline;
pub mod deliver;
mod editions;
mod exchange;
pub mod exit;
pub mod inspect;
pub mod lifecycle;
pub mod limits;
mod links;
pub mod log;
mod log_rate;
mod long;
pub mod messaging;
pub mod metrics;
pub mod names;
pub mod native;
pub mod order;
pub mod outside;
pub mod quota;
pub mod reload;
mod restart;
pub mod slice;
pub mod sockets;
pub mod spawn;
pub mod step;
pub mod supervise;
pub mod timers;
pub mod turn;
pub mod turn_kind;
pub mod view;
pub mod waker;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

pub use budget::Budget;
pub use context::{Awaited, Context};
pub use editions::Edition;
pub use limits::Limits;
pub use metrics::{ActorStats, MemoryGauge, TimesRead};
pub use reload::{ReloadError, ReloadOptions, ReloadReport};
pub use slice::Slice;
pub use spawn::{ModuleEntry, SpawnSpec};
pub use view::{ActorView, Names, State, Watch};

use crate::actor::{Population, Registry, Table};
use crate::base::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::base::sync::{Arc, Mutex, OnceLock, Padded, RwLock};
use crate::base::{Address, Session, Signal};
use crate::net::Net;
use crate::sched::RunQueue;
use crate::time::Clock;

/// Settings of a node; `Default` gives those of the manifest's `[host]` table.
#[derive(Clone, Debug)]
pub struct NodeOptions {
    /// Worker threads.
    pub workers: usize,
    /// Deadline of a request that names none.
    pub call_timeout: Duration,
    /// Bytes of a payload that comes from outside.
    pub payload: usize,
    /// How long a turn keeps its worker while others wait.
    pub slice: Duration,
    /// What all actors together may have.
    pub budget: Budget,
    /// Entries of the manifest's `[env]` table.
    pub env: BTreeMap<String, String>,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            call_timeout: Duration::from_secs(5),
            payload: Limits::default().payload,
            slice: Duration::from_millis(1),
            budget: Budget::default(),
            env: BTreeMap::new(),
        }
    }
}

/// What interrupts the guests in the middle of their turns: the sandbox's epoch.
pub type Tick = Box<dyn Fn() + Send + Sync>;

/// See the file's head.
pub struct Node {
    pub(in crate::node) options: NodeOptions,
    pub(in crate::node) table: Table<Context>,
    pub(in crate::node) registry: Registry,
    pub(in crate::node) run: RunQueue,
    pub(in crate::node) clock: Clock,
    pub(in crate::node) timers: timers::Timers,
    pub(in crate::node) net: Net,
    pub(in crate::node) modules: editions::Modules,
    pub(in crate::node) exchanges: reload::Exchanges,
    pub(in crate::node) labels: RwLock<Vec<Arc<str>>>,
    pub(in crate::node) subscribers: Mutex<Vec<(Signal, Address)>>,
    pub(in crate::node) outside: outside::Outside,
    /// The first session of the next block; contexts take blocks of `SESSION_BLOCK`.
    sessions: Padded<AtomicU64>,
    pub(in crate::node) population: Population,
    /// Set when the host stops: spawns are refused.
    pub(in crate::node) stopping: AtomicBool,
    /// Actors without a parent that ended by a fault or an error of `init`.
    pub(in crate::node) failed: AtomicUsize,
    pub(in crate::node) ticks: RwLock<Vec<Tick>>,
    pub(in crate::node) supervision: supervise::Supervision,
    /// The process has used up its budget of memory.
    pub(in crate::node) short: Padded<AtomicBool>,
    /// It was said that mailboxes hold as much as they may.
    pub(in crate::node) crowded: AtomicBool,
    pub(in crate::node) eyes: inspect::Eyes,
    pub(in crate::node) crashes: OnceLock<crash::Crashes>,
    pub(in crate::node) orders: order::Orders,
}

/// Sessions that a context takes at a time, so that the counter's cache line is seldom touched. Blocks begin at multiples
/// of this; the first number of each is not used, so that a context can tell a block that is used up by its next number.
pub(in crate::node) const SESSION_BLOCK: u64 = 64;

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("alive", &self.alive()).finish_non_exhaustive()
    }
}

impl Node {
    /// A node without threads: somebody must run its loops (`threads::Threads` does, tests do by hand).
    pub fn new(options: NodeOptions, clock: Clock, net: Net) -> Arc<Self> {
        let bell = net.clone();
        Arc::new(Self {
            table: Table::with_room(0, options.workers, options.budget.actors),
            registry: Registry::default(),
            run: RunQueue::with_ring(options.workers, move || bell.ring()),
            timers: timers::Timers::new(),
            modules: editions::Modules::default(),
            exchanges: reload::Exchanges::default(),
            labels: RwLock::new(Vec::new()),
            subscribers: Mutex::new(Vec::new()),
            outside: outside::Outside::default(),
            sessions: Padded(AtomicU64::new(0)),
            population: Population::new(options.workers),
            stopping: AtomicBool::new(false),
            failed: AtomicUsize::new(0),
            ticks: RwLock::new(Vec::new()),
            supervision: supervise::Supervision::default(),
            short: Padded::default(),
            crowded: AtomicBool::new(false),
            eyes: inspect::Eyes::default(),
            crashes: OnceLock::new(),
            orders: order::Orders::default(),
            options,
            clock,
            net,
        })
    }

    /// Settings.
    pub fn options(&self) -> &NodeOptions {
        &self.options
    }

    /// The one clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The run queue, for the worker threads and the monitor.
    pub fn run_queue(&self) -> &RunQueue {
        &self.run
    }

    /// The sockets, for the socket thread.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// The timers, for the timer thread.
    pub fn timers(&self) -> &timers::Timers {
        &self.timers
    }

    /// Actors alive now.
    pub fn alive(&self) -> usize {
        self.population.alive()
    }

    /// Actors of the manifest that ended by a fault or an error of `init` since the start. What becomes of the others
    /// is their parents' affair.
    pub fn failed(&self) -> usize {
        self.failed.load(Ordering::SeqCst)
    }

    /// The address behind a name of this node.
    pub fn lookup(&self, name: &str) -> Option<Address> {
        self.registry.lookup(name)
    }

    /// Messages that wait in an actor's mailbox.
    pub fn mailbox_len(&self, address: Address) -> Option<usize> {
        self.table.get(address).map(|slot| slot.mailbox.len())
    }

    /// Whether the actor of an address has not ended.
    pub fn is_alive(&self, address: Address) -> bool {
        self.table.get(address).is_some_and(|slot| slot.mailbox.tag(address).is_some())
    }

    /// Adds a way to interrupt guests.
    pub fn on_tick(&self, tick: Tick) {
        self.ticks.write().push(tick);
    }

    /// Every guest in the middle of a turn is to ask soon whether it may go on ([`Context::slice_over`]).
    pub fn tick(&self) {
        for tick in self.ticks.read().iter() {
            tick();
        }
    }

    /// The first of a block of sessions that no one else has.
    pub(in crate::node) fn session_block(&self) -> u64 {
        self.sessions.fetch_add(SESSION_BLOCK, Ordering::Relaxed) + 1
    }

    /// One session, for callers without a context.
    pub(in crate::node) fn session(&self) -> Session {
        Session(self.session_block())
    }

    /// The text behind a label.
    pub(in crate::node) fn label(&self, label: u32) -> Arc<str> {
        self.labels.read()[label as usize].clone()
    }

    /// The number of a label, made if it is new. Labels are never given back: there is one for each name in the
    /// manifest and each module.
    pub(in crate::node) fn label_of(&self, text: &str) -> u32 {
        if let Some(index) = self.labels.read().iter().position(|label| &**label == text) {
            return u32::try_from(index).expect("fewer labels than actors");
        }
        let mut labels = self.labels.write();
        let index = labels.iter().position(|label| &**label == text).unwrap_or_else(|| {
            labels.push(text.into());
            labels.len() - 1
        });
        u32::try_from(index).expect("fewer labels than actors")
    }
}
