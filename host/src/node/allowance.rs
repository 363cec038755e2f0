//! What an actor may touch and how much it may use, beside what it uses now: as it is shown from outside. Used by the control
//! endpoint.
//!
//! Must hold: each limit of the manifest has its row, under the manifest's key.

use std::time::Duration;

use crate::base::sync::Arc;
use crate::base::{Address, Grants};
use crate::node::{Limits, Node};

/// How long it is waited for that one can look into an actor that is busy.
const PATIENCE: Duration = Duration::from_millis(50);

/// See the file's head.
#[derive(Clone, Debug)]
pub struct Allowance {
    pub grants: Arc<Grants>,
    pub limits: Vec<Limited>,
}

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// The manifest's word.
    pub key: &'static str,
    /// Bytes, milliseconds (`turn`; 0: any), percent (`cpu`), else a number.
    pub most: u64,
    /// None: it is not known, or is no stock.
    pub used: Option<u64>,
}

impl Node {
    /// What is in force for an actor. Blocks this thread (never a worker) for some milliseconds if the actor is busy. None: it
    /// could not be looked into, or has ended.
    pub fn allowance(&self, address: Address) -> Option<Allowance> {
        let inside = self.look_inside(&[address], false, PATIENCE).remove(&address)?;
        let (grants, limits) = (inside.grants?, inside.limits?);
        let slot = self.table.get(address)?;
        let seen = slot.mailbox.view().filter(|view| view.address == address)?;
        let row = |key, most: u64, used: Option<u64>| Limited { key, most, used };
        let Limits { turn, cpu, requests, timers, sockets, children, watches, links, names, files, log, .. } = limits;
        let limits = vec![
            row("memory", limits.memory as u64, Some(slot.usage.memory() as u64)),
            row("table", limits.table as u64, None),
            row("turn", u64::try_from(turn.as_millis()).unwrap_or(u64::MAX), None),
            row("cpu", cpu.into(), None),
            row("mailbox", limits.mailbox as u64, Some(seen.waiting as u64)),
            row("mailbox-bytes", limits.mailbox_bytes as u64, Some(seen.bytes as u64)),
            row("payload", limits.payload as u64, None),
            row("requests", requests.into(), Some(inside.outstanding as u64)),
            row("timers", timers.into(), Some(inside.timers as u64)),
            row("sockets", sockets.into(), Some(self.net.owns(address.raw()) as u64)),
            row("children", children.into(), Some(self.table.children(address))),
            row("watches", watches.into(), Some(inside.watches as u64)),
            row("links", links.into(), Some(self.links(address) as u64)),
            row("names", names.into(), Some(inside.names as u64)),
            row("files", files.into(), None),
            row("log", log.into(), None),
        ];
        Some(Allowance { grants, limits })
    }
}
