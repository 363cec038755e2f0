//! `reload` of a `[module.*]`: what its actors get for going on with another version.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::manifest::diagnostic::Findings;
use crate::manifest::raw::{Node, Section};
use crate::manifest::values;
use crate::node::ReloadOptions;

/// An operator waits so long at most.
const GRACE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3600);
/// An actor handles nothing meanwhile. Less is not measured well enough.
const STEP: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(30);
/// A 32-bit memory has no more.
const STATE: RangeInclusive<u64> = 0..=4 << 30;

/// Reads the table; without it, or where it says nothing, the defaults.
pub(super) fn read(node: Option<&Node<'_>>, owner: &str, findings: &mut Findings<'_>) -> ReloadOptions {
    let default = ReloadOptions::default();
    let title = format!("`reload` of {owner}");
    let Some(mut section) = node.and_then(|node| Section::of(title, node, findings)) else { return default };
    let options = ReloadOptions {
        grace: time(&mut section, "grace", &GRACE, "0s to 1h", findings).unwrap_or(default.grace),
        step: time(&mut section, "step", &STEP, "1ms to 30s", findings).unwrap_or(default.step),
        state: values::size(&mut section, "state", STATE, findings).unwrap_or(default.state),
        restart: default.restart,
    };
    section.finish(findings);
    options
}

fn time(
    section: &mut Section<'_, '_>,
    key: &'static str,
    range: &RangeInclusive<Duration>,
    words: &str,
    findings: &mut Findings<'_>,
) -> Option<Duration> {
    let time = values::duration(section, key, findings)?;
    let fits = range.contains(&time);
    if !fits {
        findings.add(section.span(), format!("`{key}` must be {words}"));
    }
    fits.then_some(time)
}
