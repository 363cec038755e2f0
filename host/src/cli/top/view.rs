//! How `top` looks: the host, the table, and what the keys do. From 40 columns on; the less there is to lose comes first.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Clear, Paragraph, Row, Table};

use crate::cli::remote::{describe, figures, tame};
use crate::cli::top::state::{Mode, Shown, State};
use crate::control::protocol::Sort;

/// A column: its head, its width, and what it shows of an actor. Those that stand first stay longest.
type Column = (&'static str, u16, fn(&Shown) -> String);

/// The name takes what the others leave.
const NAME_MIN: u16 = 18;

const COLUMNS: [Column; 8] = [
    ("ADDRESS", 9, |shown| of(shown, |row| row.address.clone())),
    ("STATE", 7, |shown| of(shown, |row| row.state.clone())),
    ("MAILBOX", 7, |shown| of(shown, |row| row.mailbox.to_string())),
    ("CPU%", 6, |shown| of(shown, |_| format!("{}.{}", shown.cpu / 10, shown.cpu % 10))),
    ("MEMORY", 10, |shown| of(shown, |row| figures::bytes(row.memory))),
    ("MSG/S", 8, |shown| of(shown, |_| shown.rate.to_string())),
    ("AGE", 10, |shown| of(shown, |row| figures::age(row.age_ms))),
    ("MODULE", 26, |shown| of(shown, |row| format!("{}@{}", row.module, row.version))),
];

fn of(shown: &Shown, cell: impl FnOnce(&crate::control::protocol::ActorRow) -> String) -> String {
    shown.row.as_ref().map(cell).unwrap_or_default()
}

/// Columns whose cells are figures.
fn is_figure(head: &str) -> bool {
    matches!(head, "MAILBOX" | "CPU%" | "MEMORY" | "MSG/S" | "AGE")
}

/// Draws all of it.
pub(super) fn draw(state: &mut State, frame: &mut Frame<'_>) {
    let rows = Layout::vertical([Constraint::Length(2), Constraint::Min(1), Constraint::Length(1)]);
    let [head, body, foot] = rows.areas(frame.area());
    frame.render_widget(Paragraph::new(heading(state)), head);
    table(state, frame, body);
    frame.render_widget(Paragraph::new(footing(state)), foot);
    match &state.mode {
        Mode::Details => {
            let text = state.details.as_ref().map_or_else(|| "it has ended".to_owned(), |info| describe(info));
            pop_up(frame, "details", &text);
        }
        Mode::Help => pop_up(frame, "keys", HELP),
        _ => {}
    }
}

const HELP: &str = "\
up down PgUp PgDn Home End   go through the list
Enter   details of the selected actor
s       sort by cpu, mailbox, memory, messages, age, name, address
t       as a tree: supervisors, members, children
/       filter by the beginning of the name or the module; Esc: all
k       kill the selected actor          r   restart it, by its supervisor
R       reload its module, for all actors of it
p       pause                            q   quit";

fn heading(state: &State) -> Vec<Line<'static>> {
    let Some(pong) = &state.pong else { return Vec::new() };
    let up = figures::age(pong.uptime_ms);
    let first = format!("{} (pid {})  up {up}  {} actors  {} workers", pong.app, pong.pid, pong.actors, pong.workers);
    let (cpu, rate) = (state.cpu, state.rate);
    let memory = figures::bytes(state.memory);
    let shown = if state.pattern().is_some() { format!("  of {}", state.total) } else { String::new() };
    let paused = if state.paused() { "  PAUSED" } else { "" };
    let second = format!("cpu {}.{}%  {rate} messages/s  memory {memory}{shown}{paused}", cpu / 10, cpu % 10);
    vec![Line::from(first.bold()), Line::from(second)]
}

fn footing(state: &State) -> Line<'static> {
    match &state.mode {
        Mode::Filter => Line::from(vec![Span::from("filter: ").bold(), Span::from(format!("{}_", state.filter))]),
        Mode::Confirm(action, actor) => {
            Line::from(format!("{} {actor}? y: yes, any other key: no", action.verb()).bold().reversed())
        }
        _ if !state.said.is_empty() => Line::from(tame(&state.said).bold()),
        _ => {
            let sort = format!("sort:{}", sort_name(state.sort()));
            let tree = if state.as_tree() { "list" } else { "tree" };
            let filter = if state.filter.is_empty() { "filter" } else { &state.filter };
            let keys = [("q", "quit"), ("s", &sort), ("t", tree), ("/", filter), ("Enter", "info"), ("k", "kill")];
            let more = [("r", "restart"), ("R", "reload"), ("?", "keys")];
            let spans = keys.iter().chain(&more);
            Line::from_iter(spans.flat_map(|(key, word)| {
                [Span::from((*key).to_owned()).bold(), Span::from(format!(" {} ", tame(word)))]
            }))
        }
    }
}

fn sort_name(sort: Sort) -> &'static str {
    match sort {
        Sort::Address => "address",
        Sort::Name => "name",
        Sort::Mailbox => "mailbox",
        Sort::Cpu => "cpu",
        Sort::Memory => "memory",
        Sort::Messages => "messages",
        Sort::Age => "age",
    }
}

fn table(state: &mut State, frame: &mut Frame<'_>, area: Rect) {
    // Without the heads' line.
    let height = usize::from(area.height.saturating_sub(1)).max(1);
    state.first = state.first.min(state.selected).max((state.selected + 1).saturating_sub(height));
    let mut left = area.width.saturating_sub(NAME_MIN);
    let columns: Vec<&Column> = COLUMNS
        .iter()
        .take_while(|(_, width, _)| {
            let fits = left > *width;
            left = left.saturating_sub(width + 1);
            fits
        })
        .collect();
    let align = |head: &str, text: String, width: u16| {
        let width = usize::from(width);
        if is_figure(head) { format!("{text:>width$}") } else { text }
    };
    let heads = columns.iter().map(|(head, width, _)| Cell::from(align(head, (*head).to_owned(), *width)));
    let heads =
        Row::new(std::iter::once(Cell::from("NAME")).chain(heads)).style(Style::new().add_modifier(Modifier::REVERSED));
    let selected = state.selected;
    let visible = state.shown.iter().enumerate().skip(state.first).take(height);
    let rows = visible.map(|(index, shown)| {
        let name = format!("{}{}", "  ".repeat(shown.depth), tame(&shown.name));
        let cells = columns.iter().map(|(head, width, cell)| Cell::from(align(head, tame(&cell(shown)), *width)));
        let row = Row::new(std::iter::once(Cell::from(name)).chain(cells));
        let busy = shown.row.as_ref().is_some_and(|row| ["running", "cut"].contains(&&*row.state));
        let style = if busy { Style::new().bold() } else { Style::new() };
        row.style(if index == selected { style.reversed() } else { style })
    });
    let widths = std::iter::once(Constraint::Min(NAME_MIN))
        .chain(columns.iter().map(|(_, width, _)| Constraint::Length(*width)));
    frame.render_widget(Table::new(rows, widths).header(heads), area);
}

/// A text in the middle, over what is there.
fn pop_up(frame: &mut Frame<'_>, title: &'static str, text: &str) {
    let lines: Vec<Line<'_>> = text.lines().map(Line::from).collect();
    let width = lines.iter().map(Line::width).max().unwrap_or(0);
    let side = |inner: usize, outer: u16| u16::try_from(inner + 2).unwrap_or(outer).min(outer);
    let all = frame.area();
    let (width, height) = (side(width, all.width), side(lines.len(), all.height));
    let area = Rect { x: (all.width - width) / 2, y: (all.height - height) / 2, width, height };
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(title)), area);
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::cli::top::state::State;
    use crate::cli::top::state::tests::state;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::{KeyCode, KeyEvent};

    /// What the screen shows, without spaces at the ends of lines.
    fn screen(state: &mut State, width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a screen in memory");
        terminal.draw(|frame| draw(state, frame)).expect("it draws");
        let text = terminal.backend().to_string();
        text.lines().map(|line| line.trim_matches('"').trim_end().to_owned()).collect()
    }

    #[test]
    fn at_80_by_24_all_that_matters_is_there() {
        let lines = screen(&mut state(false), 80, 24);
        assert_eq!(lines.len(), 24);
        assert_eq!(lines[0], "bank (pid 7)  up 1m 1s  3 actors  2 workers");
        assert_eq!(lines[1], "cpu 75.0%  1005 messages/s  memory 192.0 KiB");
        assert_eq!(lines[2], "NAME                        ADDRESS   STATE   MAILBOX   CPU%     MEMORY    MSG/S");
        assert_eq!(lines[3], ".actor.2                    :00000002 idle          2   50.0   64.0 KiB     1000");
        assert!(
            lines[23] == "q quit s sort:cpu t tree / filter Enter info k kill r restart R reload ? keys",
            "{lines:#?}"
        );
    }

    #[test]
    fn more_room_shows_more_and_little_less() {
        let wide = screen(&mut state(true), 132, 30);
        assert!(wide[2].ends_with("MODULE") && wide[4].contains("puppet@0123456789ab"), "{wide:#?}");
        assert!(wide[3].starts_with("[top] one-for-one") && wide[5].starts_with("    .actor.0"), "{wide:#?}");
        let narrow = screen(&mut state(false), 40, 6);
        assert!(narrow[2].starts_with("NAME") && narrow[2].contains("STATE") && !narrow[2].contains("MSG/S"));
        for (width, height) in [(1, 1), (5, 3), (20, 2), (300, 100)] {
            screen(&mut state(true), width, height);
        }
    }

    #[test]
    fn the_selected_line_stays_in_sight() {
        let mut state = state(false);
        state.key(KeyEvent::from(KeyCode::End));
        let lines = screen(&mut state, 80, 5);
        assert!(lines[3].starts_with(".actor.0"), "{lines:#?}");
        state.key(KeyEvent::from(KeyCode::Home));
        assert!(screen(&mut state, 80, 5)[3].starts_with(".actor.2"));
        state.key(KeyEvent::from(KeyCode::Char('?')));
        assert!(screen(&mut state, 80, 24).iter().any(|line| line.contains("restart it, by its supervisor")));
    }
}
