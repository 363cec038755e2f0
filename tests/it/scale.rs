//! Many actors, with default settings.

use wasmactor_tests::{ALL, Setup, wat};

#[test]
fn ten_thousand_actors_alive_at_once_each_answer() {
    // Wakes with each request; a counter that stands on 1 afterwards would mean that an instance was shared.
    let echo = wat::guest("", "(call $ok)", wat::ECHO);
    let setup = Setup::new().module("echo", &echo).actor("many", "echo", &format!("count = 10000\n{ALL}"));
    let mut app = setup.puppet("asker").start();
    assert_eq!(app.ask(".asker", "lookup .many.9999; let last; lookup .many.10000; ret $it"), "none");
    // All requests are out before the first answer can come in; then each answer is noted.
    app.told(".asker", "on reply {note $text}; repeat 10000 {request .many.$i $i}; log asked");
    app.logged("asker", "asked");
    let notes = app.ask_until(".asker", "ret $notes", |notes| notes.split(',').count() == 10_000);
    let mut numbers: Vec<u32> = notes.split(',').map(|number| number.parse().expect("a number")).collect();
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..10_000));
    app.lives();
    app.stop();
}

#[test]
fn actors_come_and_go_by_thousands_and_leave_nothing() {
    let mut app = Setup::new().puppet("parent").start();
    let script = "repeat 2000 {start-child plain .child {}; kill .child; note $it}; ret $notes";
    let notes = app.ask(".parent", script);
    assert!(notes.split(',').all(|note| note == "done" || note == "!no-such-actor"), "{notes}");
    assert_eq!(app.ask(".parent", "names .child; ret $it").split(',').count(), 1);
    app.lives();
}
