//! Supervision on native behaviors and a manual clock: who gets another instance, when, in which order, and what it keeps.

use std::time::Duration;

use super::{Bench, Journal, done, lines, show};
use crate::actor::{Fault, Turn};
use crate::base::{Address, Body, Cause, Message, Payload, Session, SocketEvent};
use crate::node::supervise::{Membership, Policy, Restart, Strategy, SupervisorId};
use crate::node::{Context, SpawnSpec};

/// No pause, unless a test is about it.
pub(super) fn policy(strategy: Strategy) -> Policy {
    Policy { strategy, backoff: Duration::ZERO, ..Policy::default() }
}

/// A member that writes down its instances and messages, and ends as it is told.
pub(super) fn member(bench: &mut Bench, name: &'static str, to: (SupervisorId, Restart), journal: &Journal) -> Address {
    let book = journal.clone();
    bench.node.add_native(name, move |_| {
        book.lock().push(format!("{name} begins"));
        let book = book.clone();
        Ok(Box::new(move |cx: &mut Context, message: Message| {
            let text = show(&message.body);
            book.lock().push(format!("{name} {text}"));
            match &*text {
                "trap" => return Turn::Fault(Fault::Trap("unreachable".to_owned())),
                "exit" => cx.exit("enough".to_owned()),
                "timer" => drop(cx.timeout(1000)),
                "defer" => drop(cx.defer()),
                _ => {}
            }
            done()
        }))
    });
    let member = Some(Membership { supervisor: to.0, restart: to.1, stop_timeout: None });
    let spec = SpawnSpec { module: name.to_owned(), names: vec![format!(".{name}")], member, ..SpawnSpec::default() };
    let address = bench.node.spawn(None, spec).expect("spawned");
    bench.run();
    address
}

pub(super) fn taken(journal: &Journal) -> Vec<String> {
    let got = lines(journal);
    journal.lock().clear();
    got
}

pub(super) fn queue(bench: &Bench, to: Address, texts: &[&str]) {
    for text in texts {
        bench.node.post(to, 0, Payload::from(text.as_bytes())).expect("delivered");
    }
}

#[test]
fn what_waits_goes_to_the_next_instance_under_the_same_address_and_name() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let top = bench.node.add_supervisor("top", policy(Strategy::OneForOne), None);
    let a = member(&mut bench, "a", (top, Restart::Permanent), &journal);
    queue(&bench, a, &["one", "timer", "trap", "two", "three"]);
    bench.run();
    let all = ["a begins", "a one", "a timer", "a trap", "a begins", "a two", "a three"];
    assert_eq!(taken(&journal), all, "the message that trapped is not repeated");
    assert_eq!(bench.node.lookup(".a"), Some(a));
    bench.pass(2000);
    assert_eq!(taken(&journal), [""; 0], "timers end with their instance");
}

#[test]
fn a_socket_that_was_handed_over_unseen_is_kept_whatever_came_before_it() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let top = bench.node.add_supervisor("top", policy(Strategy::OneForOne), None);
    let a = member(&mut bench, "a", (top, Restart::Permanent), &journal);
    let listen = || bench.node.net().listen(a.raw(), "127.0.0.1:0".parse().expect("an address")).expect("a port").0;
    let (old, given) = (listen(), listen());
    queue(&bench, a, &["trap"]);
    for (socket, event) in [(old, SocketEvent::End), (given, SocketEvent::Given("a peer".to_owned()))] {
        let body = Body::Socket { socket: socket.raw(), event };
        bench.node.answer(None, a, Message { source: Address::HOST, session: Session::NONE, body });
    }
    bench.run();
    assert_eq!(taken(&journal), ["a begins", "a trap", "a begins", "a socket"], "the old one's event is nobody's");
    let open = bench.node.net().stats().into_iter().filter(|socket| !socket.closing);
    assert_eq!(open.map(|socket| socket.id).collect::<Vec<_>>(), [given]);
}

#[test]
fn a_policy_may_clear_the_mailbox() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let clearing = Policy { clear_mailbox: true, ..policy(Strategy::OneForOne) };
    let top = bench.node.add_supervisor("top", clearing, None);
    let a = member(&mut bench, "a", (top, Restart::Permanent), &journal);
    let (asker, answers) = bench.asker(a, 0);
    queue(&bench, a, &["trap", "two"]);
    queue(&bench, asker, &["go"]);
    bench.run();
    assert_eq!(taken(&journal)[..3], ["a begins", "a trap", "a begins"]);
    // The request came before the end, or after it: it is answered, or handled by the next instance.
    assert!(!taken(&answers).is_empty());
    bench.post(a, "three");
    assert_eq!(taken(&journal), ["a three"]);
}

#[test]
fn requests_that_were_held_are_answered_and_watchers_hear_of_the_last_end_only() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let top = bench.node.add_supervisor("top", policy(Strategy::OneForOne), None);
    let a = member(&mut bench, "a", (top, Restart::Transient), &journal);
    let book = journal.clone();
    let watcher = bench.spawn(move |cx, message| {
        match &message.body {
            Body::Message { .. } => {
                cx.watch(a).expect("within the limit");
                cx.request(a, 0, Payload::from(&b"defer"[..]), 0, Default::default()).expect("sent");
            }
            body => book.lock().push(format!("watcher {}", show(body))),
        }
        done()
    });
    bench.post(watcher, "go");
    bench.post(a, "trap");
    let all = ["a begins", "a defer", "a trap", "a begins", "watcher actor-failed: :x failed: unreachable"];
    assert_eq!(taken(&journal), all);
    bench.post(a, "exit");
    assert_eq!(
        taken(&journal),
        ["a exit", "watcher down Exited enough"],
        "a transient one that exits is not restarted"
    );
    assert!(!bench.node.is_alive(a));
}

#[test]
fn who_is_restarted() {
    for (restart, end, again) in [
        (Restart::Permanent, "exit", true),
        (Restart::Permanent, "trap", true),
        (Restart::Transient, "exit", false),
        (Restart::Transient, "trap", true),
        (Restart::Temporary, "exit", false),
        (Restart::Temporary, "trap", false),
    ] {
        let (mut bench, journal) = (Bench::new(), Journal::default());
        let top = bench.node.add_supervisor("top", policy(Strategy::OneForOne), None);
        let a = member(&mut bench, "a", (top, restart), &journal);
        bench.post(a, end);
        assert_eq!(bench.node.is_alive(a), again, "{restart:?} {end}");
    }
}

#[test]
fn strategies_stop_in_reverse_and_start_in_order() {
    for (strategy, after_b) in [
        (Strategy::OneForOne, &["b trap", "b begins"][..]),
        (Strategy::RestForOne, &["b trap", "c signal", "b begins", "c begins"][..]),
        (Strategy::OneForAll, &["b trap", "c signal", "a signal", "a begins", "b begins", "c begins"][..]),
    ] {
        let (mut bench, journal) = (Bench::new(), Journal::default());
        let top = bench.node.add_supervisor("top", policy(strategy), None);
        member(&mut bench, "a", (top, Restart::Permanent), &journal);
        let b = member(&mut bench, "b", (top, Restart::Permanent), &journal);
        member(&mut bench, "c", (top, Restart::Permanent), &journal);
        taken(&journal);
        bench.post(b, "trap");
        assert_eq!(taken(&journal), after_b, "{strategy:?}");
    }
}

#[test]
fn who_does_not_finish_in_time_is_killed() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let top = bench.node.add_supervisor("top", policy(Strategy::OneForAll), None);
    let a = member(&mut bench, "a", (top, Restart::Permanent), &journal);
    let b = member(&mut bench, "b", (top, Restart::Permanent), &journal);
    // It holds a request, so it does not end by itself.
    let book = journal.clone();
    let holder = bench.spawn(move |cx, message| {
        match &message.body {
            Body::Message { .. } => {
                drop(cx.request(a, 0, Payload::from(&b"defer"[..]), 0, Default::default()));
            }
            body => book.lock().push(format!("holder {}", show(body))),
        }
        done()
    });
    bench.post(holder, "go");
    taken(&journal);
    bench.post(b, "trap");
    assert_eq!(taken(&journal), ["b trap", "a signal"]);
    bench.pass(1001);
    let got = taken(&journal);
    assert_eq!(got[..2], ["a begins", "b begins"], "{got:?}");
    assert_eq!(got[2], "holder actor-exited: :x was killed: it did not finish in time to be restarted");
}

#[test]
fn the_pause_doubles_up_to_its_bound_and_a_healthy_run_resets_it() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let backoff = Policy { backoff: Duration::from_millis(100), max_restarts: 100, ..Policy::default() };
    let top = bench.node.add_supervisor("top", backoff, None);
    let a = member(&mut bench, "a", (top, Restart::Permanent), &journal);
    let pause = |bench: &mut Bench| {
        taken(&journal);
        bench.post(a, "trap");
        queue(bench, a, &["waits"]);
        let mut passed = 0;
        while !lines(&journal).contains(&"a begins".to_owned()) {
            bench.pass(1);
            passed += 1;
            assert!(passed < 20_000, "no restart");
        }
        assert!(lines(&journal).ends_with(&["a begins".to_owned(), "a waits".to_owned()]), "the mailbox is kept");
        passed
    };
    for full in [100, 200, 400, 800, 1600] {
        let passed = pause(&mut bench);
        assert!((full / 2..=full + 2).contains(&passed), "{passed} for {full}");
    }
    bench.pass(10_001);
    let passed = pause(&mut bench);
    assert!((50..=102).contains(&passed), "after a healthy run: {passed}");
}

#[test]
fn a_supervisor_that_gives_up_fails_to_the_one_above_it() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let top = bench.node.add_supervisor("top", Policy { max_restarts: 1, ..policy(Strategy::OneForAll) }, None);
    let first = member(&mut bench, "first", (top, Restart::Permanent), &journal);
    let low = Policy { max_restarts: 1, ..policy(Strategy::OneForOne) };
    let low = bench.node.add_supervisor("low", low, Some(top));
    let a = member(&mut bench, "a", (low, Restart::Permanent), &journal);
    let b = member(&mut bench, "b", (low, Restart::Permanent), &journal);
    bench.post(a, "trap");
    taken(&journal);
    bench.post(a, "trap");
    let all = ["a trap", "b signal", "first signal", "first begins", "a begins", "b begins"];
    assert_eq!(taken(&journal), all, "one too many below: everything of the one above is restarted");
    assert_eq!(bench.node.gave_up(), None);
    bench.post(a, "trap");
    taken(&journal);
    bench.post(a, "trap");
    assert_eq!(bench.node.gave_up().as_deref(), Some("top"));
    assert!([first, a, b].iter().all(|member| !bench.node.is_alive(*member)));
}

#[test]
fn links_go_both_ways_and_a_good_end_harms_nobody() {
    for (end, survives) in [("exit", true), ("trap", false)] {
        let mut bench = Bench::new();
        let a = bench.spawn(move |cx, message| match &*show(&message.body) {
            "trap" => Turn::Fault(Fault::Trap("unreachable".to_owned())),
            "exit" => {
                cx.exit("enough".to_owned());
                done()
            }
            _ => done(),
        });
        let b = bench.spawn(move |cx, _| {
            cx.link(a).expect("linked");
            done()
        });
        bench.post(b, "go");
        bench.post(a, end);
        assert_eq!(bench.node.is_alive(b), survives, "{end}");
        let (a, b) = (b, bench.spawn(|_, _| done()));
        let c = bench.spawn(move |cx, _| {
            cx.link(b).expect("linked");
            assert!(cx.unlink(b) && !cx.unlink(b));
            cx.link(b).expect("linked again");
            assert!(cx.link(a).is_err() || survives, "nobody is linked to the dead");
            done()
        });
        bench.post(c, "go");
        bench.node.kill(None, b, Cause::Killed, "for a test".to_owned());
        bench.run();
        assert!(!bench.node.is_alive(c), "whoever made the link");
    }
}

#[test]
fn an_actor_can_be_restarted_from_outside_but_not_one_without_a_supervisor() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let top = bench.node.add_supervisor("top", policy(Strategy::OneForOne), None);
    let a = member(&mut bench, "a", (top, Restart::Permanent), &journal);
    let alone = bench.spawn(|_, _| done());
    assert!(bench.node.restart(None, a, "asked to") && !bench.node.restart(None, alone, "asked to"));
    bench.run();
    assert_eq!(taken(&journal), ["a begins", "a begins"]);
    assert!(bench.node.is_alive(alone));
    let view = bench.node.supervisors();
    assert_eq!((view[0].name.as_str(), view[0].recent, view[0].members[0].3), ("top", 1, 1));
}

#[test]
fn a_stop_for_a_restart_overtakes_what_waits_which_is_for_the_next_instance() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let top = bench.node.add_supervisor("top", policy(Strategy::OneForAll), None);
    let a = member(&mut bench, "a", (top, Restart::Permanent), &journal);
    let b = member(&mut bench, "b", (top, Restart::Permanent), &journal);
    taken(&journal);
    queue(&bench, b, &["trap"]);
    queue(&bench, a, &["one", "two"]);
    bench.run();
    assert_eq!(taken(&journal), ["b trap", "a signal", "a begins", "b begins", "a one", "a two"]);
}

#[test]
fn who_holds_a_request_gets_to_finish_it_before_it_is_restarted() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let top = bench.node.add_supervisor("top", policy(Strategy::OneForAll), None);
    let a = member(&mut bench, "a", (top, Restart::Permanent), &journal);
    let b = member(&mut bench, "b", (top, Restart::Permanent), &journal);
    let (asker, answers) = bench.asker(a, 0);
    // "ask" is a word that a member answers nothing to, so the host refuses it; "defer" it keeps.
    bench.post(asker, "go");
    let holder = bench.spawn(move |cx, message| {
        if matches!(message.body, Body::Message { .. }) {
            drop(cx.request(a, 0, Payload::from(&b"defer"[..]), 0, Default::default()));
        }
        done()
    });
    bench.post(holder, "go");
    assert_eq!(taken(&answers).len(), 1);
    taken(&journal);
    bench.post(b, "trap");
    bench.post(a, "more");
    assert_eq!(taken(&journal), ["b trap", "a signal", "a more"], "it lives on for its request");
    bench.node.kill(None, holder, Cause::Killed, "for a test".to_owned());
    bench.pass(1001);
    assert_eq!(taken(&journal), ["a begins", "b begins"]);
}

#[test]
fn a_member_may_have_its_own_time_to_stop() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let top = bench.node.add_supervisor("top", policy(Strategy::OneForAll), None);
    let stop_timeout = Some(Duration::from_millis(50));
    let slow = bench.spawn_spec(
        SpawnSpec {
            member: Some(Membership { supervisor: top, restart: Restart::Temporary, stop_timeout }),
            ..SpawnSpec::default()
        },
        |cx, message| {
            if matches!(message.body, Body::Message { .. }) {
                drop(cx.defer());
            }
            done()
        },
    );
    let b = member(&mut bench, "b", (top, Restart::Permanent), &journal);
    let (asker, _) = bench.asker(slow, 0);
    bench.post(asker, "go");
    bench.post(b, "trap");
    bench.pass(49);
    assert!(bench.node.is_alive(slow));
    bench.pass(2);
    assert!(!bench.node.is_alive(slow));
    assert_eq!(taken(&journal), ["b begins", "b trap", "b begins"]);
}

#[test]
fn a_host_that_stops_ends_who_waits_for_its_restart() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let top = bench.node.add_supervisor("top", Policy::default(), None);
    let a = member(&mut bench, "a", (top, Restart::Permanent), &journal);
    let (asker, answers) = bench.asker(a, 0);
    bench.post(a, "trap");
    bench.post(asker, "go");
    assert!(bench.node.is_alive(a) && taken(&answers).is_empty());
    bench.node.refuse_spawns();
    bench.run();
    assert!(!bench.node.is_alive(a));
    assert_eq!(taken(&answers), ["actor-exited: :x was stopped: the host stops"]);
    bench.pass(20_000);
    assert_eq!(taken(&journal), ["a begins", "a trap"], "no instance any more");
}
