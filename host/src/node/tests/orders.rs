//! What actors order: who may, how many at once, and that each order has one answer.

use super::{Bench, Journal, done, lines, show};
use crate::base::grants::Control;
use crate::base::sync::{Arc, Mutex};
use crate::base::{Body, Grants, Pattern, Payload};
use crate::node::order::{Action, Order, Ordered};
use crate::node::{Context, SpawnSpec};

type Orders = Arc<Mutex<Vec<(Order, Ordered)>>>;

/// An operator that does nothing yet.
fn operator(bench: &Bench) -> Orders {
    let orders = Orders::default();
    let book = orders.clone();
    bench.node.on_order(Box::new(move |order, ordered| book.lock().push((order, ordered))));
    orders
}

/// An actor with these grants that does this when it is told to, and writes down what it gets.
fn orderer(
    bench: &mut Bench,
    control: Control,
    mut what: impl FnMut(&mut Context) -> String + Send + 'static,
) -> (crate::base::Address, Journal) {
    let journal = Journal::default();
    let book = journal.clone();
    let grants = Some(Arc::new(Grants { control, ..Grants::default() }));
    let address = bench.spawn_spec(SpawnSpec { grants, ..SpawnSpec::default() }, move |cx, message| {
        let line = match &message.body {
            Body::Message { .. } => what(cx),
            body => show(body),
        };
        book.lock().push(line);
        done()
    });
    (address, journal)
}

fn said<T>(outcome: Result<T, crate::base::CallError>) -> String {
    outcome.map_or_else(|error| error.to_string(), |_| "ordered".to_owned())
}

#[test]
fn without_its_grant_nothing_is_ordered() {
    let mut bench = Bench::new();
    let orders = operator(&bench);
    let other = bench.spawn(|_, _| done());
    let (actor, journal) = orderer(&mut bench, Control::default(), move |cx| {
        let mut all = vec![said(cx.reload("m0".to_owned(), Action::Rollback, false, 0))];
        all.push(said(cx.ps(String::new(), 0)));
        all.push(said(cx.restart(other, "")));
        all.join("; ")
    });
    bench.post(actor, "go");
    let expected = "not-granted: no grant `control.reload` for the module `m0`; not-granted: no grant `control.ps` for any actor; \
                    not-granted: no grant `control.restart` for :x (`m0`)";
    assert_eq!(lines(&journal), [expected]);
    assert!(orders.lock().is_empty() && bench.node.is_alive(other));
}

#[test]
fn an_order_is_answered_once_also_if_nobody_carries_it_out() {
    let mut bench = Bench::new();
    let orders = operator(&bench);
    let control = Control { reload: vec![Pattern::parse("m*")], ps: vec![Pattern::parse("a*")], ..Control::default() };
    let (actor, journal) = orderer(&mut bench, control, |cx| {
        let mut all = vec![said(cx.reload("m0".to_owned(), Action::Reload, false, 0))];
        all.push(said(cx.reload("m9".to_owned(), Action::Reload, false, 0)));
        all.push(said(cx.reload("x".to_owned(), Action::Reload, false, 0)));
        all.push(said(cx.ps("a1".to_owned(), 0)));
        all.join("; ")
    });
    bench.post(actor, "go");
    let taken: Vec<_> = std::mem::take(&mut *orders.lock());
    let (what, who): (Vec<Order>, Vec<Ordered>) = taken.into_iter().unzip();
    let reload = Order::Reload { module: "m0".to_owned(), action: Action::Reload, restart: false, grace: None };
    let ps = Order::Ps { filter: Some("a1".to_owned()), limit: 10_000, granted: vec![Pattern::parse("a*")] };
    assert_eq!(what, [reload, ps]);
    let mut who = who.into_iter();
    who.next().expect("the reload").answer(Ok(Payload::from(&b"well"[..])));
    drop(who);
    bench.run();
    let expected = [
        "ordered; invalid: the manifest has no module `m9`; not-granted: no grant `control.reload` for the module `x`; ordered",
        "well",
        "refused: the host could not carry it out: no thread for it",
    ];
    assert_eq!(lines(&journal), expected);
}

#[test]
fn few_orders_are_carried_out_at_once_and_no_answer_is_too_large() {
    let mut bench = Bench::new();
    let orders = operator(&bench);
    let control = Control { ps: vec![Pattern::parse("*")], ..Control::default() };
    let (actor, journal) = orderer(&mut bench, control, |cx| said(cx.ps(String::new(), 1)));
    for _ in 0..17 {
        bench.post(actor, "go");
    }
    assert_eq!(orders.lock().len(), 16);
    let over = "over-limit: 16 orders of actors are being carried out; one more is not begun";
    assert_eq!(lines(&journal).last().expect("a line"), over);
    let (_, ordered) = orders.lock().pop().expect("an order");
    ordered.answer(Ok(Payload::from(vec![0; (64 << 20) + 1])));
    bench.run();
    assert_eq!(
        lines(&journal).last().expect("a line"),
        "over-limit: over this actor's limit `payload`, which is 67108864"
    );
    bench.post(actor, "go");
    assert_eq!(lines(&journal).last().expect("a line"), "ordered");
}
