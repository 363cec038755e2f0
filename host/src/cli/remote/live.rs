//! `waits`, `why`, `trace`, `watch-mailbox`: what goes on.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::cli::remote::figures::{age, nanos};
use crate::cli::remote::list::module;
use crate::cli::remote::table::{self, Column, tame};
use crate::cli::remote::target::Target;
use crate::cli::remote::{Plain, Who, shown, streamed};
use crate::control::protocol::{self as protocol, Command, MailboxEvent, Nothing, TraceEvent, Waits, Why};

#[derive(Debug, Args)]
pub(in crate::cli) struct Trace {
    /// An address (:0000002a), a name (.bank, or bank), or what the manifest calls it
    actor: String,
    /// End after so many events
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WatchMailbox {
    /// An address (:0000002a), a name (.bank, or bank), or what the manifest calls it
    actor: String,
    /// How often, 10ms or more
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    interval: Duration,
    /// End after so many
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    #[command(flatten)]
    target: Target,
}

/// `wasmactor waits`.
pub(in crate::cli) fn waits(plain: &Plain) -> ExitCode {
    shown(&plain.target, Command::Waits(Nothing {}), |waits: &Waits| {
        let columns = [
            Column::left("CYCLE"),
            Column::left("WHO"),
            Column::left("WAITS FOR"),
            Column::left("HOW"),
            Column::right("DEADLINE IN"),
        ];
        let row = |wait: &protocol::Wait| {
            let how = if wait.exclusive { "exclusive call" } else { "request" };
            let queued = if wait.queued { ", not begun" } else { "" };
            [
                if wait.cycle { "CYCLE" } else { "" }.to_owned(),
                wait.from.to_string(),
                wait.on.to_string(),
                format!("{how}{queued}"),
                wait.deadline_in_ms.map_or_else(|| "-".to_owned(), age),
            ]
        };
        let mut text = table::render(&columns, waits.waits.iter().map(row));
        if waits.unseen > 0 {
            let _ok = writeln!(text, "{} actors are busy and could not be looked into", waits.unseen);
        }
        text
    })
}

/// `wasmactor why`.
pub(in crate::cli) fn why(who: &Who) -> ExitCode {
    let ask = protocol::Who { actor: who.actor.clone() };
    shown(&who.target, Command::Why(ask), |why: &Why| tame_lines(&explain(why)))
}

/// Control codes out, lines kept.
fn tame_lines(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", tame(line))).collect()
}

fn explain(why: &Why) -> String {
    let row = &why.row;
    let mut text = format!("{} {} {} is {}", row.name, row.address, module(&row.module, &row.version), row.state);
    // Writing to a string cannot fail.
    if let Some(turn) = &why.running {
        let _ok = write!(text, ": a {} from {}, on worker {}", turn.kind, turn.from, turn.worker);
    }
    if let Some(turn) = why.turn_ms {
        let _ok = write!(text, ", for {} at least", age(turn));
    }
    if let Some(on) = &why.waits_on {
        let _ok = write!(text, ", waiting for {on}");
    }
    let (whole, tenth) = (why.cpu_permille / 10, why.cpu_permille % 10);
    let _ok = write!(
        text,
        "\nin {}: {whole}.{tenth}% of a core, {} messages handled\n{} wait",
        age(why.looked_ms),
        why.handled,
        row.mailbox
    );
    if let Some(waited) = why.waited_ms {
        let _ok = write!(text, ", one of them for {} at least", age(waited));
    }
    match (why.open, why.outstanding) {
        (Some(open), Some(outstanding)) => {
            let _ok = write!(text, "\n{open} requests to answer, {outstanding} answers awaited\n");
        }
        _ => text.push_str("\nit did not come to a place where one can look into it\n"),
    }
    if !why.senders.is_empty() {
        let _ok = write!(text, "\nwho fills the mailbox, of {} messages:\n", why.of);
        for sender in &why.senders {
            let kind = if sender.kind == 0 { String::new() } else { format!(" of kind {}", sender.kind) };
            let _ok = writeln!(text, "  {:>6} {}{kind} from {}", sender.count, sender.event, sender.from);
        }
    }
    if !why.stack.is_empty() {
        text.push_str("\nwhere its guest is, the innermost first:\n");
        for frame in &why.stack {
            let _ok = writeln!(text, "  {frame}");
        }
    }
    text
}

/// `wasmactor trace`.
pub(in crate::cli) fn trace(trace: &Trace) -> ExitCode {
    let ask = protocol::Who { actor: trace.actor.clone() };
    streamed(&trace.target, Command::Trace(ask), trace.limit, |event: &TraceEvent| match event {
        TraceEvent::Begins { at_us, event, from, session, kind, length, waiting } => {
            let (kind, session) = numbers(*kind, *session);
            let from = tame(&from.to_string());
            format!("{} {event} from {from}{kind}{session} {length} bytes, {waiting} wait\n", at(*at_us))
        }
        TraceEvent::Sends { at_us, event, to, session, kind, length, taken } => {
            let (kind, session) = numbers(*kind, *session);
            let to = tame(&to.to_string());
            let not = if *taken { "" } else { ", not taken" };
            format!("{}   sends {event} to {to}{kind}{session} {length} bytes{not}\n", at(*at_us))
        }
        TraceEvent::Ends { at_us, ran_ns } => format!("{}   ran {}\n", at(*at_us), nanos(Some(*ran_ns))),
        TraceEvent::Lost { events } => format!("{events} events came too fast to be told\n"),
    })
}

/// Those that are not 0.
fn numbers(kind: u32, session: u64) -> (String, String) {
    let word = |word: &str, number: u64| if number == 0 { String::new() } else { format!(" {word} {number}") };
    (word("kind", kind.into()), word("session", session))
}

/// `wasmactor watch-mailbox`.
pub(in crate::cli) fn watch_mailbox(watch: &WatchMailbox) -> ExitCode {
    let interval_ms = u64::try_from(watch.interval.as_millis()).unwrap_or(u64::MAX);
    let ask = protocol::WatchMailbox { actor: watch.actor.clone(), interval_ms };
    let mut before: Option<(u64, u64)> = None;
    streamed(&watch.target, Command::WatchMailbox(ask), watch.limit, |event: &MailboxEvent| {
        let rate = before.filter(|(at, _)| *at < event.at_us).map(|(at, messages)| {
            event.messages.saturating_sub(messages).saturating_mul(1_000_000) / (event.at_us - at)
        });
        before = Some((event.at_us, event.messages));
        let rate = rate.map_or_else(String::new, |rate| format!(", {rate} handled/s"));
        let held = if event.held > 0 { format!(", {} senders held back", event.held) } else { String::new() };
        let MailboxEvent { at_us, state, waiting, taken, bound, .. } = event;
        format!("{} {state}: {waiting} of {bound} wait ({taken} taken){held}{rate}\n", at(*at_us))
    })
}

/// Seconds since the host's start.
fn at(microseconds: u64) -> String {
    format!("{:>6}.{:06}", microseconds / 1_000_000, microseconds % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::explain;
    use crate::control::protocol::{ActorRow, Caller, Running, Sender, Why};

    #[test]
    fn why_is_told_in_words() {
        let caller = |name: &str| Caller { name: name.to_owned(), address: ":00000002".to_owned() };
        let row = ActorRow {
            address: ":00000001".to_owned(),
            name: ".bob".to_owned(),
            module: "puppet".to_owned(),
            version: "ab".to_owned(),
            state: "running".to_owned(),
            mailbox: 7,
            ..ActorRow::default()
        };
        let why = Why {
            row,
            running: Some(Running { worker: 1, kind: "message".to_owned(), from: caller(".alice") }),
            turn_ms: Some(12_000),
            stack: vec!["spin".to_owned()],
            open: Some(1),
            outstanding: Some(0),
            looked_ms: 200,
            cpu_permille: 987,
            waited_ms: Some(3000),
            senders: vec![Sender { from: caller(".eve"), event: "message".to_owned(), kind: 3, count: 6 }],
            of: 7,
            ..Why::default()
        };
        let expected = "\
.bob :00000001 puppet@ab is running: a message from .alice (:00000002), on worker 1, for 12s at least
in 200ms: 98.7% of a core, 0 messages handled
7 wait, one of them for 3s at least
1 requests to answer, 0 answers awaited

who fills the mailbox, of 7 messages:
       6 message of kind 3 from .eve (:00000002)

where its guest is, the innermost first:
  spin
";
        assert_eq!(explain(&why), expected);
    }
}
