//! Tight loops over memory: what a module's profile costs where it costs most.

use anyhow::{Result, ensure};
use bench_protocol::{kind, loops};

use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::{Fit, Run, Workload};

pub(crate) const LOOPS: Workload = Workload {
    name: "loops",
    about: "one pass of a tight loop over 256 KiB of an actor's memory: Adler-32's sums, a histogram of pairs of bytes, a \
            heap sort of 65,536 numbers (with making them); profile `density` (wasm) against `speed` (wasm-speed). What \
            starts cost with both: `spawn`",
    sizes: &[(loops::BYTES, 0, 40)],
    fit: Fit::No,
    ours: &["native", "wasm", "wasm-speed"],
    large: false,
    run: Run::Actors(run),
};

/// Passes of each loop in the time of one sort, about.
const PASSES: [u64; 3] = [24, 24, 1];

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let actor = app.spawn("actor")?;
    let mut samples = Vec::new();
    for (which, ((name, native), passes)) in (0..).zip(loops::ALL.into_iter().zip(PASSES)) {
        let n = (case.n * passes).max(1);
        app.ask(actor, kind::LOOP, &[which, n.div_ceil(10)])?;
        let answer = app.ask(actor, kind::LOOP, &[which, n])?;
        let [took, result] = answer[..] else { anyhow::bail!("a loop answered {answer:?}") };
        let expected = last_of(native, n);
        ensure!(result == expected, "{name} came to {result} instead of {expected}");
        samples.push(Sample::ns(format!("loops-{name}"), took as f64 / n as f64));
    }
    Ok(samples)
}

/// What the last of so many passes comes to.
fn last_of(run: loops::Loop, n: u64) -> u64 {
    let mut memory = vec![0; loops::BYTES];
    loops::fill(&mut memory);
    (0..n).fold(0, |_, _| run(&mut memory))
}
