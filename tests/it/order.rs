//! Promises 1 and 2: order between two actors, one turn at a time.

use wasmactor_tests::Setup;

fn numbers(count: u32) -> String {
    (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join(",")
}

#[test]
fn messages_from_one_to_another_arrive_in_the_order_sent() {
    let app = Setup::new().puppet("alice").puppet("bob").start();
    app.told(".alice", "repeat 3000 {send .bob {note %i}}; send .bob {log all are here}");
    app.logged("bob", "all are here");
    assert_eq!(app.ask(".bob", "ret $notes"), numbers(3000));
}

#[test]
fn requests_and_messages_keep_one_order() {
    let app = Setup::new().puppet("alice").puppet("bob").start();
    let script = "repeat 300 {send .bob {note %i}; request .bob {note r%i; ret r%i}}; \
                  on reply {note $text}; call .bob {ret $notes}; ret $it";
    let expected: Vec<String> = (0..300).map(|n| format!("{n},r{n}")).collect();
    assert_eq!(app.ask(".alice", script), expected.join(","));
    // The replies came in the order in which bob gave them.
    let expected: Vec<String> = (0..300).map(|n| format!("r{n}")).collect();
    assert_eq!(app.ask(".alice", "ret $notes"), expected.join(","));
}

#[test]
fn each_senders_order_holds_when_many_send_to_one() {
    let mut setup = Setup::new().puppet("sink");
    for name in ["a", "b", "c", "d"] {
        setup = setup.puppet(name);
    }
    let app = setup.start();
    for name in ["a", "b", "c", "d"] {
        app.told(
            &format!(".{name}"),
            &format!("repeat 500 {{send .sink {{note {name}%i}}}}; send .sink {{log {name} is done}}"),
        );
    }
    for name in ["a", "b", "c", "d"] {
        app.logged("sink", &format!("{name} is done"));
    }
    let notes = app.ask(".sink", "ret $notes");
    for name in ["a", "b", "c", "d"] {
        let own: Vec<&str> = notes.split(',').filter_map(|note| note.strip_prefix(name)).collect();
        assert_eq!(own.join(","), numbers(500), "{name}");
    }
}

#[test]
fn a_broadcast_stands_in_line_with_what_was_sent_before_and_after() {
    let app = Setup::new().puppet("alice").puppet("bob").puppet("carol").start();
    let script = "send .bob {note 1}; send .carol {note 1}; broadcast .bob,.carol,0 {note 2}; let took; \
                  send .bob {note 3}; send .carol {note 3}; ret $took";
    assert_eq!(app.ask(".alice", script), "2", "the third is nobody");
    assert_eq!(app.ask(".alice", "call .bob {ret $notes}; ret $it"), "1,2,3");
    assert_eq!(app.ask(".alice", "call .carol {ret $notes}; ret $it"), "1,2,3");
}

#[test]
fn an_actor_handles_one_event_at_a_time_with_all_workers_busy() {
    let app = Setup::new().puppet("one").puppet("two").puppet("counter").start();
    // A turn reads, parks nowhere, and writes; two turns at once would lose counts.
    for name in ["one", "two"] {
        app.told(
            &format!(".{name}"),
            &format!("repeat 2000 {{send .counter {{note x}}}}; send .counter {{log {name} is done}}"),
        );
    }
    app.logged("counter", "one is done");
    app.logged("counter", "two is done");
    assert_eq!(app.ask(".counter", "ret $notes").split(',').count(), 4000);
}
