//! `top` and `ps` in a real terminal.

use wasmactor_tests::{ALL, App, Setup, Terminal};

fn app() -> App {
    let top = format!("supervisor = \"top\"\n{ALL}");
    let setup = Setup::new().toml("[supervisor.top]\nbackoff = \"1ms\"").puppet_with("bob", &top);
    setup.actor("many", "puppet", &format!("count = 30\n{ALL}")).puppet("alice").start()
}

#[test]
fn ps_fits_into_80_columns() {
    let app = app();
    let terminal = Terminal::open(&app, "ps", 80, 24, "ps 'bob*' -n 3");
    let screen = terminal.shows("its end", |screen| screen.contains("ended with 0"));
    assert!(screen.starts_with("ADDRESS    NAME"), "{screen}");
    assert!(screen.lines().any(|line| line.contains(".bob ") && line.contains("idle")), "{screen}");
}

#[test]
fn top_at_80_by_24_sorts_filters_shows_details_and_kills() {
    let mut app = app();
    let terminal = Terminal::open(&app, "top", 80, 24, "top --interval 100ms");
    let screen = terminal.shows("the list", |screen| screen.contains("q quit"));
    let lines: Vec<&str> = screen.lines().collect();
    assert_eq!(lines.len(), 24, "{screen}");
    assert!(lines[0].starts_with(&format!("test (pid {})", app.process.id())), "{screen}");
    assert!(lines[2].starts_with("NAME") && lines[2].contains("CPU%") && lines[2].contains("MSG/S"), "{screen}");
    assert!(lines[3].starts_with('.') && lines[22].starts_with('.'), "as many actors as there is room for: {screen}");
    // Who runs comes first.
    app.told(".bob", "spin");
    terminal.shows("bob above", |screen| screen.lines().nth(3).is_some_and(|line| line.starts_with(".bob ")));
    // As a tree bob stands under his supervisor.
    terminal.press(&["t"]);
    let screen = terminal.shows("the tree", |screen| screen.contains("[top] one-for-one"));
    assert!(screen.lines().any(|line| line.starts_with("  .bob ")), "{screen}");
    terminal.press(&["t"]);
    terminal.press(&["s", "s", "s", "s", "s"]);
    let screen = terminal.shows("names", |screen| screen.contains("sort:name"));
    assert!(screen.lines().nth(3).is_some_and(|line| line.starts_with(".alice ")), "{screen}");
    terminal.press(&["/"]);
    terminal.press(&["-l", "bob"]);
    let alone = |screen: &str| screen.lines().filter(|line| line.starts_with('.')).count() == 1;
    terminal.shows("bob alone", |screen| screen.contains("filter: bob_") && alone(screen));
    terminal.press(&["Enter"]);
    terminal.press(&["Enter"]);
    let screen = terminal.shows("details", |screen| screen.contains("supervisor  top (permanent"));
    assert!(screen.contains("┌details"), "{screen}");
    terminal.press(&["Escape"]);
    terminal.shows("the list", |screen| !screen.contains("details─"));
    terminal.press(&["k"]);
    terminal.shows("the question", |screen| screen.contains("kill :") && screen.contains("y: yes"));
    terminal.press(&["n"]);
    terminal.press(&["r"]);
    terminal.shows("the question", |screen| screen.contains("restart :"));
    terminal.press(&["y"]);
    app.process.line("the restart", |line| line.actor == "bob" && line.message == "killed: from top");
    assert_eq!(app.ask(".bob", "ret alive"), "alive");
    terminal.press(&["q"]);
    let screen = terminal.shows("the end", |screen| screen.contains("ended with 0"));
    assert!(!screen.contains("MAILBOX"), "the terminal is as it was: {screen}");
    app.lives();
}

#[test]
fn a_larger_terminal_shows_more_and_the_end_of_the_host_ends_it() {
    let mut app = app();
    let terminal = Terminal::open(&app, "large", 140, 50, "top --interval 100ms");
    // In one look: a screen may be seen while it is drawn.
    terminal.shows("the list", |screen| ["MODULE", "puppet@", ".many.29"].iter().all(|word| screen.contains(word)));
    terminal.resize(60, 15);
    terminal.shows("a smaller one", |screen| !screen.contains("MODULE") && screen.contains("q quit"));
    app.says(&["stop"]);
    assert_eq!(app.process.end(), Some(0));
    let screen = terminal.shows("why", |screen| screen.contains("ended with 2"));
    assert!(screen.contains("error: the host"), "{screen}");
}

#[test]
fn without_a_terminal_it_is_lines_or_nothing() {
    let app = app();
    assert!(app.fails(2, &["top"]).contains("`top` needs a terminal; `wasmactor ps` prints once"));
    let said = app.says(&["top", "--json", "--rounds", "2", "--interval", "100ms", "bob"]);
    let rounds: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!((rounds.len(), &rounds[1]["actors"][0]["name"]), (2, &".bob".into()));
    assert!(app.fails(2, &["top", "--interval", "1ms"]).contains("it must be 100ms or more"));
}
