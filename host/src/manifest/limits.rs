//! Limits: `[limits]` for every actor, `limits` of a module for its actors, `limits` of an `[[actor]]` entry for that one.
//!
//! Must hold: what a module's table names is the most that an entry of the module may have: who wrote it knows the module,
//! and an entry that asks for more is taken for a slip. What only `[limits]` names, or nobody, can be raised anywhere.

use std::time::Duration;

use crate::manifest::Limits;
use crate::manifest::diagnostic::Findings;
use crate::manifest::raw::{Node, Section};
use crate::manifest::{check, values};
use crate::node::quota::WHOLE;

/// A page of wasm memory, and all that 32-bit memory can address.
const MEMORY: std::ops::RangeInclusive<u64> = 64 << 10..=4 << 30;
/// A payload is copied as a whole: more than this is a stream's affair.
const PAYLOAD: std::ops::RangeInclusive<u64> = 1..=1 << 30;
/// From one letter's payload to all memory there could be.
const MAILBOX_BYTES: std::ops::RangeInclusive<u64> = 64..=1 << 40;

/// What a pool of tables has room for.
const TABLE: u32 = 1 << 20;

/// What one table says, and which of its keys were there.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) limits: Limits,
    named: Vec<&'static str>,
}

impl Read {
    /// Limits that no table names.
    pub(super) fn unnamed(limits: Limits) -> Self {
        Self { limits, named: Vec::new() }
    }
}

/// One table, key by key.
struct Reader<'a, 's, 't> {
    section: Section<'s, 't>,
    /// Where what is not said comes from, and what may not be exceeded.
    base: &'a Read,
    named: Vec<&'static str>,
}

impl Reader<'_, '_, '_> {
    /// Notes a key that is there, and complains if its value is over that of the table above.
    fn value<T: PartialOrd + Copy>(
        &mut self,
        key: &'static str,
        most: T,
        found: Option<T>,
        findings: &mut Findings<'_>,
    ) -> T {
        let Some(found) = found else { return most };
        self.named.push(key);
        if found > most
            && self.base.named.contains(&key)
            && let Some(node) = self.section.get(key)
        {
            let hint = "a module's limits are the most that its actors may have: raise that one, or lower this";
            findings.hint(node.span(), format!("`{key}` is more than the module's limit"), hint);
        }
        found
    }

    fn count(&mut self, key: &'static str, most: u32, findings: &mut Findings<'_>) -> u32 {
        let found = self.section.integer(key, 0..=u32::MAX, findings);
        self.value(key, most, found, findings)
    }

    fn table(&mut self, old: &Limits, findings: &mut Findings<'_>) -> usize {
        let found = self.section.integer("table", 0..=TABLE, findings).map(|count| count as usize);
        self.value("table", old.table, found, findings)
    }

    fn cpu(&mut self, old: &Limits, findings: &mut Findings<'_>) -> u32 {
        let found = self.section.integer("cpu", 1..=WHOLE, findings);
        self.value("cpu", old.cpu, found, findings)
    }

    /// "0s" is no limit, which is the most.
    fn turn(&mut self, old: &Limits, findings: &mut Findings<'_>) -> Duration {
        let most = |time: Duration| if time.is_zero() { Duration::MAX } else { time };
        let found = values::duration(&mut self.section, "turn", findings);
        self.value("turn", most(old.turn), found.map(most), findings);
        found.unwrap_or(old.turn)
    }

    fn size(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<u64>,
        most: usize,
        findings: &mut Findings<'_>,
    ) -> usize {
        let found = values::size(&mut self.section, key, range, findings);
        self.value(key, most, found, findings)
    }
}

/// Reads a table. `base`: what holds where it says nothing.
pub(super) fn read(node: Option<&Node<'_>>, title: &str, base: &Read, findings: &mut Findings<'_>) -> Read {
    let Some(section) = node.and_then(|node| Section::of(title, node, findings)) else { return base.clone() };
    let mut reader = Reader { section, base, named: base.named.clone() };
    let old = &base.limits;
    let mailbox = reader.section.integer("mailbox", 1..=u32::MAX, findings).map(|count| count as usize);
    let limits = Limits {
        memory: reader.size("memory", MEMORY, old.memory, findings),
        table: reader.table(old, findings),
        turn: reader.turn(old, findings),
        cpu: reader.cpu(old, findings),
        mailbox: reader.value("mailbox", old.mailbox, mailbox, findings),
        mailbox_bytes: reader.size("mailbox-bytes", MAILBOX_BYTES, old.mailbox_bytes, findings),
        full: reader.section.choice("mailbox-full", &check::FULL, findings).unwrap_or(old.full),
        payload: reader.size("payload", PAYLOAD, old.payload, findings),
        requests: reader.count("requests", old.requests, findings),
        timers: reader.count("timers", old.timers, findings),
        sockets: reader.count("sockets", old.sockets, findings),
        children: reader.count("children", old.children, findings),
        watches: reader.count("watches", old.watches, findings),
        links: reader.count("links", old.links, findings),
        names: reader.count("names", old.names, findings),
        files: reader.count("files", old.files, findings),
        log: reader.count("log", old.log, findings),
    };
    let named = reader.named;
    reader.section.finish(findings);
    Read { limits, named }
}
