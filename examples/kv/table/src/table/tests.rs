//! What the operations do, and what they say.

use super::{ANSWER, Table};
use kv_wire::{Answer, Batch, Condition, Operation, Set};
use std::cell::Cell;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(1_000) };
}

fn table() -> Table {
    Table::new(1, || NOW.get())
}

/// Does the operations and compares the replies.
fn check(table: &mut Table, steps: &[(Operation<'_>, &str)]) {
    let mut batch = Batch::default();
    for (operation, _) in steps {
        batch.push(*operation);
    }
    let mut answer = Answer::new(table.run(batch.bytes()).unwrap()).unwrap();
    assert_eq!(answer.done(), batch.bytes().len());
    for (operation, expected) in steps {
        let reply = answer.take().unwrap();
        assert_eq!(reply.escape_ascii().to_string(), expected.as_bytes().escape_ascii().to_string(), "{operation:?}");
    }
    assert_eq!(answer.take(), None);
}

fn set<'a>(key: &'a str, value: &'a str, how: Set) -> Operation<'a> {
    Operation::Set { key: key.as_bytes(), value: value.as_bytes(), how }
}

fn plain<'a>(key: &'a str, value: &'a str) -> Operation<'a> {
    set(key, value, Set::default())
}

#[test]
fn get_set_delete_exists() {
    check(
        &mut table(),
        &[
            (Operation::Get(b"a"), "$-1\r\n"),
            (plain("a", "1"), "+OK\r\n"),
            (Operation::Get(b"a"), "$1\r\n1\r\n"),
            (plain("a", "longer\0\r\n"), "+OK\r\n"),
            (Operation::Get(b"a"), "$9\r\nlonger\0\r\n\r\n"),
            (Operation::Exists(b"a"), ":1\r\n"),
            (Operation::Exists(b"b"), ":0\r\n"),
            (plain("", ""), "+OK\r\n"),
            (Operation::Get(b""), "$0\r\n\r\n"),
            (Operation::Size, ":2\r\n"),
            (Operation::Delete(b"a"), ":1\r\n"),
            (Operation::Delete(b"a"), ":0\r\n"),
            (Operation::Clear, "+OK\r\n"),
            (Operation::Size, ":0\r\n"),
        ],
    );
}

#[test]
fn increment() {
    check(
        &mut table(),
        &[
            (Operation::Increment { key: b"a", by: 1 }, ":1\r\n"),
            (Operation::Increment { key: b"a", by: 1 }, ":2\r\n"),
            (Operation::Get(b"a"), "$1\r\n2\r\n"),
            (plain("a", "-10"), "+OK\r\n"),
            (Operation::Increment { key: b"a", by: 1 }, ":-9\r\n"),
            (Operation::Get(b"a"), "$2\r\n-9\r\n"),
            (plain("a", "9223372036854775807"), "+OK\r\n"),
            (Operation::Increment { key: b"a", by: 1 }, "-ERR increment or decrement would overflow\r\n"),
            (plain("a", " 1"), "+OK\r\n"),
            (Operation::Increment { key: b"a", by: 1 }, "-ERR value is not an integer or out of range\r\n"),
            (Operation::Get(b"a"), "$2\r\n 1\r\n"),
        ],
    );
}

#[test]
fn conditions() {
    let absent = Set { condition: Condition::IfAbsent, ..Set::default() };
    let present = Set { condition: Condition::IfPresent, ..Set::default() };
    let get = Set { get: true, ..Set::default() };
    check(
        &mut table(),
        &[
            (set("a", "1", present), "$-1\r\n"),
            (set("a", "1", absent), "+OK\r\n"),
            (set("a", "2", absent), "$-1\r\n"),
            (set("a", "3", present), "+OK\r\n"),
            (set("a", "4", get), "$1\r\n3\r\n"),
            (set("a", "5", Set { get: true, ..absent }), "$1\r\n4\r\n"),
            (set("b", "5", Set { get: true, ..absent }), "$-1\r\n"),
            (set("c", "5", Set { get: true, ..present }), "$-1\r\n"),
            (Operation::Get(b"a"), "$1\r\n4\r\n"),
            (Operation::Get(b"b"), "$1\r\n5\r\n"),
            (Operation::Get(b"c"), "$-1\r\n"),
        ],
    );
}

#[test]
fn keys_expire() {
    let mut table = table();
    let until = |time| Set { expires: Some(time), ..Set::default() };
    let keep = Set { keep_expiry: true, ..Set::default() };
    NOW.set(1_000);
    check(
        &mut table,
        &[
            (set("a", "1", until(2_000)), "+OK\r\n"),
            (set("b", "1", until(2_000)), "+OK\r\n"),
            (set("b", "1", until(3_000)), "+OK\r\n"),
            (set("c", "1", until(2_000)), "+OK\r\n"),
            (plain("c", "1"), "+OK\r\n"),
            (set("d", "1", until(2_000)), "+OK\r\n"),
            (set("d", "2", keep), "+OK\r\n"),
            (Operation::Increment { key: b"d", by: 1 }, ":3\r\n"),
        ],
    );
    NOW.set(1_999);
    check(&mut table, &[(Operation::Size, ":4\r\n"), (Operation::Get(b"a"), "$1\r\n1\r\n")]);
    NOW.set(2_000);
    check(
        &mut table,
        &[
            (Operation::Size, ":2\r\n"),
            (Operation::Get(b"a"), "$-1\r\n"),
            (Operation::Exists(b"d"), ":0\r\n"),
            (Operation::Delete(b"d"), ":0\r\n"),
            (Operation::Get(b"b"), "$1\r\n1\r\n"),
            (Operation::Keys(b"a*"), "*0\r\n"),
            // A key that is over counts as absent, and does not hand its time on.
            (set("a", "9", Set { condition: Condition::IfAbsent, ..keep }), "+OK\r\n"),
        ],
    );
    NOW.set(3_000);
    table.sweep();
    assert_eq!((table.entries.len(), table.expires()), (2, false));
    check(&mut table, &[(Operation::Get(b"a"), "$1\r\n9\r\n"), (Operation::Get(b"c"), "$1\r\n1\r\n")]);
}

#[test]
fn keys_by_pattern() {
    let mut table = table();
    check(
        &mut table,
        &[
            (plain("a1", ""), "+OK\r\n"),
            (plain("b1", ""), "+OK\r\n"),
            (Operation::Keys(b"a?"), "*1\r\n$2\r\na1\r\n"),
            (Operation::Keys(b"x"), "*0\r\n"),
        ],
    );
}

#[test]
fn a_large_answer_ends_the_batch_early() {
    let mut table = table();
    let large = "v".repeat(ANSWER);
    check(&mut table, &[(plain("a", &large), "+OK\r\n")]);
    let mut batch = Batch::default();
    batch.push(Operation::Get(b"a"));
    let one = batch.bytes().len();
    batch.push(Operation::Get(b"a"));
    let mut answer = Answer::new(table.run(batch.bytes()).unwrap()).unwrap();
    assert_eq!(answer.done(), one);
    assert!(answer.take().is_some() && answer.take().is_none());
}

#[test]
fn nonsense_is_refused() {
    table().run(b"nonsense").unwrap_err();
}

#[test]
fn a_table_goes_over_with_its_times() {
    let mut old = table();
    let later = Set { expires: Some(2_000), ..Set::default() };
    check(&mut old, &[(plain("a", "1"), "+OK\r\n"), (set("b", "", later), "+OK\r\n"), (plain("", "3"), "+OK\r\n")]);
    let saved = old.save();
    let mut new = table();
    assert!(new.load(&saved));
    assert!(new.expires());
    check(
        &mut new,
        &[(Operation::Get(b"a"), "$1\r\n1\r\n"), (Operation::Get(b"b"), "$0\r\n\r\n"), (Operation::Size, ":3\r\n")],
    );
    NOW.set(2_000);
    check(&mut new, &[(Operation::Get(b"b"), "$-1\r\n"), (Operation::Size, ":2\r\n")]);
    NOW.set(1_000);
    assert!(!table().load(&saved[..saved.len() - 1]) && !table().load(b"no table"));
}
