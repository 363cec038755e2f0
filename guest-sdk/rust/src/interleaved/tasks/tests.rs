//! Tests of the tasks: their order, their handles, their wakers.

use super::{run_until_stalled, spawn_local, yield_now};
use crate::interleaved::{FutureExt, channel, join, select_biased};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

#[test]
fn tasks_take_turns_and_handles_give_results() {
    let trace = Rc::new(RefCell::new(Vec::new()));
    let step = |name: &'static str| {
        let trace = trace.clone();
        async move {
            for turn in 0..2 {
                trace.borrow_mut().push((name, turn));
                yield_now().await;
            }
            name.len()
        }
    };
    let (a, b) = (spawn_local(step("a")), spawn_local(step("bb")));
    let sum = Rc::new(Cell::new(0));
    let out = sum.clone();
    spawn_local(async move { out.set(a.await + b.await) }).detach();
    run_until_stalled();
    assert_eq!(sum.get(), 3);
    assert_eq!(*trace.borrow(), [("a", 0), ("bb", 0), ("a", 1), ("bb", 1)]);
}

#[test]
fn abort_drops_the_future_and_dropping_a_handle_does_not() {
    let token = Rc::new(());
    let hold = |token: Rc<()>| async move {
        std::future::pending::<()>().await;
        drop(token);
    };
    let aborted = spawn_local(hold(token.clone()));
    drop(spawn_local(hold(token.clone())));
    run_until_stalled();
    assert_eq!(Rc::strong_count(&token), 3);
    aborted.abort();
    run_until_stalled();
    assert_eq!(Rc::strong_count(&token), 2);
}

#[test]
fn a_place_is_not_given_away_while_it_is_in_the_line() {
    // Wakes itself, then ends: its place is in the line when its future is gone.
    let first = spawn_local(std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        std::task::Poll::Ready(1)
    }));
    let trace = Rc::new(RefCell::new(Vec::new()));
    let step = |name: &'static str| {
        let trace = trace.clone();
        async move {
            trace.borrow_mut().push(name);
            yield_now().await;
            trace.borrow_mut().push(name);
        }
    };
    let started = spawn_local({
        let (second, third) = (step("second"), step("third"));
        async move { (spawn_local(second), spawn_local(third)) }
    });
    run_until_stalled();
    assert_eq!(first.now_or_never(), Some(1));
    assert!(started.is_finished());
    assert_eq!(*trace.borrow(), ["second", "third", "second", "third"]);
}

#[test]
fn a_waker_of_an_ended_task_harms_nobody() {
    let stale = Rc::new(Cell::new(None));
    let out = stale.clone();
    spawn_local(std::future::poll_fn(move |context| {
        out.set(Some(context.waker().clone()));
        std::task::Poll::Ready(())
    }))
    .detach();
    run_until_stalled();
    let polls = Rc::new(Cell::new(0));
    let counted = polls.clone();
    let other = spawn_local(std::future::poll_fn(move |_| {
        counted.set(counted.get() + 1);
        std::task::Poll::<()>::Pending
    }));
    run_until_stalled();
    let waker = stale.take().expect("the first task left it");
    waker.wake_by_ref();
    waker.wake_by_ref();
    run_until_stalled();
    assert_eq!(polls.get(), 2);
    other.abort();
    run_until_stalled();
    waker.wake();
    run_until_stalled();
    assert_eq!(polls.get(), 2);
}

#[test]
fn a_task_can_abort_itself_and_others_while_they_run() {
    let token = Rc::new(());
    let own = Rc::new(RefCell::new(None::<super::JoinHandle<()>>));
    let (held, me) = (token.clone(), own.clone());
    let task = spawn_local(async move {
        if let Some(handle) = me.borrow_mut().take() {
            handle.abort();
        }
        yield_now().await;
        drop(held);
        unreachable!("it was ended at the await");
    });
    *own.borrow_mut() = Some(task);
    run_until_stalled();
    assert_eq!(Rc::strong_count(&token), 1);
}

#[test]
fn channels_wait_for_room_and_end() {
    let (sender, mut receiver) = channel::bounded::<u32>(1);
    let got = Rc::new(RefCell::new(Vec::new()));
    let out = got.clone();
    spawn_local(async move {
        for value in 0..5 {
            sender.send(value).await.unwrap();
        }
    })
    .detach();
    spawn_local(async move {
        while let Some(value) = receiver.recv().await {
            out.borrow_mut().push(value);
        }
        out.borrow_mut().push(99);
    })
    .detach();
    run_until_stalled();
    assert_eq!(*got.borrow(), [0, 1, 2, 3, 4, 99]);
}

#[test]
fn select_takes_what_is_ready_and_join_takes_all() {
    let (yes, answer) = channel::oneshot();
    let (_never, silence) = channel::oneshot::<u32>();
    let result = spawn_local(async move {
        let first = select_biased! {
            value = silence.fuse() => value.unwrap(),
            value = answer.fuse() => value.unwrap(),
        };
        let (a, b) = join!(async { first }, async {
            yield_now().await;
            1
        });
        a + b
    });
    run_until_stalled();
    assert!(!result.is_finished());
    yes.send(41).unwrap();
    run_until_stalled();
    assert_eq!(result.now_or_never(), Some(42));
}

#[test]
fn a_waker_of_ours_is_refused_on_another_thread() {
    let kept = Rc::new(RefCell::new(None));
    let keep = kept.clone();
    let task = spawn_local(std::future::poll_fn(move |context| {
        *keep.borrow_mut() = Some(context.waker().clone());
        std::task::Poll::<()>::Pending
    }));
    run_until_stalled();
    let waker = kept.borrow_mut().take().unwrap();
    assert!(std::thread::spawn(move || waker.wake()).join().is_err());
    run_until_stalled();
    assert!(!task.is_finished());
}
