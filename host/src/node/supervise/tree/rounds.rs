//! A round: one restart under way; see [`super`], which begins them.

use std::collections::VecDeque;

use crate::base::Address;
use crate::node::deadline::nanos;
use crate::node::supervise::policy::{MemberState, Restart, Step};
use crate::node::supervise::tree::{SupervisorId, Tree};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Stopping,
    Pause,
    Starting,
}

#[derive(Debug)]
pub(super) struct Round {
    pub(super) by: SupervisorId,
    pub(super) phase: Phase,
    /// The last one is next.
    pub(super) stop: Vec<Address>,
    /// The last one of `stop` was told.
    pub(super) told: bool,
    pub(super) start: VecDeque<Address>,
    pub(super) pause: u64,
    /// Alarms that were set for an earlier state are stale.
    pub(super) alarm: u64,
}

impl Tree {
    /// Begins a round, which takes in those that it overlaps.
    pub(super) fn plan(&mut self, mut by: SupervisorId, mut affected: Vec<Address>, pause: u64) {
        self.rounds.retain(|round| {
            let overlaps = round.start.iter().chain(&round.stop).any(|address| affected.contains(address));
            if overlaps {
                affected.extend(round.start.iter().chain(&round.stop));
                by = by.min(round.by);
            }
            !overlaps
        });
        affected.retain(|address| self.children.contains_key(address));
        affected.sort_by_key(|address| self.children[address].order);
        affected.dedup();
        let lasting = |address: &Address| {
            let child = &self.children[address];
            child.wanted || child.restart != Restart::Temporary
        };
        let start = affected.iter().copied().filter(lasting).collect();
        let alarm = self.number();
        self.rounds.push(Round { by, phase: Phase::Stopping, stop: affected, told: false, start, pause, alarm });
    }

    /// Goes on with every round as far as it goes.
    pub(super) fn advance(&mut self, now: u64, steps: &mut Vec<Step>) {
        let mut index = 0;
        while index < self.rounds.len() {
            if self.go_on(index, now, steps) {
                index += 1;
            } else {
                self.rounds.remove(index);
            }
        }
    }

    /// False: the round is over.
    fn go_on(&mut self, index: usize, now: u64, steps: &mut Vec<Step>) -> bool {
        loop {
            let alarm = self.number();
            let round = &mut self.rounds[index];
            match round.phase {
                Phase::Stopping => {
                    let Some(address) = round.stop.last().copied() else {
                        (round.phase, round.alarm) = (Phase::Pause, alarm);
                        if round.pause == 0 {
                            round.phase = Phase::Starting;
                        } else {
                            steps.push(Step::Alarm(now.saturating_add(round.pause), alarm));
                        }
                        continue;
                    };
                    let child = self.children.get(&address).filter(|child| child.state != MemberState::Resting);
                    let Some(child) = child else {
                        round.stop.pop();
                        round.told = false;
                        continue;
                    };
                    if round.told {
                        return true;
                    }
                    let policy = self.supervisors.get(&child.supervisor).map(|one| one.policy.stop_timeout);
                    let grace = child.stop_timeout.or(policy).unwrap_or_default();
                    (round.told, round.alarm) = (true, alarm);
                    steps.push(Step::Stop(address));
                    steps.push(Step::Alarm(now.saturating_add(nanos(grace)), alarm));
                    return true;
                }
                Phase::Pause => return true,
                Phase::Starting => {
                    let Some(address) = round.start.front().copied() else { return false };
                    match self.children.get_mut(&address) {
                        Some(child) if child.state == MemberState::Resting => {
                            (child.state, child.restarts) = (MemberState::Starting, child.restarts + 1);
                            (child.question, child.wanted) = (None, false);
                            steps.push(Step::Start(address));
                            return true;
                        }
                        Some(child) if child.state == MemberState::Starting => return true,
                        // It runs already, or has ended for good.
                        _ => drop(round.start.pop_front()),
                    }
                }
            }
        }
    }
}
