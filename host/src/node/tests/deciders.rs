//! Actors that decide what becomes of a supervisor's members: what each decision does, and what becomes of no decision.

use super::supervision::{member, policy, queue, taken};
use super::{Bench, Journal, done, show};
use crate::actor::{Fault, Turn};
use crate::base::{Address, Session};
use crate::node::SpawnSpec;
use crate::node::supervise::{Decision, Policy, Restart, Strategy};

/// A decider that says the same of every member, after it has written down what it was asked.
fn decider(bench: &mut Bench, decision: Option<Decision>, journal: &Journal) -> Address {
    let book = journal.clone();
    let spec = SpawnSpec { names: vec![".judge".to_owned()], ..SpawnSpec::default() };
    bench.spawn_spec(spec, move |cx, message| {
        book.lock().push(format!("judge {}", show(&message.body)));
        if let Some(decision) = decision {
            cx.decide(message.session, decision).expect("it is asked");
            assert!(cx.decide(message.session, decision).is_err(), "once");
        }
        done()
    })
}

fn judged(strategy: Strategy) -> Policy {
    Policy { decider: Some("judge".to_owned()), ..policy(strategy) }
}

#[test]
fn an_actor_that_is_asked_decides_what_becomes_of_a_member() {
    for (restart, decision, after) in [
        (Restart::Permanent, Decision::Policy, &["a begins", "a one"][..]),
        (Restart::Temporary, Decision::Policy, &[]),
        (Restart::Temporary, Decision::Restart, &["a begins", "a one"]),
        (Restart::Permanent, Decision::End, &[]),
        (Restart::Permanent, Decision::GiveUp, &[]),
    ] {
        let (mut bench, journal) = (Bench::new(), Journal::default());
        let top = bench.node.add_supervisor("top", judged(Strategy::OneForOne), None);
        decider(&mut bench, Some(decision), &journal);
        let a = member(&mut bench, "a", (top, restart), &journal);
        let other = member(&mut bench, "b", (top, Restart::Permanent), &journal);
        taken(&journal);
        queue(&bench, a, &["trap", "one"]);
        bench.run();
        let mut all = vec!["a trap", "judge down Failed unreachable"];
        all.extend(after);
        assert_eq!(taken(&journal), all, "{restart:?} {decision:?}");
        assert_eq!(bench.node.is_alive(a), !after.is_empty(), "{restart:?} {decision:?}");
        let gave_up = decision == Decision::GiveUp;
        assert_eq!((bench.node.gave_up().is_some(), bench.node.is_alive(other)), (gave_up, !gave_up));
    }
}

#[test]
fn without_a_decision_in_time_the_policy_says() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let top = bench.node.add_supervisor("top", judged(Strategy::OneForOne), None);
    decider(&mut bench, None, &journal);
    let a = member(&mut bench, "a", (top, Restart::Permanent), &journal);
    taken(&journal);
    bench.post(a, "trap");
    bench.pass(999);
    assert_eq!(taken(&journal), ["a trap", "judge down Failed unreachable"]);
    bench.pass(2);
    assert_eq!(taken(&journal), ["a begins"]);
}

#[test]
fn a_decider_that_fails_is_no_decider_and_only_it_may_decide() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let top = bench.node.add_supervisor("top", judged(Strategy::OneForAll), None);
    let spec = SpawnSpec { names: vec![".judge".to_owned()], ..SpawnSpec::default() };
    bench.spawn_spec(spec, |_, _| Turn::Fault(Fault::Trap("unreachable".to_owned())));
    let a = member(&mut bench, "a", (top, Restart::Permanent), &journal);
    let b = member(&mut bench, "b", (top, Restart::Permanent), &journal);
    let guesser = bench.spawn(|cx, _| {
        for number in 0..100 {
            assert!(cx.decide(Session((1 << 63) | number), Decision::End).is_err());
            assert!(cx.decide(Session(number), Decision::End).is_err());
        }
        done()
    });
    taken(&journal);
    bench.post(a, "trap");
    assert_eq!(bench.node.lookup(".judge"), None);
    bench.post(guesser, "go");
    // Another member fails: there is nobody to ask, and its restart takes the first one in.
    bench.post(b, "trap");
    assert_eq!(taken(&journal), ["a trap", "b trap", "a begins", "b begins"]);
    bench.pass(1001);
    assert_eq!(taken(&journal), [""; 0], "the question is void");
    assert_eq!(bench.node.supervisors()[0].recent, 1);
}

#[test]
fn a_decider_is_not_asked_about_itself() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let top = bench.node.add_supervisor("top", judged(Strategy::OneForOne), None);
    let judge = member(&mut bench, "judge", (top, Restart::Permanent), &journal);
    bench.post(judge, "trap");
    assert_eq!(taken(&journal), ["judge begins", "judge trap", "judge begins"]);
}
