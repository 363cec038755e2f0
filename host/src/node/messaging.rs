//! Send, request, and the ways to answer. Used by the sandbox's imports and by native behaviors.
//!
//! The meaning of each function, its errors and its order are those of `wit/messaging.wit`.

use crate::base::{Address, Body, CallError, ErrorCode, Message, Pattern, Payload, Session};
use crate::node::context::{Inner, Outstanding, Request, Verdicts};
use crate::node::crash::Head;
use crate::node::deliver::Undelivered;
use crate::node::editions::Kind;
use crate::node::limits::over;
use crate::node::{Context, Node, deadline};
use crate::sched::{Letter, Tag};

/// From here on the manifest's own timeout may last some milliseconds longer: then a cheaper clock will do.
const FAR: u64 = 1_000_000_000;

impl Inner {
    /// Whether this actor may send to the one behind a tag: by grant, or because they are parent and child, or one.
    #[inline]
    pub(in crate::node) fn may_send(&mut self, to: Address, tag: Tag) -> bool {
        self.kind.send_all
            || to == self.address
            || tag.parent == self.address
            || to == self.parent
            || verdict(&mut self.verdicts, &self.kind, &self.node, tag)
    }

    /// Puts a message into a mailbox if this actor may.
    #[inline]
    pub(in crate::node) fn deliver(&mut self, to: Address, letter: Letter) -> Result<(), Box<Undelivered>> {
        if self.is_traced() { self.deliver_traced(to, letter) } else { self.put(to, letter) }
    }

    #[cold]
    fn deliver_traced(&mut self, to: Address, letter: Letter) -> Result<(), Box<Undelivered>> {
        let head = Head::of(&letter);
        let delivered = self.put(to, letter);
        self.sends(to, head, delivered.is_ok());
        delivered
    }

    #[inline]
    fn put(&mut self, to: Address, letter: Letter) -> Result<(), Box<Undelivered>> {
        let Self { node, kind, verdicts, address, parent, worker, .. } = self;
        let (me, parent) = (*address, *parent);
        node.deliver(*worker, to, letter, |tag| {
            kind.send_all || to == me || tag.parent == me || to == parent || verdict(verdicts, kind, node, tag)
        })
    }

    /// For who traces the actor.
    #[inline]
    fn answers(&mut self, request: Request, length: usize) {
        if self.is_traced() {
            self.sends(request.source, Head::reply(self.address, request.session, length), true);
        }
    }

    /// Whether a payload may go out.
    pub(in crate::node) fn check_payload(&self, payload: &Payload) -> Result<(), CallError> {
        self.outward()?;
        let most = self.kind.limits.payload;
        if payload.len() <= most { Ok(()) } else { Err(over("payload", most)) }
    }

    /// Whether one more answer may be awaited.
    #[inline]
    pub(in crate::node) fn check_requests(&self) -> Result<(), CallError> {
        let most = self.kind.limits.requests;
        if self.outstanding.len() < most as usize { Ok(()) } else { Err(over("requests", most)) }
    }

    /// The deadline of a request made now: its own, or what is left of the one it is made for.
    pub(in crate::node) fn deadline(&self, timeout_ms: u32, within: Session) -> Result<u64, CallError> {
        let clock = &self.node.clock;
        let timeout = match timeout_ms {
            0 => deadline::nanos(self.node.options.call_timeout),
            ms => u64::from(ms) * 1_000_000,
        };
        let outer = if within.is_none() { self.current } else { self.open.get(&within).copied() };
        let outer = outer.map(|request| request.deadline).filter(|outer| *outer != 0).unwrap_or(u64::MAX);
        if timeout_ms == 0 && timeout >= FAR {
            let soon = clock.soon_ns();
            if outer > soon {
                return Ok(soon.saturating_add(timeout).min(outer));
            }
        }
        let now = clock.now_ns();
        let due = now.saturating_add(timeout).min(outer);
        if due <= now {
            return Err(CallError::new(ErrorCode::Deadline, "no time is left for this request"));
        }
        Ok(due)
    }

    /// A held request: 0 is the one of this turn.
    fn held(&self, session: Session) -> Option<Request> {
        let by_number = |session: Session| self.open.get(&session).copied();
        match self.current {
            Some(current) if session.is_none() || current.session == session => Some(current),
            _ if session.is_none() => by_number(self.deferred),
            _ => by_number(session),
        }
    }

    fn unhold(&mut self, session: Session) {
        if self.current.is_some_and(|current| current.session == session) {
            self.current = None;
        } else {
            self.open.remove(&session);
        }
    }

    fn take_held(&mut self, session: Session) -> Result<Request, CallError> {
        let request = self.held(session).ok_or_else(|| not_held(session))?;
        self.unhold(request.session);
        Ok(request)
    }
}

/// Whether the grants of a kind have the label behind a tag; looked up once for each label.
fn verdict(known: &mut Verdicts, kind: &Kind, node: &Node, tag: Tag) -> bool {
    if let Some((_, verdict)) = known.iter().find(|(label, _)| *label == tag.label) {
        return *verdict;
    }
    let verdict = Pattern::any(&kind.grants.send, &node.label(tag.label));
    known.push((tag.label, verdict));
    verdict
}

fn not_held(session: Session) -> CallError {
    let reason = if session.is_none() {
        "there is no open request in this turn".into()
    } else {
        format!("the request {session} is not held by this actor, or was answered")
    };
    CallError::new(ErrorCode::Invalid, reason)
}

impl Context {
    /// Sends a message that wants no reply.
    pub fn send(&mut self, to: Address, kind: u32, payload: Payload) -> Result<(), CallError> {
        let inner = self.inner_mut();
        inner.check_payload(&payload)?;
        inner.check_room_for(&payload)?;
        let body = Body::Message { kind, payload, deadline: 0 };
        let letter = Letter::new(Message { source: inner.address, session: Session::NONE, body });
        inner.deliver(to, letter).map_err(|undelivered| undelivered.error)
    }

    /// Sends one payload to many; returns how many took it.
    pub fn broadcast(&mut self, to: &[Address], kind: u32, payload: Payload) -> u32 {
        if self.inner().check_payload(&payload).is_err() {
            return 0;
        }
        let payload = payload.into_shared();
        let sent = to.iter().filter(|to| self.send(**to, kind, payload.clone()).is_ok()).count();
        u32::try_from(sent).unwrap_or(u32::MAX)
    }

    /// Sends a request; its answer comes as a reply event with the session.
    pub fn request(
        &mut self,
        to: Address,
        kind: u32,
        payload: Payload,
        timeout_ms: u32,
        within: Session,
    ) -> Result<Session, CallError> {
        self.inner().check_payload(&payload)?;
        self.inner().check_requests()?;
        self.inner().check_room_for(&payload)?;
        let deadline = self.inner().deadline(timeout_ms, within)?;
        let session = self.next_session();
        let inner = self.inner_mut();
        let body = Body::Message { kind, payload, deadline };
        let letter = Letter::new(Message { source: inner.address, session, body });
        inner.deliver(to, letter).map_err(|undelivered| undelivered.error)?;
        inner.outstanding.insert(session, Outstanding { deadline });
        inner.arm_sweep(deadline);
        Ok(session)
    }

    /// Gives up waiting for a request.
    pub fn cancel(&mut self, request: Session) -> bool {
        let inner = self.inner_mut();
        !inner.is_aside() && inner.outstanding.remove(&request).is_some()
    }

    /// Answers the request that is being handled now.
    pub fn ret(&mut self, payload: Payload) -> Result<(), CallError> {
        self.reply(Session::NONE, payload)
    }

    /// Keeps the request that is being handled now open beyond this turn.
    pub fn defer(&mut self) -> Result<Session, CallError> {
        let inner = self.inner_mut();
        let request = inner.current.take().ok_or_else(|| not_held(Session::NONE))?;
        inner.open.insert(request.session, request);
        if request.deadline != 0 {
            inner.arm_sweep(request.deadline);
        }
        inner.deferred = request.session;
        Ok(request.session)
    }

    /// Answers a held request (none: the one of this turn).
    pub fn reply(&mut self, request: Session, payload: Payload) -> Result<(), CallError> {
        let inner = self.inner_mut();
        inner.check_payload(&payload)?;
        let request = inner.take_held(request)?;
        inner.answers(request, payload.len());
        inner.node.reply(inner.worker, inner.address, request.source, request.session, Ok(payload));
        Ok(())
    }

    /// Answers a held request with `refused`.
    pub fn reject(&mut self, request: Session, reason: String) -> Result<(), CallError> {
        let inner = self.inner_mut();
        inner.outward()?;
        let request = inner.take_held(request)?;
        inner.answers(request, 0);
        let error = CallError::new(ErrorCode::Refused, reason);
        inner.node.reply(inner.worker, inner.address, request.source, request.session, Err(error));
        Ok(())
    }

    /// Hands a held request to another actor.
    pub fn forward(&mut self, request: Session, to: Address, kind: u32, payload: Payload) -> Result<(), CallError> {
        let inner = self.inner_mut();
        inner.check_payload(&payload)?;
        let held = inner.held(request).ok_or_else(|| not_held(request))?;
        let body = Body::Message { kind, payload, deadline: held.deadline };
        let letter = Letter::new(Message { source: held.source, session: held.session, body });
        inner.deliver(to, letter).map_err(|undelivered| undelivered.error)?;
        inner.unhold(held.session);
        inner.node.forwarded(held.source, held.session, to);
        Ok(())
    }

    /// Milliseconds left for a held request (none: the one of this turn). A request without a deadline has
    /// `u64::MAX`.
    pub fn remaining(&self, request: Session) -> Option<u64> {
        let inner = self.inner();
        let held = inner.held(request)?;
        if held.deadline == 0 {
            return Some(u64::MAX);
        }
        Some(held.deadline.saturating_sub(inner.node.clock.now_ns()) / 1_000_000)
    }
}
