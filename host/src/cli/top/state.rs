//! What `top` knows, what is selected, and what keys do. No terminal here.

use std::collections::HashMap;
use std::time::Instant;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::Value;

use crate::control::protocol::{
    ActorInfo, ActorRow, Actors, Command, Kill, Pong, Reload, Reloaded, Sort, Tree, TreeNode, Who,
};

/// The orders, as `s` goes through them.
const SORTS: [Sort; 7] = [Sort::Cpu, Sort::Mailbox, Sort::Memory, Sort::Messages, Sort::Age, Sort::Name, Sort::Address];

/// What a key asks of the loop.
#[derive(Debug, PartialEq)]
pub(super) enum Effect {
    Nothing,
    Quit,
    /// Other rows are wanted.
    Refresh,
    Ask(Command),
}

/// What keys are for.
#[derive(Debug, PartialEq)]
pub(super) enum Mode {
    Browse,
    /// The filter is typed.
    Filter,
    /// `y` does it: to an actor, or a module.
    Confirm(Action, String),
    Details,
    Help,
}

/// What can be done to an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Kill,
    Restart,
    /// Of its module, with all actors of it.
    Reload,
}

impl Action {
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Restart => "restart",
            Self::Reload => "reload",
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    /// None: a supervisor.
    pub row: Option<ActorRow>,
    pub name: String,
    /// How deep in the tree.
    pub depth: usize,
    /// Time with a worker, in thousandths of a core; messages a second.
    pub cpu: u64,
    pub rate: u64,
}

/// Each actor's time with a worker, in microseconds, and its messages.
type Figures = HashMap<String, (u64, u64)>;

/// See the file's head.
#[derive(Debug)]
pub(super) struct State {
    pub pong: Option<Pong>,
    pub total: usize,
    pub shown: Vec<Shown>,
    /// Index into `shown`.
    pub selected: usize,
    /// The first line that is visible; the view keeps the selected one in sight.
    pub first: usize,
    pub mode: Mode,
    pub filter: String,
    pub said: String,
    pub details: Option<Box<ActorInfo>>,
    /// All actors together.
    pub cpu: u64,
    pub rate: u64,
    pub memory: usize,
    sort: Sort,
    tree: bool,
    paused: bool,
    /// When the figures before these came, and each actor's time and messages then.
    before: Option<(Instant, Figures)>,
}

impl State {
    pub(super) fn new(sort: Sort, filter: Option<String>) -> Self {
        Self {
            pong: None,
            total: 0,
            shown: Vec::new(),
            selected: 0,
            first: 0,
            mode: Mode::Browse,
            filter: filter.unwrap_or_default(),
            said: String::new(),
            details: None,
            cpu: 0,
            rate: 0,
            memory: 0,
            sort,
            tree: false,
            paused: false,
            before: None,
        }
    }

    pub(super) fn sort(&self) -> Sort {
        self.sort
    }

    pub(super) fn as_tree(&self) -> bool {
        self.tree
    }

    pub(super) fn paused(&self) -> bool {
        self.paused
    }

    /// What the host is asked for: what was typed begins a name.
    pub(super) fn pattern(&self) -> Option<String> {
        let filter = self.filter.trim_end_matches('*');
        if filter.is_empty() { None } else { Some(format!("{filter}*")) }
    }

    pub(super) fn note(&mut self, text: String) {
        self.said = text;
    }

    /// What a command came to.
    pub(super) fn answered(&mut self, answer: Value) {
        if self.mode == Mode::Details {
            self.details = serde_json::from_value(answer).ok().map(Box::new);
        } else if let Ok(Reloaded { modules }) = serde_json::from_value(answer)
            && let Some(row) = modules.first()
        {
            let count = row.exchanged + row.restarted;
            let done = || format!("{}@{}: {count} actors changed, {} kept", row.module, row.to, row.kept.len());
            self.said = row.problem.as_ref().map_or_else(done, |problem| format!("{}: {problem}", row.module));
        }
    }

    /// New figures. The selected actor stays selected, wherever it stands now; but the first line is who stands first.
    pub(super) fn update(&mut self, pong: Pong, actors: Actors, tree: Option<Tree>, now: Instant) {
        let keep = self.address().filter(|_| self.selected > 0).map(str::to_owned);
        let before = self.before.take();
        let rates = |row: &ActorRow| {
            let (at, figures) = before.as_ref()?;
            let (cpu, messages) = figures.get(&row.address)?;
            let elapsed = u64::try_from(now.duration_since(*at).as_micros()).ok().filter(|elapsed| *elapsed > 0)?;
            let cpu = row.cpu_us.saturating_sub(*cpu).saturating_mul(1000) / elapsed;
            Some((cpu, row.messages.saturating_sub(*messages).saturating_mul(1_000_000) / elapsed))
        };
        let mut all: Vec<Shown> = Vec::with_capacity(actors.actors.len());
        for row in actors.actors {
            let (cpu, rate) = rates(&row).unwrap_or_default();
            all.push(Shown { name: row.name.clone(), depth: 0, cpu, rate, row: Some(row) });
        }
        let rows = all.iter().filter_map(|shown| shown.row.as_ref());
        self.before = Some((now, rows.clone().map(|row| (row.address.clone(), (row.cpu_us, row.messages))).collect()));
        self.memory = rows.map(|row| row.memory).sum();
        self.cpu = all.iter().map(|shown| shown.cpu).sum();
        self.rate = all.iter().map(|shown| shown.rate).sum();
        (self.pong, self.total) = (Some(pong), actors.total);
        self.shown = match tree {
            None => {
                // The host sorts by what was used since the start; here it is what is used now.
                match self.sort {
                    Sort::Cpu => all.sort_by_key(|shown| std::cmp::Reverse(shown.cpu)),
                    Sort::Messages => all.sort_by_key(|shown| std::cmp::Reverse(shown.rate)),
                    _ => {}
                }
                all
            }
            Some(tree) => {
                let known = all.into_iter().filter_map(|shown| Some((shown.row.as_ref()?.address.clone(), shown)));
                let mut known: HashMap<String, Shown> = known.collect();
                let mut lines = Vec::new();
                for node in &tree.nodes {
                    branch(node, 0, &mut known, &mut lines);
                }
                lines
            }
        };
        let again = keep.and_then(|keep| self.shown.iter().position(|shown| shown.is(&keep)));
        self.selected = again.unwrap_or(self.selected).min(self.shown.len().saturating_sub(1));
    }

    /// Whom keys are about.
    fn address(&self) -> Option<&str> {
        self.shown.get(self.selected)?.row.as_ref().map(|row| row.address.as_str())
    }

    /// A key was pressed.
    pub(super) fn key(&mut self, key: KeyEvent) -> Effect {
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return Effect::Quit;
        }
        self.said.clear();
        match std::mem::replace(&mut self.mode, Mode::Browse) {
            Mode::Browse => self.browse(key.code),
            Mode::Filter => self.type_filter(key.code),
            Mode::Confirm(action, actor) if key.code == KeyCode::Char('y') => {
                self.said = format!("{} {actor}: done", action.verb());
                let kill = Kill { actor, reason: Some("from top".to_owned()) };
                Effect::Ask(match action {
                    Action::Kill => Command::Kill(kill),
                    Action::Restart => Command::Restart(kill),
                    Action::Reload => Command::Reload(Reload { module: Some(kill.actor), ..Reload::default() }),
                })
            }
            Mode::Confirm(..) | Mode::Details | Mode::Help => Effect::Nothing,
        }
    }

    fn browse(&mut self, code: KeyCode) -> Effect {
        let last = self.shown.len().saturating_sub(1);
        const PAGE: usize = 10;
        match code {
            KeyCode::Char('q') | KeyCode::Esc => return Effect::Quit,
            KeyCode::Up => self.selected = self.selected.saturating_sub(1),
            KeyCode::Down => self.selected = (self.selected + 1).min(last),
            KeyCode::PageUp => self.selected = self.selected.saturating_sub(PAGE),
            KeyCode::PageDown => self.selected = (self.selected + PAGE).min(last),
            KeyCode::Home => self.selected = 0,
            KeyCode::End => self.selected = last,
            KeyCode::Char('s') => {
                let now = SORTS.iter().position(|sort| *sort == self.sort).unwrap_or(0);
                self.sort = SORTS[(now + 1) % SORTS.len()];
                return Effect::Refresh;
            }
            KeyCode::Char('t') => {
                self.tree = !self.tree;
                return Effect::Refresh;
            }
            KeyCode::Char('p') => self.paused = !self.paused,
            KeyCode::Char('/') => self.mode = Mode::Filter,
            KeyCode::Char('?' | 'h') => self.mode = Mode::Help,
            KeyCode::Char('k') => self.confirm(Action::Kill),
            KeyCode::Char('r') => self.confirm(Action::Restart),
            KeyCode::Char('R') => self.confirm(Action::Reload),
            KeyCode::Enter => {
                if let Some(actor) = self.address().map(str::to_owned) {
                    (self.mode, self.details) = (Mode::Details, None);
                    return Effect::Ask(Command::Info(Who { actor }));
                }
            }
            _ => {}
        }
        Effect::Nothing
    }

    fn confirm(&mut self, action: Action) {
        let row = self.shown.get(self.selected).and_then(|shown| shown.row.as_ref());
        if let Some(row) = row {
            let whom = if action == Action::Reload { &row.module } else { &row.address };
            self.mode = Mode::Confirm(action, whom.clone());
        }
    }

    fn type_filter(&mut self, code: KeyCode) -> Effect {
        match code {
            KeyCode::Enter => return Effect::Nothing,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Char(character) if !character.is_control() => self.filter.push(character),
            _ => {}
        }
        if code != KeyCode::Esc {
            self.mode = Mode::Filter;
        }
        Effect::Refresh
    }
}

impl Shown {
    fn is(&self, address: &str) -> bool {
        self.row.as_ref().is_some_and(|row| row.address == address)
    }
}

/// A node and what is below it; actors without figures (the filter, the number of rows) are left out, and supervisors with
/// nothing below.
fn branch(node: &TreeNode, depth: usize, known: &mut HashMap<String, Shown>, lines: &mut Vec<Shown>) -> bool {
    let at = lines.len();
    let own = match &node.address {
        None => Some(Shown { row: None, name: format!("[{}] {}", node.name, node.what), depth, cpu: 0, rate: 0 }),
        Some(address) => known.remove(address).map(|shown| Shown { depth, ..shown }),
    };
    let (is_actor, below) = (node.address.is_some(), depth + usize::from(own.is_some()));
    let found = own.is_some();
    lines.extend(own);
    let mut any = false;
    for node in &node.below {
        any |= branch(node, below, known, lines);
    }
    if !is_actor && !any {
        lines.truncate(at);
    }
    any || is_actor && found
}

#[cfg(test)]
pub(super) mod tests;
