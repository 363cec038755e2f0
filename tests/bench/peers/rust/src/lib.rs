//! What all peers in Rust share: the command line, samples as one line of JSON, and what is measured with. `actors` has
//! the workloads of the actor libraries, `loops` those of bare schedulers. Used by the programs in `bin/`.
//!
//!     PROGRAM WORKLOAD WORKERS BYTES N [WIDTH]
//!
//! Must hold: nothing of start-up and warm-up is in a figure.

pub mod actors;
pub mod loops;

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A message's content; what is measured is a fresh copy each time.
pub type Payload = Vec<u8>;

/// How long a timer of `timer-late` is set for.
pub const NAP: Duration = Duration::from_millis(10);

/// The command line.
#[derive(Clone, Debug)]
pub struct Case {
    pub workload: String,
    pub workers: usize,
    pub bytes: usize,
    pub n: u64,
    pub width: usize,
}

/// What a run found.
#[derive(Debug)]
pub struct Sample {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
}

impl Sample {
    pub fn ns(name: impl Into<String>, value: f64) -> Self {
        Self { name: name.into(), value, unit: "ns" }
    }
}

/// A peer's `main`: reads the command line, runs, prints. None: no such workload.
pub fn main(run: impl FnOnce(Case) -> Option<Vec<Sample>>) -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(case) = parse(&words) else {
        eprintln!("usage: WORKLOAD WORKERS BYTES N [WIDTH]");
        return ExitCode::from(2);
    };
    let Some(samples) = run(case) else {
        eprintln!("this peer has no workload {}", words[0]);
        return ExitCode::FAILURE;
    };
    println!("{}", json(&samples));
    ExitCode::SUCCESS
}

fn parse(words: &[String]) -> Option<Case> {
    let (workload, numbers) = words.split_first()?;
    let mut numbers = numbers.iter().map(|word| word.parse::<u64>());
    let mut next = || numbers.next()?.ok();
    let (workers, bytes, n) = (next()? as usize, next()? as usize, next()?);
    Some(Case { workload: workload.clone(), workers, bytes, n, width: next().unwrap_or(0) as usize })
}

fn json(samples: &[Sample]) -> String {
    let one = |sample: &Sample| {
        format!("{{\"name\":\"{}\",\"value\":{:.1},\"unit\":\"{}\"}}", sample.name, sample.value, sample.unit)
    };
    format!("{{\"samples\":[{}]}}", samples.iter().map(one).collect::<Vec<_>>().join(","))
}

/// Messages between two echoes that a sender waits for.
pub fn batch(bytes: usize) -> u64 {
    if bytes > 4096 { 100 } else { 1000 }
}

pub fn payload(bytes: usize) -> Payload {
    vec![b'x'; bytes]
}

/// Actors of a tree with so many leaves, ten children each.
pub fn actors_of(leaves: usize) -> f64 {
    ((leaves * 10 - 1) / 9) as f64
}

/// Resident bytes of this program.
pub fn rss() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux's /proc");
    let pages: u64 = text.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("its second word is a number");
    (pages * 4096) as f64
}

/// Nanoseconds since then for one of so many.
pub fn per_one(start: Instant, count: u64) -> f64 {
    start.elapsed().as_nanos() as f64 / count as f64
}

/// Samples of a list of nanoseconds.
pub fn quantiles(name: &str, mut values: Vec<u64>) -> Vec<Sample> {
    values.sort_unstable();
    let at = |share: f64| values[((values.len() as f64 * share) as usize).min(values.len() - 1)] as f64;
    [("min", 0.0), ("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)]
        .map(|(suffix, share)| Sample::ns(format!("{name}-{suffix}"), at(share)))
        .into()
}

#[cfg(test)]
mod tests {
    use super::{Sample, actors_of, json, parse, quantiles};

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_command_line_is_read() {
        let case = parse(&words("fan-in 2 32 1000 64")).expect("it is complete");
        assert_eq!((case.workload.as_str(), case.workers, case.bytes, case.n, case.width), ("fan-in", 2, 32, 1000, 64));
        assert_eq!(parse(&words("call 1 32 1000")).expect("a width may be missing").width, 0);
        assert!(parse(&words("call 1 32")).is_none());
        assert!(parse(&words("call one 32 1000")).is_none());
    }

    #[test]
    fn samples_are_one_line() {
        let samples = [Sample::ns("call", 476.24), Sample { name: "idle-rss".into(), value: 2846.0, unit: "bytes" }];
        let expected = "{\"samples\":[{\"name\":\"call\",\"value\":476.2,\"unit\":\"ns\"},\
                        {\"name\":\"idle-rss\",\"value\":2846.0,\"unit\":\"bytes\"}]}";
        assert_eq!(json(&samples), expected);
    }

    #[test]
    fn quantiles_of_a_thousand() {
        let found = quantiles("late", (0..1000).collect()).into_iter().map(|sample| (sample.name, sample.value));
        let expected = [("late-min", 0.0), ("late-p50", 500.0), ("late-p99", 990.0), ("late-p99.9", 999.0)];
        assert!(found.eq(expected.map(|(name, value)| (name.to_owned(), value))));
    }

    #[test]
    fn a_tree_has_inner_actors_too() {
        assert_eq!(actors_of(100), 111.0);
    }
}
