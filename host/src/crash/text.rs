//! A report for people. Used by `wasmactor crash`.
//!
//! Must hold: whatever a guest, or whoever made the file, put into it: no control code reaches the terminal.

use std::fmt;

use bytesize::ByteSize;

use crate::actor::Frame;
use crate::crash::report::{Dump, Event, Report};

/// Bytes of a payload that are shown.
const SHOWN: usize = 64;

/// Prints text from a file.
struct Tame<'a>(&'a str);

impl fmt::Display for Tame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
        }
        Ok(())
    }
}

/// A report and what is in its dump, to be printed.
#[derive(Debug)]
pub struct Shown<'a>(pub &'a Report, pub Option<Dump>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(report, dump) = self;
        let mut said = report.reason.lines();
        let what = said.next().unwrap_or_default();
        writeln!(f, "{} failed: {}", Tame(&report.actor), Tame(what))?;
        for note in said {
            writeln!(f, "{}", Tame(note))?;
        }
        let nth = if report.supervised { format!(", instance {}", report.instance) } else { String::new() };
        let facts = [
            ("time", report.time.clone()),
            ("app", format!("{} ({})", report.app, report.host)),
            ("address", format!("{}{nth}, started by {}", report.address, report.parent)),
            ("module", format!("{}@{}", report.module, report.version)),
            ("event", event(&report.event)),
        ];
        for (name, fact) in facts {
            writeln!(f, "  {name:8} {}", Tame(&fact))?;
        }
        if let Some(bytes) = report.event.bytes() {
            let shown = &bytes[..bytes.len().min(SHOWN)];
            let more = if shown.len() < bytes.len() { " ..." } else { "" };
            writeln!(f, "  {:8} \"{}\"{more}", "payload", shown.escape_ascii())?;
        }

        writeln!(f, "\nbacktrace, the innermost function first")?;
        for (number, frame) in report.backtrace.iter().enumerate() {
            show_frame(f, number, frame)?;
        }
        if report.backtrace.is_empty() {
            writeln!(f, "  none")?;
        }
        if let Some(why) = &report.no_lines {
            writeln!(f, "  no lines of source: {}", Tame(why))?;
        } else if report.backtrace.iter().all(|frame| frame.lines.is_empty()) {
            writeln!(f, "  no lines of source: the module has no debug information")?;
        }

        if !report.events.is_empty() {
            writeln!(f, "\nevents before it, the oldest first")?;
            for one in &report.events {
                writeln!(f, "  {}", Tame(&event(one)))?;
            }
        }

        writeln!(f, "\nlimits in force")?;
        for (name, value) in &report.limits {
            match name.strip_suffix("-bytes") {
                Some(name) => writeln!(f, "  {:20} {}", Tame(name).to_string(), ByteSize::b(*value))?,
                None => writeln!(f, "  {:20} {value}", Tame(name).to_string())?,
            }
        }

        match (dump, &report.no_dump) {
            (Some(dump), _) => writeln!(
                f,
                "\ncore dump: {} of memory in {}, {} globals; this file opens in tools for wasm core dumps",
                ByteSize::b(dump.memory_bytes),
                dump.memories,
                dump.globals
            )?,
            (None, Some(why)) => writeln!(f, "\nno core dump: {}", Tame(why))?,
            (None, None) => writeln!(f, "\nno core dump")?,
        }
        if report.left_out > 0 {
            writeln!(f, "{} crashes before this one have no report", report.left_out)?;
        }
        Ok(())
    }
}

fn event(event: &Event) -> String {
    let mut text = event.event.clone();
    if text == "init" {
        return text;
    }
    if text == "message" {
        text.push_str(&format!(" kind {}", event.kind));
    }
    text.push_str(&format!(" from {}", event.source));
    if let Some(from) = &event.from {
        text.push_str(&format!(" ({from})"));
    }
    if event.session != 0 {
        text.push_str(&format!(", session {}", event.session));
    }
    text.push_str(&format!(", {} bytes", event.length));
    text
}

fn show_frame(f: &mut fmt::Formatter<'_>, number: usize, frame: &Frame) -> fmt::Result {
    let function = frame.function.clone().unwrap_or_else(|| format!("function {}", frame.index));
    writeln!(f, "  {number:2}  {}", Tame(&function))?;
    let inlined = frame.lines.len().saturating_sub(1);
    for (depth, line) in frame.lines.iter().enumerate() {
        let place = |number: Option<u32>| number.map_or_else(String::new, |number| format!(":{number}"));
        write!(f, "        at {}{}{}", Tame(&line.file), place(line.line), place(line.column))?;
        match &line.function {
            // The outermost one is the frame's own.
            Some(name) if depth < inlined => writeln!(f, " in {}, inlined", Tame(name))?,
            _ => writeln!(f)?,
        }
    }
    Ok(())
}
