//! A million actors at once, with a timer each, under the kernel's default limits.

use std::time::Instant;

use anyhow::Result;
use bench_protocol::{Order, kind};

use crate::memory::{self, Memory};
use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::unit::Unit;
use crate::workload::idle::{self, CROWD};
use crate::workload::{Fit, Run, SDK, Workload};

pub(crate) const MILLION: Workload = Workload {
    name: "million",
    about: "1,000,000 actors that have each armed a timer and answered a message, then answer another one in random \
            order, in a fresh process: the process's memory (RSS) in all and for one, starts a second, time for a \
            message. Takes minutes and up to 24 GiB; only if it is named, or with --full",
    sizes: &[(0, 1_000_000, 1_000_000)],
    fit: Fit::Width,
    ours: SDK,
    large: true,
    run: Run::Alone(run),
};

/// Bytes that one actor needs at least: with less there is no point in beginning.
const EACH: f64 = 12_288.0;
/// Bytes that the machine must have left before each portion: it shall not run out.
const RESERVE: f64 = 1e9;

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let actors = case.width as f64;
    memory::require(EACH * actors, "a million actors")?;
    let driver = app.spawn("driver")?;
    let before = Memory::now()?;
    let (mut order, mut ns) = (Vec::new(), 0.0);
    while order.len() < case.width {
        memory::require(RESERVE, &format!("more than {} actors", order.len()))?;
        let some = CROWD.min(case.width - order.len());
        let started = idle::start(app, driver, some as u64, kind::ALARM)?;
        ns += started.ns;
        order.extend(started.addresses);
    }
    let after = Memory::now()?;
    shuffle(&mut order);
    let asked = Instant::now();
    for targets in order.chunks(CROWD) {
        let order = Order { targets: targets.to_vec(), bytes: 32, ..Order::default() };
        app.order(driver, kind::VISIT, &order)?;
    }
    let answered = asked.elapsed();
    Ok(vec![
        Sample::new("million-alive", app.alive() as f64, Unit::Count),
        Sample::new("million-rss-total", after.rss, Unit::Bytes),
        Sample::new("million-rss", (after.rss - before.rss) / actors, Unit::Bytes),
        Sample::new("million-mappings-total", after.mappings, Unit::Count),
        Sample::new("million-spawn", actors / ns * 1e9, Unit::PerSecond),
        Sample::ns("million-call", answered.as_nanos() as f64 / actors),
    ])
}

/// Any order that is not the one of birth; the same in each run.
fn shuffle(list: &mut [u64]) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for last in (1..list.len()).rev() {
        // Xorshift: good enough to make a cache useless.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        #[expect(clippy::cast_possible_truncation, reason = "less than the list's length")]
        list.swap(last, (state % (last as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::shuffle;

    #[test]
    fn a_shuffle_keeps_all() {
        let mut list: Vec<u64> = (0..1000).collect();
        shuffle(&mut list);
        assert!(list.windows(2).filter(|pair| pair[1] == pair[0] + 1).count() < 20, "hardly shuffled");
        list.sort_unstable();
        assert_eq!(list, (0..1000).collect::<Vec<_>>());
    }
}
