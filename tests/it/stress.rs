//! A short stress: see `wasmactor_tests::stress`. Minutes of it: `cargo xtask stress`.

use std::time::Duration;

use wasmactor_tests::stress::{Plan, run};

#[test]
fn whatever_happens_by_chance_the_promises_hold() {
    let plan = Plan { seed: 1, components: false, rounds: 2, round: Duration::from_secs(6) };
    match run(plan, |line| eprintln!("{line}")) {
        Ok(count) => assert!(count.ended > 1000 && count.answers > 100 && count.reloads > 3, "it did little: {count}"),
        Err(broken) => panic!("seed {}: {broken}", plan.seed),
    }
}
