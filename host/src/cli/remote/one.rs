//! `info`, `send`, `call`, `signal`, `kill`, `restart`: what is about one actor.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::cli::remote::figures::{age, bytes, cpu};
use crate::cli::remote::list::{module, sockets};
use crate::cli::remote::shown;
use crate::cli::remote::table::tame;
use crate::cli::remote::target::Target;
use crate::control::protocol::{self as protocol, ActorInfo, Command, LimitRow, Nothing, Payload, Reply, SignalName};

#[derive(Debug, Args)]
pub(in crate::cli) struct Who {
    /// An address (:0000002a), a name (.bank, or bank), or what the manifest calls it
    pub(super) actor: String,
    #[command(flatten)]
    pub(super) target: Target,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Send {
    /// An address (:0000002a), a name (.bank, or bank), or what the manifest calls it
    actor: String,
    /// JSON, which the actor gets as MessagePack, as the SDKs write it; what is no JSON is a string
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    value: String,
    /// The actor gets VALUE as it stands here
    #[arg(long)]
    text: bool,
    /// VALUE is hex, the actor gets its bytes
    #[arg(long, conflicts_with = "text")]
    hex: bool,
    /// The message's kind; the SDKs' own is 0
    #[arg(long, value_name = "N", default_value = "0")]
    kind: u32,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Call {
    #[command(flatten)]
    send: Send,
    /// How long to wait for the answer [default: the host's call-timeout]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Signal {
    /// An address (:0000002a), a name (.bank, or bank), or what the manifest calls it
    actor: String,
    /// Which
    #[arg(value_enum)]
    signal: SignalName,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Kill {
    /// An address (:0000002a), a name (.bank, or bank), or what the manifest calls it
    actor: String,
    /// For its callers, its watchers and the log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    target: Target,
}

impl Send {
    fn payload(&self) -> Payload {
        match (self.text, self.hex) {
            (true, _) => Payload::Text(self.value.clone()),
            (_, true) => Payload::Hex(self.value.clone()),
            _ => {
                Payload::Value(serde_json::from_str(&self.value).unwrap_or_else(|_| Value::String(self.value.clone())))
            }
        }
    }
}

/// `wasmactor info`.
pub(in crate::cli) fn info(who: &Who) -> ExitCode {
    let ask = protocol::Who { actor: who.actor.clone() };
    shown(&who.target, Command::Info(ask), describe)
}

/// An actor, a line for each thing.
pub(in crate::cli) fn describe(info: &ActorInfo) -> String {
    let row = &info.row;
    let mut lines = vec![
        ("address", row.address.clone()),
        ("name", if info.names.is_empty() { "-".to_owned() } else { info.names.join(", ") }),
        ("called", info.label.clone()),
        ("module", module(&row.module, &row.version)),
        ("state", state(info)),
    ];
    if let Some(on) = &info.waits_on {
        lines.push(("waits for", on.to_string()));
    }
    let held = if info.held > 0 { format!(", {} senders held back", info.held) } else { String::new() };
    lines.push(("mailbox", format!("{} of {}, then {}{held}", row.mailbox, info.mailbox_bound, info.mailbox_full)));
    lines.push(("messages", row.messages.to_string()));
    lines.push(("cpu", cpu(row.cpu_us)));
    lines.push(("memory", bytes(row.memory)));
    lines.push(("age", age(row.age_ms)));
    lines.push(("parent", info.parent.as_ref().map_or_else(|| "the host".to_owned(), ToString::to_string)));
    if let Some(place) = &info.supervisor {
        let protocol::Membership { supervisor, restart, state, restarts } = place;
        lines.push(("supervisor", format!("{supervisor} ({restart}, {state}, restarts {restarts})")));
    }
    lines.push(("timers", info.timers.to_string()));
    lines.push(("sockets", info.sockets.len().to_string()));
    lines.extend(allowed(info));
    let mut text = String::new();
    for (key, value) in lines {
        // Writing to a string cannot fail.
        let _ok = writeln!(text, "{key:<11} {}", tame(&value));
    }
    if !info.sockets.is_empty() {
        text.push('\n');
        text.push_str(&sockets(&info.sockets));
    }
    text
}

/// Grants and limits.
fn allowed(info: &ActorInfo) -> Vec<(&'static str, String)> {
    let Some(grants) = &info.grants else {
        return vec![("limits", "it is busy, and could not be looked into".to_owned())];
    };
    let mut lines: Vec<_> = grants.iter().map(|(key, what)| ("granted", format!("{key}: {what}"))).collect();
    if grants.is_empty() {
        lines.push(("granted", "nothing".to_owned()));
    }
    lines.extend(info.withheld.iter().map(|key| ("without", key.clone())));
    lines.extend(info.limits.iter().map(|limit| ("limit", format!("{}: {}", limit.key, of_limit(limit)))));
    lines
}

fn of_limit(limit: &LimitRow) -> String {
    let amount = |amount: u64| match &*limit.key {
        "memory" | "mailbox-bytes" | "payload" => bytes(usize::try_from(amount).unwrap_or(usize::MAX)),
        "turn" if amount == 0 => "any".to_owned(),
        "turn" => age(amount),
        "cpu" => format!("{amount}%"),
        "log" => format!("{amount} a second"),
        _ => amount.to_string(),
    };
    match limit.used {
        Some(used) => format!("{} of {}", amount(used), amount(limit.most)),
        None => amount(limit.most),
    }
}

fn state(info: &ActorInfo) -> String {
    let killed = if info.killed { ", is to end" } else { "" };
    match &info.running {
        Some(turn) => {
            format!("{} a {} from {}, on worker {}{killed}", info.row.state, turn.kind, turn.from, turn.worker)
        }
        None => format!("{}{killed}", info.row.state),
    }
}

/// `wasmactor send`.
pub(in crate::cli) fn send(send: &Send) -> ExitCode {
    let ask = protocol::Send { actor: send.actor.clone(), kind: send.kind, payload: send.payload() };
    shown(&send.target, Command::Send(ask), |_: &Nothing| String::new())
}

/// `wasmactor call`.
pub(in crate::cli) fn call(call: &Call) -> ExitCode {
    let Call { send, timeout } = call;
    let timeout_ms = timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
    let ask = protocol::Call { actor: send.actor.clone(), kind: send.kind, payload: send.payload(), timeout_ms };
    shown(&send.target, Command::Call(ask), |reply: &Reply| match &reply.reply {
        Payload::Value(value) => format!("{value}\n"),
        Payload::Text(text) | Payload::Hex(text) => format!("{text}\n"),
    })
}

/// `wasmactor signal`.
pub(in crate::cli) fn signal(signal: &Signal) -> ExitCode {
    let ask = protocol::Signal { actor: signal.actor.clone(), signal: signal.signal };
    shown(&signal.target, Command::Signal(ask), |_: &Nothing| String::new())
}

impl Kill {
    fn ask(&self) -> protocol::Kill {
        protocol::Kill { actor: self.actor.clone(), reason: self.reason.clone() }
    }
}

/// `wasmactor kill`.
pub(in crate::cli) fn kill(kill: &Kill) -> ExitCode {
    shown(&kill.target, Command::Kill(kill.ask()), |_: &Nothing| String::new())
}

/// `wasmactor restart`.
pub(in crate::cli) fn restart(kill: &Kill) -> ExitCode {
    shown(&kill.target, Command::Restart(kill.ask()), |_: &Nothing| String::new())
}
