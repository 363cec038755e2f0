//! Promise 9: a timer comes after at least its time, or not at all once it was taken back.

use wasmactor_tests::Setup;

#[test]
fn timers_are_never_early_and_come_in_the_order_of_their_times() {
    let app = Setup::new().puppet("alice").start();
    let script = "now; let t; on timeout {since $t; note $it}; \
                  timeout 90; timeout 30; timeout 1; timeout 60; timeout 10; timeout 120";
    app.told(".alice", script);
    app.told(
        ".alice",
        "on timeout {since $t; note $it; log all}; timeout 150; on timeout {since $t; note $it}; timeout 200",
    );
    let notes = app.ask_until(".alice", "sleep 20; ret $notes", |notes| notes.split(',').count() == 8);
    let times: Vec<u64> = notes.split(',').map(|time| time.parse().expect("a number")).collect();
    let asked = [1, 10, 30, 60, 90, 120, 150, 200];
    assert!(times.iter().zip(asked).all(|(time, asked)| *time >= asked), "{times:?} for {asked:?}");
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn zero_goes_to_the_tail_of_the_own_mailbox() {
    let app = Setup::new().puppet("alice").puppet("bob").start();
    let script =
        "on timeout {note timer}; self; let me; send $me {note before}; timeout 0; send $me {note after}; log sent";
    app.told(".alice", script);
    app.logged("alice", "sent");
    assert_eq!(app.ask(".alice", "ret $notes"), "before,timer,after");
}

#[test]
fn a_timer_that_was_taken_back_does_not_come() {
    let app = Setup::new().puppet("alice").start();
    let script = "on timeout {note $session}; timeout 5; let a; timeout 10; let b; timeout 0; let c; \
                  cancel-timer $a; note $it; cancel-timer $a; note $it; cancel-timer $c; note $it; cancel-timer 99999; note $it; \
                  timeout 40; let d; ret $b,$d";
    let (b, d) = app.ask(".alice", script).split_once(',').map(|(b, d)| (b.to_owned(), d.to_owned())).expect("two");
    let expected = format!("true,false,true,false,{b},{d}");
    app.ask_until(".alice", "sleep 5; ret $notes", |text| text.split(',').count() >= 6);
    assert_eq!(app.ask(".alice", "ret $notes"), expected);
}

#[test]
fn a_timer_that_fired_behind_a_busy_actor_can_still_be_taken_back() {
    let app = Setup::new().puppet("alice").start();
    let got = app.ask(".alice", "on timeout {note oh}; timeout 1; let t; sleep 30; cancel-timer $t; ret $it");
    assert_eq!(got, "true");
    assert_eq!(app.ask(".alice", "sleep 10; ret $notes"), "");
}

#[test]
fn timers_of_others_cannot_be_taken_back_and_end_with_their_actor() {
    let mut app = Setup::new().puppet("alice").puppet("bob").start();
    let timer = app.ask(".alice", "on timeout {log came}; timeout 60; ret $it");
    assert_eq!(app.ask(".bob", &format!("cancel-timer {timer}; ret $it")), "false");
    app.logged("alice", "came");
    app.ask(".alice", "repeat 100 {timeout 20}; timeout 3600000; exit; ret");
    app.ask(".bob", "sleep 40; ret");
    app.lives();
}

#[test]
fn a_thousand_timers_all_come() {
    let app = Setup::new().puppet("alice").start();
    app.told(".alice", "on timeout {note x}; repeat 1000 {timeout 1}; repeat 1000 {timeout 30}");
    app.ask_until(".alice", "sleep 5; ret $notes", |text| text.split(',').count() >= 2000);
    assert_eq!(app.ask(".alice", "sleep 40; ret $notes").split(',').count(), 2000);
}

#[test]
fn the_clock_never_goes_back() {
    let app = Setup::new().puppet("alice").start();
    let times = app.ask(".alice", "repeat 200 {now; note $it}; ret $notes");
    let times: Vec<u64> = times.split(',').map(|time| time.parse().expect("a number")).collect();
    assert!(times.is_sorted());
    let wall: u128 = app.ask(".alice", "wall; ret $it").parse().expect("a number");
    let ours = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos();
    assert!(wall <= ours && ours - wall < 60_000_000_000, "{wall} and {ours}");
}
