//! One reload under way: who is told when, who is reminded, who is late. Used by [`super`].
//!
//! Few actors are told at a time, the first one alone. One that waits for requests in flight makes room for the next; half of its
//! grace period later its ordinary messages are held back, and after all of it its exchange is called off.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::mpsc;
use std::time::Duration;

use crate::base::histogram::Histogram;
use crate::base::sync::atomic::Ordering;
use crate::base::sync::{Arc, Mutex};
use crate::base::{Address, Body, Message, Session};
use crate::node::Node;
use crate::node::deadline::nanos;
use crate::node::editions::Kinds;
use crate::node::reload::{Outcome, ReloadOptions, ReloadReport, Swap, Told};

/// How long is waited for an actor whose grace period is over, while it is in the middle of it: for `init` of one that begins
/// anew. Thin air.
const LAST: Duration = Duration::from_secs(60);

/// A reload under way.
pub(super) struct Rolling<'a> {
    node: &'a Node,
    swap: &'a Arc<Swap>,
    /// Not told yet.
    actors: VecDeque<Address>,
    /// Told, and nothing heard of them.
    moving: HashSet<Address>,
    /// Told, without an outcome; when their time is over.
    awaited: HashMap<Address, u64>,
    /// When ordinary messages are to be held back, and when it is given up; the first one first.
    to_hold: VecDeque<(u64, Address)>,
    to_end: VecDeque<(u64, Address)>,
}

impl Rolling<'_> {
    /// Tells these actors, and waits for what becomes of them.
    pub(super) fn run(node: &Node, actors: VecDeque<Address>, new: &Kinds, options: ReloadOptions) -> ReloadReport {
        let (sender, outcomes) = mpsc::channel();
        let swap = Arc::new(Swap { kinds: new.clone(), options, report: Mutex::new(sender) });
        let mut rolling = Rolling {
            node,
            swap: &swap,
            actors,
            moving: HashSet::new(),
            awaited: HashMap::new(),
            to_hold: VecDeque::new(),
            to_end: VecDeque::new(),
        };
        let report = rolling.roll(&outcomes);
        node.exchanges.count.store(0, Ordering::SeqCst);
        report
    }

    fn roll(&mut self, outcomes: &mpsc::Receiver<(Address, Outcome)>) -> ReloadReport {
        let mut report = ReloadReport::default();
        let pauses = Histogram::default();
        // As many as the workers can have in hand: more would only make the others' actors wait behind them.
        let window = 2 * self.node.run.workers();
        let mut refused = false;
        loop {
            let taken = report.exchanged + report.restarted > 0;
            while !refused && self.moving.len() < if taken { window } else { 1 } {
                let Some(actor) = self.actors.pop_front() else { break };
                self.tell(actor);
            }
            if self.awaited.is_empty() {
                break;
            }
            let Ok((actor, outcome)) = outcomes.recv_timeout(self.left()) else {
                if !self.overdue() {
                    let never = |(actor, _)| (actor, "it has not come to an end with it yet".to_owned());
                    report.kept.extend(self.awaited.drain().map(never));
                }
                continue;
            };
            self.moving.remove(&actor);
            if matches!(outcome, Outcome::Waits) {
                let now = self.node.clock.now_ns();
                if self.awaited.get(&actor).is_some_and(|end| *end <= now) {
                    self.to_end.push_front((now, actor));
                }
                continue;
            }
            self.awaited.remove(&actor);
            match outcome {
                Outcome::Exchanged(pause) => {
                    report.exchanged += 1;
                    pauses.record(pause, 1);
                    report.longest = report.longest.max(Duration::from_nanos(pause));
                }
                Outcome::Restarted => report.restarted += 1,
                Outcome::Kept(why) => {
                    refused |= report.exchanged + report.restarted == 0;
                    report.kept.push((actor, why));
                }
                Outcome::Broken(why) => {
                    (refused, report.broke) = (true, true);
                    report.kept.push((actor, why));
                }
                Outcome::Late(why) => report.kept.push((actor, why)),
                Outcome::Ended | Outcome::Waits => {}
            }
        }
        report.untouched = self.actors.len();
        report.pauses = pauses.read();
        report.kept.sort_unstable();
        report
    }

    fn tell(&mut self, actor: Address) {
        let exchanges = &self.node.exchanges;
        // Before it is told: who is told looks only if there are some.
        exchanges.count.fetch_add(1, Ordering::SeqCst);
        exchanges.waiting.lock().insert(actor, Told { swap: self.swap.clone(), holds: false });
        let (now, grace) = (self.node.clock.now_ns(), self.swap.options.grace);
        let end = now.saturating_add(nanos(grace));
        self.to_hold.push_back((now.saturating_add(nanos(grace / 2)), actor));
        self.to_end.push_back((end, actor));
        self.awaited.insert(actor, end);
        self.moving.insert(actor);
        self.remind(actor);
        // One that ended before it was in the list does not take itself out.
        if !self.node.is_alive(actor) {
            exchanges.ended(actor);
        }
    }

    /// Makes the actor look.
    fn remind(&self, actor: Address) {
        let message = Message { source: Address::HOST, session: Session::NONE, body: Body::Sweep };
        self.node.answer(None, actor, message);
    }

    /// How long until some actor's time is over.
    fn left(&mut self) -> Duration {
        for queue in [&mut self.to_hold, &mut self.to_end] {
            while queue.front().is_some_and(|(_, actor)| !self.awaited.contains_key(actor)) {
                queue.pop_front();
            }
        }
        let next =
            [&self.to_hold, &self.to_end].into_iter().filter_map(|queue| queue.front()).map(|(due, _)| *due).min();
        next.map_or(LAST, |due| Duration::from_nanos(due.saturating_sub(self.node.clock.now_ns())))
    }

    /// Some actor's time is over, or half of it. False: only those are left whose time was over before.
    fn overdue(&mut self) -> bool {
        let now = self.node.clock.now_ns();
        let due = |queue: &mut VecDeque<(u64, Address)>| queue.pop_front_if(|(due, _)| *due <= now);
        if let Some((_, actor)) = due(&mut self.to_hold) {
            let mut waiting = self.node.exchanges.waiting.lock();
            if let Some(told) = waiting.get_mut(&actor) {
                told.holds = true;
                drop(waiting);
                self.remind(actor);
            }
            return true;
        }
        let Some((_, actor)) = due(&mut self.to_end) else { return !self.to_end.is_empty() };
        // Who is in the middle of it has a deadline of its own, and will report.
        if let Some(swap) = self.node.exchanges.take(actor) {
            let why =
                format!("it was in the middle of a turn, or had requests in flight, for {:?}", swap.options.grace);
            swap.report(actor, Outcome::Late(why));
            self.remind(actor);
        }
        true
    }
}
