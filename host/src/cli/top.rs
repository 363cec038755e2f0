//! `wasmactor top`: the actors of a running host on the terminal, again and again. A client of the control endpoint like any
//! other.
//!
//! | file | what |
//! |---|---|
//! | `state` | what is known, what is selected, what keys do |
//! | `view` | how it looks |
//!
//! Must hold: the terminal is given back as it was, however it ends; what it shows was asked for in this round, and it asks
//! for no more actors than somebody would page through.

mod state;
mod view;

use std::io::{IsTerminal as _, Write as _, stdin, stdout};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use crate::cli::bad_input;
use crate::cli::remote::{Target, report};
use crate::control::protocol::{Actors, Command, Nothing, Ps, Sort, Tree};
use crate::control::{Client, Failure};
use state::{Effect, State};

/// Actors that are asked for. Thin air: who pages through more wants a filter.
const ROWS: usize = 5000;

#[derive(Debug, Args)]
pub(super) struct Top {
    /// Only actors whose name or module is this; `*` at the end stands for any rest
    #[arg(value_name = "NAME")]
    filter: Option<String>,
    /// What comes first
    #[arg(long, value_enum, default_value = "cpu")]
    sort: Sort,
    /// How often to ask
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    interval: Duration,
    /// End after so many rounds
    #[arg(long, value_name = "N")]
    rounds: Option<u64>,
    #[command(flatten)]
    target: Target,
}

fn interval(text: &str) -> Result<Duration, String> {
    let parsed = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let least = Duration::from_millis(100);
    if parsed < least { Err("it must be 100ms or more".to_owned()) } else { Ok(parsed) }
}

/// The whole command.
pub(super) fn run(top: &Top) -> ExitCode {
    let terminal = stdin().is_terminal() && stdout().is_terminal();
    if !terminal && !top.target.json {
        return bad_input("error: `top` needs a terminal; `wasmactor ps` prints once, `top --json` a line a round");
    }
    let ended = top.target.connect().and_then(|client| {
        let mut session = Session { client, top, state: State::new(top.sort, top.filter.clone()), rounds: 0 };
        if top.target.json { session.lines() } else { on_terminal(&mut session) }
    });
    ended.map_or_else(|failure| report(&failure), |()| ExitCode::SUCCESS)
}

fn on_terminal(session: &mut Session<'_>) -> Result<(), Failure> {
    let mut terminal = ratatui::try_init().map_err(|error| Failure::Lost(format!("the terminal: {error}")))?;
    let ended = session.screen(&mut terminal);
    ratatui::restore();
    ended
}

struct Session<'a> {
    client: Client,
    top: &'a Top,
    state: State,
    rounds: u64,
}

impl Session<'_> {
    /// Whether this was the last round.
    fn last(&mut self) -> bool {
        self.rounds += 1;
        self.top.rounds.is_some_and(|rounds| self.rounds >= rounds)
    }

    fn ask(&self) -> Ps {
        Ps { filter: self.state.pattern(), sort: self.state.sort(), limit: ROWS }
    }

    /// A line of JSON a round: the answer of `ps`.
    fn lines(&mut self) -> Result<(), Failure> {
        loop {
            let answer = self.client.ask(Command::Ps(self.ask()))?;
            // A reader that goes away wants no more.
            if writeln!(stdout(), "{answer}").is_err() || self.last() {
                return Ok(());
            }
            std::thread::sleep(self.top.interval);
        }
    }

    fn refresh(&mut self) -> Result<(), Failure> {
        let pong = self.client.ping()?;
        let actors: Actors = self.client.get(Command::Ps(self.ask()))?;
        let tree: Option<Tree> =
            if self.state.as_tree() { Some(self.client.get(Command::Tree(Nothing {}))?) } else { None };
        self.state.update(pong, actors, tree, Instant::now());
        Ok(())
    }

    fn screen(&mut self, terminal: &mut DefaultTerminal) -> Result<(), Failure> {
        let lost = |error: std::io::Error| Failure::Lost(format!("the terminal: {error}"));
        self.refresh()?;
        let mut due = Instant::now() + self.top.interval;
        loop {
            terminal.draw(|frame| view::draw(&mut self.state, frame)).map_err(lost)?;
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                if self.last() {
                    return Ok(());
                }
                due = Instant::now() + self.top.interval;
                if !self.state.paused() {
                    self.refresh()?;
                }
                continue;
            }
            if !event::poll(left).map_err(lost)? {
                continue;
            }
            let Event::Key(key) = event::read().map_err(lost)? else { continue };
            if key.kind == KeyEventKind::Release {
                continue;
            }
            match self.state.key(key) {
                Effect::Nothing => {}
                Effect::Quit => return Ok(()),
                Effect::Refresh => self.refresh()?,
                Effect::Ask(command) => {
                    match self.client.ask(command) {
                        Ok(answer) => self.state.answered(answer),
                        Err(Failure::Problem(problem)) => self.state.note(problem.message),
                        Err(lost) => return Err(lost),
                    }
                    self.refresh()?;
                }
            }
        }
    }
}
