//! Links: two actors that fail together. The meaning is that of `link` in `wit/lifecycle.wit`.
//!
//! A link is an entry among the watchers of both, under a session of its own that no watch has. Must hold: it is undone on
//! both sides before one of them is ended for the other's sake, so a failure goes around a ring of links once.

use crate::actor::Slot;
use crate::base::{Address, CallError, Cause, ErrorCode, Session};
use crate::node::limits::over;
use crate::node::{Context, Node, deliver};

/// Stands for the session where others' watches have one.
const LINK: Session = Session(u64::MAX);

impl Context {
    /// Binds this actor's failure to another's, both ways.
    pub fn link(&mut self, target: Address) -> Result<(), CallError> {
        let inner = self.inner();
        inner.outward()?;
        if !inner.may_kill(target, inner.parent)? {
            let reason = format!("no grant to kill {target}, which a link may do");
            return Err(CallError::new(ErrorCode::NotGranted, reason));
        }
        if target == inner.address {
            return Err(CallError::new(ErrorCode::Invalid, "an actor cannot be linked to itself"));
        }
        inner.node.unlink(inner.address, target);
        let most = inner.kind.limits.links;
        if inner.node.links(inner.address) >= most as usize {
            return Err(over("links", most));
        }
        // The own side first: if the other one ends in between, it finds this one.
        inner.node.watch(inner.address, target, LINK);
        if inner.node.watch(target, inner.address, LINK) {
            return Ok(());
        }
        inner.node.unlink(inner.address, target);
        Err(deliver::no_such_actor(target))
    }

    /// Undoes a link.
    pub fn unlink(&mut self, target: Address) -> bool {
        let inner = self.inner();
        !inner.is_aside() && inner.node.unlink(inner.address, target)
    }
}

impl Node {
    /// Links of an actor, whoever made them.
    pub(in crate::node) fn links(&self, of: Address) -> usize {
        let Some(slot) = self.table.get(of) else { return 0 };
        slot.watchers.lock().iter().flat_map(|watchers| watchers.iter()).filter(|(_, session)| *session == LINK).count()
    }

    /// Undoes a link on both sides. True: there was one.
    fn unlink(&self, one: Address, other: Address) -> bool {
        let mine = self.forget(one, |entry| *entry == (other, LINK));
        self.forget(other, |entry| *entry == (one, LINK)) || mine
    }

    /// An instance has ended: its links are undone, and those at their other ends fail too, unless it ended well.
    pub(in crate::node) fn break_links(
        &self,
        slot: &Slot<Context>,
        worker: Option<usize>,
        address: Address,
        cause: Cause,
        reason: &str,
    ) {
        let linked: Vec<Address> = {
            let mut watchers = slot.watchers.lock();
            let Some(watchers) = watchers.as_mut() else { return };
            let linked = watchers.iter().filter(|(_, session)| *session == LINK).map(|(other, _)| *other).collect();
            watchers.retain(|(_, session)| *session != LINK);
            linked
        };
        let first = reason.lines().next().unwrap_or_default();
        let verb = if cause == Cause::Killed { "was killed" } else { "failed" };
        for other in linked {
            self.unlink(other, address);
            if matches!(cause, Cause::Failed | Cause::Killed) {
                self.kill(worker, other, Cause::Failed, format!("linked to {address}, which {verb}: {first}"));
            }
        }
    }
}
