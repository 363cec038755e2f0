//! Carries out what actors order: see `wit/control.wit`. Used by [`super`].
//!
//! Must hold: what the command line gets, an actor gets, by the same code; the node has looked at its grants. Each order has a
//! thread of its own, since a reload compiles, and waits for actors.

use serde::Serialize;

use crate::base::sync::Arc;
use crate::base::{CallError, ErrorCode, Pattern, Payload};
use crate::boot::reload::{Reloader, say};
use crate::control;
use crate::control::protocol::{self, Ps, Reload, ReloadAction};
use crate::node::order::{Action, Operator, Order, Ordered};
use crate::threads::try_thread;

/// For the node.
pub(super) fn operator(reloader: &Arc<Reloader>) -> Operator {
    let reloader = reloader.clone();
    Box::new(move |order, ordered| {
        let (reloader, by) = (reloader.clone(), ordered.by());
        if let Err(error) = try_thread("wa-order".to_owned(), move || carry_out(&reloader, order, ordered)) {
            tracing::warn!(target: "wasmactor", "the operating system gives no thread for an order of {by}: {error}");
        }
    })
}

fn carry_out(reloader: &Reloader, order: Order, ordered: Ordered) {
    let answer = match order {
        Order::Reload { module, action, restart, grace } => {
            let action = match action {
                Action::Reload => ReloadAction::Reload,
                Action::Check => ReloadAction::Check,
                Action::Trial(percent) => ReloadAction::Trial(percent),
                Action::Commit => ReloadAction::Commit,
                Action::Rollback => ReloadAction::Rollback,
            };
            let grace_ms = grace.map(|grace| u64::try_from(grace.as_millis()).unwrap_or(u64::MAX));
            tracing::info!(target: "wasmactor", "{} orders a reload of {module}: {action:?}", ordered.by());
            reload(reloader, &Reload { module: Some(module), action, restart, grace_ms })
        }
        Order::Ps { filter, limit, granted } => {
            let which = Ps { filter, limit, ..Ps::default() };
            packed(&control::ps(reloader.node(), &which, |label| Pattern::any(&granted, label)))
        }
    };
    ordered.answer(answer);
}

fn reload(reloader: &Reloader, ask: &Reload) -> Result<Payload, CallError> {
    let reloaded = reloader.run(ask).map_err(|words| CallError::new(ErrorCode::Invalid, words))?;
    let [row] = &reloaded.modules[..] else {
        return Err(CallError::new(ErrorCode::Invalid, "not one module"));
    };
    if ask.action != ReloadAction::Check && row.from != row.to {
        say(row);
    }
    packed(row)
}

/// As the SDKs read it.
fn packed(answer: &impl Serialize) -> Result<Payload, CallError> {
    let failed = |words: String| CallError::new(ErrorCode::Invalid, words);
    let value = serde_json::to_value(answer).map_err(|error| failed(error.to_string()))?;
    protocol::Payload::Value(value).bytes().map(Payload::from).map_err(failed)
}
