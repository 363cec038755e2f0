//! Exit, kill, watch and signals. Used by the sandbox's imports, native behaviors, and boot.
//!
//! The meaning of each function is that of `wit/lifecycle.wit`. Must hold: exactly one `down` for each watch: the
//! watch is made under the watchers' lock, and the dying actor closes its mailbox before it takes that lock.

use crate::base::sync::Arc;
use crate::base::{Address, Body, CallError, Cause, ErrorCode, Message, Pattern, Session, Signal};
use crate::node::context::Inner;
use crate::node::limits::over;
use crate::node::{Context, Node, deliver};

impl Context {
    /// Ends this actor when its turn ends.
    pub fn exit(&mut self, reason: String) {
        let inner = self.inner_mut();
        if !inner.exiting {
            inner.exiting = true;
            inner.rare().exit = reason;
        }
    }

    /// Ends another actor (or this one, like `exit` but at once and without the rest of its turn).
    pub fn kill(&mut self, target: Address, reason: String) -> Result<(), CallError> {
        let inner = self.inner();
        inner.outward()?;
        if !inner.may_kill(target, inner.address)? {
            return Err(CallError::new(ErrorCode::NotGranted, format!("no grant to kill {target}")));
        }
        if inner.node.kill(inner.worker, target, Cause::Killed, reason) {
            Ok(())
        } else {
            Err(deliver::no_such_actor(target))
        }
    }

    /// Asks for a down event. An error: the actor is over its limit, and is to end, since the guest has no way to hear of it.
    pub fn watch(&mut self, target: Address) -> Result<Session, CallError> {
        let session = self.next_session();
        let inner = self.inner_mut();
        let most = inner.kind.limits.watches;
        let watches = &mut inner.rare().watches;
        if watches.len() >= most as usize {
            return Err(over("watches", most));
        }
        watches.insert(session, target);
        if !inner.node.watch(target, inner.address, session) {
            inner.node.down(inner.worker, inner.address, session, target, Cause::Gone, "");
        }
        Ok(session)
    }

    /// Takes a watch back.
    pub fn unwatch(&mut self, watch: Session) -> bool {
        let inner = self.inner_mut();
        if inner.is_aside() {
            return false;
        }
        let Some(target) = inner.rare().watches.remove(&watch) else { return false };
        inner.node.unwatch(target, watch);
        true
    }

    /// Asks for a signal's events.
    pub fn subscribe(&mut self, signal: Signal) {
        let inner = self.inner_mut();
        inner.subscribed = true;
        let node = inner.node.clone();
        let mut subscribers = node.subscribers.lock();
        let entry = (signal, inner.address);
        if signal != Signal::Stop && !subscribers.contains(&entry) {
            subscribers.push(entry);
            inner.subscribes(signal);
        }
    }
}

impl Inner {
    /// Whether this actor may end another one: a child, by grant, or `also` this one. Errors: it has ended.
    pub(in crate::node) fn may_kill(&self, target: Address, also: Address) -> Result<bool, CallError> {
        let tag = self.node.table.get(target).and_then(|slot| slot.mailbox.tag(target));
        let tag = tag.ok_or_else(|| deliver::no_such_actor(target))?;
        let own = target == also || tag.parent == self.address;
        Ok(own || Pattern::any(&self.kind.grants.kill, &self.node.label(tag.label)))
    }
}

impl Node {
    /// Ends an actor from anywhere. False: it has ended already.
    pub fn kill(&self, worker: Option<usize>, target: Address, cause: Cause, reason: String) -> bool {
        let Some(slot) = self.table.get(target) else { return false };
        match slot.mailbox.kill(target, cause, reason) {
            None => false,
            Some(schedule) => {
                if schedule {
                    self.run.push(worker, target.slot());
                } else {
                    self.run.hurry(target.slot());
                }
                true
            }
        }
    }

    /// Takes a watch back.
    pub(in crate::node) fn unwatch(&self, target: Address, watch: Session) {
        self.forget(target, |(_, session)| *session == watch);
    }

    /// Takes such entries out of an actor's watchers. False: there was none, or the actor has ended.
    pub(in crate::node) fn forget(&self, target: Address, such: impl Fn(&(Address, Session)) -> bool) -> bool {
        let Some(slot) = self.table.get(target) else { return false };
        let mut watchers = slot.watchers.lock();
        let Some(watchers) = watchers.as_mut().filter(|_| slot.mailbox.tag(target).is_some()) else { return false };
        let before = watchers.len();
        watchers.retain(|entry| !such(entry));
        before != watchers.len()
    }

    /// Makes a watch. False: the target has ended.
    pub(in crate::node) fn watch(&self, target: Address, watcher: Address, session: Session) -> bool {
        let Some(slot) = self.table.get(target) else { return false };
        let mut watchers = slot.watchers.lock();
        let alive = slot.mailbox.tag(target).is_some();
        if alive {
            watchers.get_or_insert_default().push((watcher, session));
        }
        alive
    }

    /// Sends a signal to those that asked for it; `Stop` to everybody.
    pub fn signal(self: &Arc<Self>, signal: Signal) {
        let to: Vec<Address> = if signal == Signal::Stop {
            self.table.slots().filter_map(|slot| slot.mailbox.address()).collect()
        } else {
            self.subscribers.lock().iter().filter(|(wanted, _)| *wanted == signal).map(|(_, to)| *to).collect()
        };
        for to in to {
            self.send_signal(to, signal);
        }
    }

    /// Sends a signal to one actor.
    pub fn send_signal(&self, to: Address, signal: Signal) {
        self.answer(None, to, Message { source: Address::HOST, session: Session::NONE, body: Body::Signal(signal) });
    }

    /// From now on nothing is spawned.
    pub fn refuse_spawns(&self) {
        self.stopping.store(true, crate::base::sync::atomic::Ordering::SeqCst);
        self.end_resting();
    }

    /// Ends every actor.
    pub fn kill_all(&self, cause: Cause, reason: &str) {
        let all: Vec<Address> = self.table.slots().filter_map(|slot| slot.mailbox.address()).collect();
        for address in all {
            self.kill(None, address, cause, reason.to_owned());
        }
    }
}
