//! `cargo xtask stress`: minutes of what `tests/src/stress.rs` does, with flat guests and with components.

use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};
use wasmactor_tests::stress::{self, Plan};

use crate::shell::{self, cargo, step};

/// A round, about: a leak shows by what is left after each.
const ROUND: f64 = 12.0;

/// `cargo xtask stress`.
pub(crate) fn run(minutes: f64, seed: Option<u64>) -> Result<()> {
    if !(0.1..=10_000.0).contains(&minutes) {
        bail!("--minutes {minutes}: at least 0.1, at most 10000");
    }
    step("building the host (the first time takes some minutes)");
    shell::run(&mut cargo(&shell::BUILD_HOST))?;
    let seed = seed.unwrap_or_else(any);
    let seconds = minutes * 30.0;
    let rounds = (seconds / ROUND).ceil().max(2.0);
    let round = Duration::from_secs_f64(seconds / rounds);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
    let rounds = rounds as u32;
    for (components, way) in [(false, "flat"), (true, "as components")] {
        step(&format!("stress with guests {way}: {rounds} rounds of {:.1} s, seed {seed}", round.as_secs_f64()));
        match stress::run(Plan { seed, components, rounds, round }, |line| eprintln!("{line}")) {
            Ok(count) => eprintln!("all promises held: {count}"),
            Err(broken) => {
                eprintln!("{broken}\n\nto repeat it: cargo xtask stress --minutes {minutes} --seed {seed}");
                bail!("a promise is broken, with guests {way}");
            }
        }
    }
    Ok(())
}

/// A short number, which is easier to repeat.
fn any() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(1, |now| u64::from(now.subsec_micros()))
}
