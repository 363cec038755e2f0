//! The monitor thread: sees to it that no turn keeps a worker longer than a slice while others wait, and warns of
//! endless turns.
//!
//! Rounds of half a slice while any worker runs actors; when all of them sleep, so does the monitor. In each round, for
//! each worker:
//!
//! - A mailbox that the worker had in the last round already: the guest is interrupted (a kill may be waiting), and what
//!   would run next here is moved where others can take it.
//! - While others wait, its turn is then to be cut: after half a slice to a whole one, since nobody knows when in the round
//!   before last it began. A round more would be one slice to one and a half: longer than what was promised.
//! - Turns wait in the slow lane: after two slices of other work the worker gives them one. So one that is long gets a
//!   third of a worker at most while there is other work, all of it when there is none, and something always. Of many
//!   workers a third do so at a time.

use crate::base::sync::Arc;
use crate::base::sync::atomic::{AtomicBool, Ordering};
use crate::node::Node;
use crate::node::slice::{ENDLESS_NS, warn_endless};
use crate::sched::status::{Take, TurnView};
use crate::threads::prompt::prompt;

/// Rounds in a slice.
const ROUNDS: u32 = 2;
/// Rounds of other work that a worker owes to it after a slice of a long turn. With this much the others keep about
/// two thirds: the promise is 40 %, and cold caches and switches of threads take their part.
const OTHERS: u32 = 2 * ROUNDS;
/// One of so many workers may be busy with long turns while others wait.
const SHARE: usize = 3;
/// Rounds without any work before the monitor sleeps. Thin air: to be woken costs more than a round.
const QUIET: u32 = 16;

/// Rounds between two looks at the process's memory and what waits, some microseconds each.
const LOOK: u32 = 4;

/// What the monitor remembers of a worker.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    take: Option<Take>,
    /// It ran something else than a long turn in the last round.
    other: bool,
    /// Rounds of other work since the last slice of a long turn.
    others: u32,
    turn: Option<TurnView>,
    /// When the turn was seen first, in nanoseconds of the node's clock.
    since: u64,
    /// Warnings of it.
    warned: u64,
}

pub(in crate::threads) fn run(node: &Arc<Node>, stop: &AtomicBool) {
    prompt();
    let seen = vec![Seen::default(); node.run_queue().workers()];
    let mut monitor = Monitor { node, seen, last: node.clock().now_ns() };
    let (mut quiet, mut rounds) = (0, 0u32);
    while !stop.load(Ordering::SeqCst) {
        if quiet < QUIET {
            std::thread::park_timeout(node.options().slice / ROUNDS);
        } else {
            node.run_queue().idle().monitor_sleep();
            monitor.last = node.clock().now_ns();
            quiet = 0;
        }
        quiet = if monitor.round() { 0 } else { quiet + 1 };
        rounds = rounds.wrapping_add(1);
        if rounds.is_multiple_of(LOOK) {
            node.look_at_budgets();
        }
    }
}

struct Monitor<'a> {
    node: &'a Arc<Node>,
    seen: Vec<Seen>,
    /// When the last round was, or the last sleep ended.
    last: u64,
}

impl Monitor<'_> {
    /// Looks at all workers. False: none has done anything since the last round.
    fn round(&mut self) -> bool {
        let run = self.node.run_queue();
        let now = self.node.clock().now_ns();
        run.count(now - self.last);
        self.last = now;
        let (mut moved, mut held, mut slow) = (false, false, 0);
        for (worker, seen) in self.seen.iter_mut().enumerate() {
            let take = run.status(worker).taken();
            let same = seen.take == Some(take);
            moved |= take.busy() || !same;
            seen.other = (take.busy() || !same) && !take.slow();
            seen.take = Some(take);
            slow += usize::from(run.is_due(worker) || take.busy() && take.slow());
            if same && take.busy() {
                held = true;
                run.rescue(worker);
                if run.others_wait(worker) {
                    run.status(worker).slice_over(take);
                }
            }
            seen.watch(run.status(worker).running(), take, now);
        }
        if held {
            self.node.tick();
        }
        self.slow_lane(slow);
        moved
    }

    /// Says whose turn it is to take from the slow lane. `slow`: so many workers do already.
    fn slow_lane(&mut self, mut slow: usize) {
        let run = self.node.run_queue();
        let most = run.workers().div_ceil(SHARE);
        for (worker, seen) in self.seen.iter_mut().enumerate() {
            let waits = seen.other && run.cut_wait() && !run.is_due(worker);
            seen.others = if waits { seen.others + 1 } else { 0 };
            if seen.others >= OTHERS && slow < most {
                run.slow_is_due(worker);
                slow += 1;
            }
        }
    }
}

impl Seen {
    /// Warns of a turn that does not end. One that was cut warns by itself.
    fn watch(&mut self, turn: Option<TurnView>, take: Take, now: u64) {
        if turn.is_none() || turn != self.turn || take.slow() {
            (self.turn, self.since, self.warned) = (turn, now, 0);
        }
        let times = (now - self.since) / ENDLESS_NS;
        if let Some(turn) = turn.filter(|_| times > self.warned) {
            self.warned = times;
            warn_endless(&turn, times);
        }
    }
}
