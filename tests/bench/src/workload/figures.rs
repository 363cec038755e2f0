//! What the host's own figures cost a message: CPU time of each actor, histograms of turns and waits. Its core is built
//! twice, with them and without (`tests/bench/price`), and the two programs run in turns.
//!
//! Nanoseconds differ by more than the price from build to build, since code lies elsewhere; instructions do not. So both
//! are measured.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::root;
use crate::system::peer::install::{Places, need, step};
use crate::system::{Case, Sample};
use crate::unit::Unit;
use crate::workload::{Fit, Run, Workload};

pub(crate) const FIGURES: Workload = Workload {
    name: "figures",
    about: "one-way message of 32 bytes between native actors on one thread, with the host's own figures (CPU time of \
            each actor, histograms of turns and waits) and in a build without them, in turns: nanoseconds with them, what \
            they add, and the same in instructions, which callgrind counts",
    sizes: &[(32, 0, 300_000)],
    fit: Fit::No,
    ours: &["native"],
    large: false,
    run: Run::Programs(run),
};

/// Runs of each program; the quickest counts.
const TURNS: usize = 12;
/// Messages under callgrind: this many, and twice as many.
const COUNTED: u64 = 20_000;

fn run(case: &Case) -> Result<Vec<Sample>> {
    if case.workers > 1 {
        return Ok(Vec::new());
    }
    need("valgrind", &["valgrind"], "callgrind, which counts instructions for the workload figures")?;
    let (with, without) = (build("with", "")?, build("without", "--cfg wasmactor_uncounted")?);
    let (mut on, mut off) = (f64::MAX, f64::MAX);
    for _ in 0..TURNS {
        on = on.min(nanoseconds(&with, case.n)?);
        off = off.min(nanoseconds(&without, case.n)?);
    }
    let (counted, uncounted) = (instructions(&with)?, instructions(&without)?);
    Ok(vec![
        Sample::ns("figures-send", on),
        Sample::ns("figures-price", on - off),
        Sample::new("figures-share", (on - off) * 100.0 / on, Unit::Percent),
        Sample::new("figures-instructions", counted, Unit::Count),
        Sample::new("figures-instructions-price", counted - uncounted, Unit::Count),
        Sample::new("figures-instructions-share", (counted - uncounted) * 100.0 / counted, Unit::Percent),
    ])
}

/// Builds a variant of the program, if that was not done; its path.
fn build(variant: &str, flags: &str) -> Result<String> {
    let places = Places::new(&root());
    let built = places.built(&format!("price/{variant}"))?;
    let program = built.join("release/wasmactor-bench-price");
    if !program.is_file() {
        step(&format!("the host's core {variant} its figures: cargo build into target/bench/price (a minute)"));
    }
    Places::cargo_build_in(&root().join("tests/bench/price"), &built, "wasmactor-bench-price", flags)?;
    Ok(program.display().to_string())
}

/// For one of so many messages.
fn nanoseconds(program: &str, n: u64) -> Result<f64> {
    output(Command::new(program).arg(n.to_string()))?.0.trim().parse().context("not a number of nanoseconds")
}

/// For one message: what twice as many need more than once as many, so that start and end do not count.
fn instructions(program: &str) -> Result<f64> {
    let count = |n: u64| {
        let mut callgrind = Command::new("valgrind");
        callgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", program, &n.to_string()]);
        let (_, said) = output(&mut callgrind)?;
        collected(&said).with_context(|| format!("callgrind said no count: {said}"))
    };
    Ok((count(2 * COUNTED)? - count(COUNTED)?) / COUNTED as f64)
}

/// The count in callgrind's closing words: `==1== Collected : 12345`.
fn collected(said: &str) -> Option<f64> {
    said.lines().find_map(|line| line.split_once("Collected :"))?.1.trim().parse().ok()
}

/// What a program printed on stdout and on stderr.
fn output(command: &mut Command) -> Result<(String, String)> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{name} does not start"))?;
    let [out, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if !output.status.success() {
        bail!("{name} ended with {}: {errors}", output.status);
    }
    Ok((out, errors))
}

#[cfg(test)]
mod tests {
    use super::collected;

    #[test]
    fn the_count_is_found() {
        let said = "==7== \n==7== Events    : Ir\n==7== Collected : 88215\n==7== \n";
        assert_eq!((collected(said), collected("==7== Events : Ir")), (Some(88_215.0), None));
    }
}
