//! `reload`: other versions of modules for the actors that run.
//!
//! What should be known before (that actors lose their state) is printed before anything is done: the host is asked twice.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::cli::remote::target::Target;
use crate::cli::remote::{FAILED, done};
use crate::control::Failure;
use crate::control::protocol::{self as protocol, Command, ReloadAction, ReloadRow, Reloaded};

#[derive(Debug, Args)]
pub(in crate::cli) struct Reload {
    /// Which module, by its name in app.toml
    #[arg(value_name = "NAME", required_unless_present = "all")]
    module: Option<String>,
    /// All modules; those whose files are what runs are left alone
    #[arg(long, conflicts_with = "module")]
    all: bool,
    /// Only so many percent of the actors, until --commit or --rollback
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with_all = ["commit", "rollback", "check"])]
    canary: Option<u8>,
    /// After --canary: the others, too
    #[arg(long, conflicts_with_all = ["rollback", "check"])]
    commit: bool,
    /// After --canary: back to the old version; else back to the version before
    #[arg(long, conflicts_with = "check")]
    rollback: bool,
    /// Only say what would be
    #[arg(long)]
    check: bool,
    /// Actors of modules that keep no state (no `save` and `load`) may begin anew
    #[arg(long)]
    restart: bool,
    /// How long an actor may take until its requests in flight are over [default: the manifest's]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    grace: Option<Duration>,
    #[command(flatten)]
    target: Target,
}

/// `10` or `10%`.
fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok().filter(|percent| (1..=100).contains(percent));
    number.ok_or_else(|| "a share of the actors: 1% to 100%".to_owned())
}

impl Reload {
    fn ask(&self, action: ReloadAction) -> Command {
        Command::Reload(protocol::Reload {
            module: self.module.clone(),
            action,
            restart: self.restart,
            grace_ms: self.grace.map(|grace| u64::try_from(grace.as_millis()).unwrap_or(u64::MAX)),
        })
    }

    fn action(&self) -> ReloadAction {
        match (self.canary, self.commit, self.rollback, self.check) {
            (Some(percent), ..) => ReloadAction::Trial(percent),
            (_, true, ..) => ReloadAction::Commit,
            (_, _, true, _) => ReloadAction::Rollback,
            (.., true) => ReloadAction::Check,
            _ => ReloadAction::Reload,
        }
    }
}

/// `wasmactor reload`.
pub(in crate::cli) fn reload(reload: &Reload) -> ExitCode {
    let action = reload.action();
    let mut said = Vec::new();
    let asked = reload.target.connect().and_then(|mut client| {
        if !reload.target.json && matches!(action, ReloadAction::Reload | ReloadAction::Trial(_)) {
            let planned: Reloaded = client.get(reload.ask(ReloadAction::Check))?;
            for row in &planned.modules {
                row.notes.iter().for_each(|note| eprintln!("{}: {note}", row.module));
            }
            said.extend(planned.modules.into_iter().flat_map(|row| row.notes));
        }
        let answer = client.ask(reload.ask(action))?;
        let reloaded: Reloaded =
            serde_json::from_value(answer.clone()).map_err(|error| Failure::Lost(error.to_string()))?;
        Ok((answer, reloaded))
    });
    match asked {
        Err(failure) => done(Err(failure)),
        Ok((answer, reloaded)) => {
            let well = reloaded.modules.iter().all(ReloadRow::is_well);
            let text = if reload.target.json {
                format!("{answer}\n")
            } else {
                reloaded.modules.iter().map(|row| show(row, action, &said)).collect()
            };
            let printed = done(Ok(text));
            if well { printed } else { ExitCode::from(FAILED) }
        }
    }
}

/// `said`: notes that were printed before.
fn show(row: &ReloadRow, action: ReloadAction, said: &[String]) -> String {
    let ReloadRow { module, from, to, .. } = row;
    let mut text = match (&row.problem, action) {
        (Some(problem), _) => format!("{module}: {from} goes on: {problem}\n"),
        (None, _) if from == to => format!("{module}: {from} is what its file has\n"),
        (None, ReloadAction::Check) => format!("{module}: {from} would be {to}\n"),
        (None, _) => format!("{module}: {from} -> {to}: {}\n", figures(row)),
    };
    // Writing to a string cannot fail.
    for note in row.notes.iter().filter(|note| !said.contains(note)) {
        let _ok = writeln!(text, "  {note}");
    }
    for kept in &row.kept {
        let _ok = writeln!(text, "  {} goes on as it was: {}", kept.actor, kept.why);
    }
    text
}

fn figures(row: &ReloadRow) -> String {
    let mut parts = vec![format!("{} with their state", row.exchanged)];
    let counts = [(row.restarted, "anew"), (row.kept.len(), "as they were"), (row.untouched, "not asked")];
    parts.extend(counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    if let (Some(median), Some(last), Some(longest)) = (row.pause_p50_us, row.pause_p99_us, row.pause_max_us) {
        parts.push(format!("pause {median} µs, p99 {last} µs, longest {longest} µs"));
    }
    parts.join(", ")
}
