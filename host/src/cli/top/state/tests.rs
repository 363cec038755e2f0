//! What keys do, and what is shown in which order.

use super::{Action, Effect, Mode, State};
use crate::control::protocol::{ActorRow, Actors, Command, Kill, Pong, Reload, ReloadRow, Sort, Tree, TreeNode};
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use std::time::{Duration, Instant};

fn pong() -> Pong {
    Pong {
        app: "bank".to_owned(),
        manifest: "/app.toml".to_owned(),
        pid: 7,
        version: "0.1.0".to_owned(),
        workers: 2,
        actors: 3,
        uptime_ms: 61_000,
    }
}

/// Three actors; of each the time and the messages so far.
pub(in crate::cli::top) fn three(figures: [(u64, u64); 3]) -> Actors {
    let row = |(index, (cpu_us, messages)): (usize, (u64, u64))| ActorRow {
        address: format!(":{index:08x}"),
        name: format!(".actor.{index}"),
        module: "puppet".to_owned(),
        version: "0123456789ab".to_owned(),
        state: "idle".to_owned(),
        mailbox: index,
        cpu_us,
        memory: 64 << 10,
        messages,
        age_ms: 61_000,
    };
    Actors { actors: figures.into_iter().enumerate().map(row).collect(), total: 3 }
}

fn nodes() -> Tree {
    let actor = |index: usize, below| TreeNode { address: Some(format!(":{index:08x}")), below, ..TreeNode::default() };
    let supervisor = |name: &str, below| TreeNode {
        name: name.to_owned(),
        what: "one-for-one".to_owned(),
        below,
        ..TreeNode::default()
    };
    let empty = supervisor("empty", vec![actor(9, vec![])]);
    Tree { nodes: vec![supervisor("top", vec![actor(2, vec![actor(0, vec![])])]), empty, actor(1, vec![])] }
}

/// After two rounds, a second apart.
pub(in crate::cli::top) fn state(tree: bool) -> State {
    let mut state = State::new(Sort::Cpu, None);
    state.tree = tree;
    let start = Instant::now();
    state.update(pong(), three([(0, 0), (0, 0), (0, 0)]), tree.then(nodes), start);
    let after = start + Duration::from_secs(1);
    state.update(pong(), three([(0, 0), (250_000, 5), (500_000, 1000)]), tree.then(nodes), after);
    state
}

fn press(state: &mut State, code: KeyCode) -> Effect {
    state.key(KeyEvent::from(code))
}

#[test]
fn rates_are_of_the_last_round_and_sort() {
    let state = state(false);
    let lines: Vec<(&str, u64, u64)> = state.shown.iter().map(|shown| (&*shown.name, shown.cpu, shown.rate)).collect();
    assert_eq!(lines, [(".actor.2", 500, 1000), (".actor.1", 250, 5), (".actor.0", 0, 0)]);
    assert_eq!((state.cpu, state.rate, state.memory), (750, 1005, 3 * (64 << 10)));
}

#[test]
fn the_tree_has_members_below_their_supervisor_and_none_that_is_filtered_out() {
    let state = state(true);
    let lines: Vec<(&str, usize)> = state.shown.iter().map(|shown| (&*shown.name, shown.depth)).collect();
    assert_eq!(lines, [("[top] one-for-one", 0), (".actor.2", 1), (".actor.0", 2), (".actor.1", 0)]);
}

#[test]
fn the_selected_actor_stays_selected() {
    let mut state = state(false);
    press(&mut state, KeyCode::End);
    assert_eq!(state.address(), Some(":00000000"));
    let later = Instant::now() + Duration::from_secs(2);
    state.update(pong(), three([(9_000_000, 0), (250_000, 5), (500_000, 1000)]), None, later);
    assert_eq!((state.address(), state.selected), (Some(":00000000"), 0));
    let later = later + Duration::from_secs(1);
    state.update(pong(), three([(9_000_000, 0), (1_250_000, 5), (500_000, 1000)]), None, later);
    assert_eq!((state.address(), state.selected), (Some(":00000001"), 0), "the first line");
    state.update(pong(), Actors::default(), None, later);
    assert_eq!((state.address(), state.selected), (None, 0));
    assert_eq!(press(&mut state, KeyCode::Char('k')), Effect::Nothing);
    assert_eq!(state.mode, Mode::Browse);
}

#[test]
fn a_kill_is_confirmed() {
    let mut state = state(false);
    press(&mut state, KeyCode::Char('k'));
    assert_eq!(state.mode, Mode::Confirm(Action::Kill, ":00000002".to_owned()));
    assert_eq!(press(&mut state, KeyCode::Char('n')), Effect::Nothing);
    assert_eq!(state.mode, Mode::Browse);
    press(&mut state, KeyCode::Char('r'));
    let kill = Kill { actor: ":00000002".to_owned(), reason: Some("from top".to_owned()) };
    assert_eq!(press(&mut state, KeyCode::Char('y')), Effect::Ask(Command::Restart(kill)));
}

#[test]
fn a_module_is_reloaded_and_what_came_of_it_is_said() {
    let mut state = state(false);
    press(&mut state, KeyCode::Char('R'));
    assert_eq!(state.mode, Mode::Confirm(Action::Reload, "puppet".to_owned()));
    let reload = Reload { module: Some("puppet".to_owned()), ..Reload::default() };
    assert_eq!(press(&mut state, KeyCode::Char('y')), Effect::Ask(Command::Reload(reload)));
    let row = ReloadRow { module: "puppet".to_owned(), to: "ab".to_owned(), exchanged: 3, ..ReloadRow::default() };
    let told = |state: &mut State, row: &ReloadRow| {
        state.answered(serde_json::json!({ "modules": [row] }));
        state.said.clone()
    };
    assert_eq!(told(&mut state, &row), "puppet@ab: 3 actors changed, 0 kept");
    let row = ReloadRow { problem: Some("no `save`".to_owned()), ..row };
    assert_eq!(told(&mut state, &row), "puppet: no `save`");
}

#[test]
fn what_is_typed_filters() {
    let mut state = state(false);
    press(&mut state, KeyCode::Char('/'));
    for character in "qk*".chars() {
        assert_eq!(press(&mut state, KeyCode::Char(character)), Effect::Refresh);
    }
    assert_eq!(state.pattern().as_deref(), Some("qk*"));
    press(&mut state, KeyCode::Backspace);
    press(&mut state, KeyCode::Enter);
    assert_eq!((&state.mode, state.pattern().as_deref()), (&Mode::Browse, Some("qk*")));
    press(&mut state, KeyCode::Char('/'));
    press(&mut state, KeyCode::Esc);
    assert_eq!((&state.mode, state.pattern()), (&Mode::Browse, None));
}

#[test]
fn sort_goes_around_and_q_ends() {
    let mut state = state(false);
    for _ in 0..super::SORTS.len() {
        assert_eq!(press(&mut state, KeyCode::Char('s')), Effect::Refresh);
    }
    assert_eq!(state.sort(), Sort::Cpu);
    assert_eq!(press(&mut state, KeyCode::Char('q')), Effect::Quit);
}
