//! An actor's share of a core, for those whose limit `cpu` is less than a whole one: a bucket of time that fills at that
//! rate, from which what the actor used is taken. Used by the worker that has the actor ([`super::turn`]).
//!
//! An actor in debt is not run: its mailbox waits, as [`Mailbox::delay`](crate::sched::Mailbox::delay) has it, until the debt
//! is paid, so others come first however much it has to do. Time is measured in the monitor's rounds ([`super::metrics`]):
//! right within some of them, and no clock for actors without this limit.
//!
//! Must hold: a turn is never broken off for it; a long one is paid for afterwards. A kill ends a delay.

use crate::actor::{Core, Slot};
use crate::base::Address;
use crate::base::sync::Arc;
use crate::node::timers::Due;
use crate::node::{Context, Node};

/// How much an actor may save up, in nanoseconds of a whole core's time.
const SAVED_NS: u64 = 100_000_000;
/// A whole core.
pub const WHOLE: u32 = 100;

/// See the file's head.
#[derive(Clone, Copy, Debug)]
pub(in crate::node) struct Quota {
    /// Nanoseconds that the actor may still run; less than 0: it is in debt.
    left: i64,
    /// When that was reckoned, in nanoseconds of the node's clock.
    at: u64,
}

fn signed(nanoseconds: u64) -> i64 {
    i64::try_from(nanoseconds).unwrap_or(i64::MAX)
}

impl Quota {
    fn new(now: u64, percent: u32) -> Self {
        Self { left: signed(SAVED_NS * u64::from(percent) / u64::from(WHOLE)), at: now }
    }

    fn fill(&mut self, now: u64, percent: u32) {
        let came = now.saturating_sub(self.at).saturating_mul(percent.into()) / u64::from(WHOLE);
        let most = Self::new(now, percent).left;
        (self.left, self.at) = (self.left.saturating_add(signed(came)).min(most), now);
    }

    /// When the debt is paid; None: there is none.
    fn paid_at(&mut self, now: u64, percent: u32) -> Option<u64> {
        self.fill(now, percent);
        let debt = u64::try_from(self.left.saturating_neg()).ok().filter(|debt| *debt > 0)?;
        Some(now.saturating_add(debt.saturating_mul(WHOLE.into()) / u64::from(percent.max(1))))
    }
}

impl Context {
    /// Whether the actor has less than a whole core.
    pub(in crate::node) fn has_quota(&self) -> bool {
        self.inner().kind.limits.cpu < WHOLE
    }

    fn quota(&mut self, now: u64) -> &mut Quota {
        let inner = self.inner_mut();
        let percent = inner.kind.limits.cpu;
        inner.rare().quota.get_or_insert_with(|| Quota::new(now, percent))
    }
}

impl Node {
    /// When an actor with a quota may run; None: now.
    pub(in crate::node) fn may_run_at(&self, cx: &mut Context) -> Option<u64> {
        let now = self.clock.now_ns();
        let percent = cx.inner().kind.limits.cpu;
        cx.quota(now).paid_at(now, percent)
    }

    /// Takes what an actor with a quota has used since it was taken from the run queue, or since the last time.
    pub(in crate::node) fn spend(&self, seat: usize, slot: &Slot<Context>, core: &mut Core<Context>) {
        let used = self.run.status(seat).charge(self.run.counted());
        if used > 0 {
            slot.usage.busy(used);
            let now = self.clock.now_ns();
            let quota = core.cx.quota(now);
            quota.left = quota.left.saturating_sub(signed(used));
        }
    }

    /// Lets a mailbox wait until then. False: it goes on at once, since the actor is to end.
    pub(in crate::node) fn delay(&self, slot: &Slot<Context>, address: Address, until: u64) -> bool {
        let waits = slot.mailbox.delay();
        if waits {
            self.timers.arm_at(until, Due::Quota(address));
        }
        waits
    }

    /// From the timer thread: an actor's debt is paid.
    pub(in crate::node) fn quota_due(self: &Arc<Self>, to: Address) {
        if self.table.get(to).is_some_and(|slot| slot.mailbox.undelay(to)) {
            self.run.push(None, to.slot());
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Quota;

    const MS: u64 = 1_000_000;

    #[test]
    fn debts_are_paid_at_the_rate_of_the_share() {
        let mut quota = Quota::new(0, 10);
        assert_eq!(quota.paid_at(0, 10), None);
        // 10 ms were saved up.
        quota.left -= 30 * MS as i64;
        assert_eq!(quota.paid_at(0, 10), Some(200 * MS));
        assert_eq!(quota.paid_at(150 * MS, 10), Some(200 * MS));
        assert_eq!(quota.paid_at(200 * MS, 10), None);
        quota.left -= MS as i64;
        assert_eq!(quota.paid_at(200 * MS, 10), Some(210 * MS));
        assert_eq!(quota.paid_at(10_000 * MS, 10), None);
        assert_eq!(quota.left, 10 * MS as i64, "no more than that is saved up");
    }
}
