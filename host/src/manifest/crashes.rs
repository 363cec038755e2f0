//! `[crashes]`: what is kept of actors that fault, and where.

use std::path::Path;

use crate::crash::Bounds;
use crate::manifest::diagnostic::Findings;
use crate::manifest::raw::Section;
use crate::manifest::{CrashSpec, values};
use crate::node::crash::CrashOptions;

/// More is an archive, which is another program's affair.
const FILES_MAX: u32 = 100_000;
/// Headers are kept for each actor: more are no help, and much memory.
const EVENTS_MAX: u32 = 1024;
const PAYLOAD_MAX: u64 = 1 << 20;

const OF: [(&str, bool); 2] = [("supervised", false), ("all", true)];

/// Reads the table. None: no reports.
pub(super) fn read(top: &mut Section<'_, '_>, path: &Path, findings: &mut Findings<'_>) -> Option<CrashSpec> {
    let default = (Bounds::default(), CrashOptions::default());
    let Some(mut section) = top.get("crashes").and_then(|node| Section::of("[crashes]", node, findings)) else {
        return Some(CrashSpec::default());
    };
    let reports = section.boolean("reports", findings).unwrap_or(true);
    let folder = section.string("folder", findings).map(|(text, _)| values::base(path).join(text));
    let mut size = |key, most, default| values::size(&mut section, key, 0..=most, findings).unwrap_or(default);
    let bytes = size("bytes", u64::MAX, usize::try_from(default.0.bytes).unwrap_or(usize::MAX)) as u64;
    let options = CrashOptions {
        payload: size("payload", PAYLOAD_MAX, default.1.payload),
        dump: size("memory", 4 << 30, default.1.dump),
        events: section.integer("events", 0..=EVENTS_MAX, findings).map_or(default.1.events, |count| count as usize),
        all: section.choice("events-of", &OF, findings).unwrap_or(default.1.all),
    };
    let files = section.integer("files", 1..=FILES_MAX, findings).map_or(default.0.files, |count| count as usize);
    section.finish(findings);
    reports.then_some(CrashSpec { folder, bounds: Bounds { files, bytes }, options })
}
