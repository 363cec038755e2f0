//! What operators do, ordered by actors that are granted it: `wit/control.wit`. Used by the sandbox's imports; boot says who
//! carries orders out.
//!
//! Must hold: nothing that takes long happens in the actor's turn: an order is handed to another thread, and its answer comes as
//! a reply. Each order has one answer, also if nobody carries it out. So many at once, whoever orders: each has a thread.

use std::time::Duration;

use crate::base::sync::atomic::{AtomicUsize, Ordering};
use crate::base::sync::{Arc, OnceLock};
use crate::base::{Address, CallError, ErrorCode, Pattern, Payload, Session};
use crate::node::context::Outstanding;
use crate::node::limits::over;
use crate::node::spawn::invalid;
use crate::node::{Context, Node, deliver};

/// Orders that are carried out at once. Thin air: reloads are one after the other anyway.
const AT_ONCE: usize = 16;

/// Actors that one answer lists.
const LISTED: usize = 10_000;

/// What is to be done with the actors of a module; see `wit/control.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Reload,
    Check,
    Trial(u8),
    Commit,
    Rollback,
}

/// What an actor orders. What it is granted was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Reload {
        module: String,
        action: Action,
        restart: bool,
        /// None: the manifest's.
        grace: Option<Duration>,
    },
    Ps {
        filter: Option<String>,
        limit: usize,
        /// Labels of those that may be listed.
        granted: Vec<Pattern>,
    },
}

/// Carries orders out. It is called in the middle of a turn, so it must not wait.
pub type Operator = Box<dyn Fn(Order, Ordered) + Send + Sync>;

/// How the answer gets to who ordered. Dropped: there is none, which is told.
pub struct Ordered {
    node: Arc<Node>,
    by: Address,
    session: Session,
    /// Bytes that the answer may have.
    most: usize,
    answered: bool,
}

impl std::fmt::Debug for Ordered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ordered").field("by", &self.by).field("session", &self.session).finish_non_exhaustive()
    }
}

impl Ordered {
    /// Who ordered.
    pub fn by(&self) -> Address {
        self.by
    }

    /// Answers.
    pub fn answer(mut self, outcome: Result<Payload, CallError>) {
        let outcome = outcome.and_then(|payload| {
            let most = self.most;
            if payload.len() > most { Err(over("payload", most)) } else { Ok(payload) }
        });
        self.reply(outcome);
    }

    fn reply(&mut self, outcome: Result<Payload, CallError>) {
        self.answered = true;
        self.node.reply(None, Address::HOST, self.by, self.session, outcome);
    }
}

impl Drop for Ordered {
    fn drop(&mut self) {
        self.node.orders.at_once.fetch_sub(1, Ordering::Relaxed);
        if !self.answered {
            self.reply(Err(CallError::new(ErrorCode::Refused, "the host could not carry it out: no thread for it")));
        }
    }
}

/// Who carries orders out, and how many.
#[derive(Default)]
pub(in crate::node) struct Orders {
    operator: OnceLock<Operator>,
    /// Relaxed everywhere: a count, nothing hangs on it.
    at_once: AtomicUsize,
}

impl Node {
    /// Says who carries orders out. Once.
    pub fn on_order(&self, operator: Operator) {
        if self.orders.operator.set(operator).is_err() {
            tracing::error!(target: "wasmactor", "a bug in the host: there is an operator already");
        }
    }
}

fn not_granted(grant: &str, what: &str) -> CallError {
    CallError::new(ErrorCode::NotGranted, format!("no grant `{grant}` for {what}"))
}

impl Context {
    /// Another version of a module for its actors; a reply follows when it is done. `grace`: milliseconds, 0 for the manifest's.
    pub fn reload(&mut self, module: String, action: Action, restart: bool, grace: u32) -> Result<Session, CallError> {
        let inner = self.inner();
        inner.outward()?;
        if !Pattern::any(&inner.kind.grants.control.reload, &module) {
            return Err(not_granted("control.reload", &format!("the module `{module}`")));
        }
        inner.node.modules.get(&module, 0)?;
        let grace = (grace != 0).then(|| Duration::from_millis(grace.into()));
        self.order(Order::Reload { module, action, restart, grace })
    }

    /// The actors that are granted; a reply follows with them.
    pub fn ps(&mut self, filter: String, limit: u32) -> Result<Session, CallError> {
        let inner = self.inner();
        inner.outward()?;
        let granted = inner.kind.grants.control.ps.clone();
        if granted.is_empty() {
            return Err(not_granted("control.ps", "any actor"));
        }
        let filter = Some(filter).filter(|filter| !filter.is_empty());
        let limit = if limit == 0 { LISTED } else { LISTED.min(limit as usize) };
        self.order(Order::Ps { filter, limit, granted })
    }

    /// Gives a supervisor's member another instance.
    pub fn restart(&mut self, target: Address, reason: &str) -> Result<(), CallError> {
        let inner = self.inner();
        inner.outward()?;
        let tag = inner.node.table.get(target).and_then(|slot| slot.mailbox.tag(target));
        let tag = tag.ok_or_else(|| deliver::no_such_actor(target))?;
        let label = inner.node.label(tag.label);
        if !Pattern::any(&inner.kind.grants.control.restart, &label) {
            return Err(not_granted("control.restart", &format!("{target} (`{label}`)")));
        }
        if inner.node.restart(inner.worker, target, reason) {
            return Ok(());
        }
        Err(invalid(format!("{target} has no supervisor that could restart it")))
    }

    fn order(&mut self, order: Order) -> Result<Session, CallError> {
        self.inner().check_requests()?;
        let node = self.node().clone();
        let Some(operator) = node.orders.operator.get() else {
            return Err(invalid("this host has nobody who carries orders out".to_owned()));
        };
        if node.orders.at_once.fetch_add(1, Ordering::Relaxed) >= AT_ONCE {
            node.orders.at_once.fetch_sub(1, Ordering::Relaxed);
            let reason = format!("{AT_ONCE} orders of actors are being carried out; one more is not begun");
            return Err(CallError::new(ErrorCode::OverLimit, reason));
        }
        let session = self.next_session();
        let inner = self.inner_mut();
        inner.outstanding.insert(session, Outstanding { deadline: 0 });
        let (by, most) = (inner.address, inner.kind.limits.payload);
        operator(order, Ordered { node: node.clone(), by, session, most, answered: false });
        Ok(session)
    }
}
