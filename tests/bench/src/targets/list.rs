//! The aims themselves: one worker, 32 bytes, guest to guest, unless they say otherwise.

use super::{Bound, Condition, Other, Pick, Target};
use crate::figures::Row;

/// What the star means.
pub(super) const SKYNET_NOTE: &str = "\\* skynet is not run by this bench: its figures were measured by us on another \
    machine on 2026-11-23, skynet f19d1605 with its default settings, one worker.";

// skynet's figures; see `SKYNET_NOTE`.
const SKYNET_CALL: f64 = 5140.0;
/// Requests a second at 50 connections of 64 bytes, and the latency that 99 % of them kept.
const SKYNET_ECHO: f64 = 79_000.0;
const SKYNET_ECHO_P99: f64 = 1_150_000.0;

const WASM: &str = "wasm";
const NATIVE: &str = "native";
const MIN: &str = "wasm-min";
const SPEED: &str = "wasm-speed";
const BEAM: &str = "erlang";
const MIO: &str = "mio";
const REDIS: &str = "redis";

/// Noise that is not called slower.
const EQUAL: f64 = 1.05;

const fn row(workers: usize, bytes: usize, width: usize) -> Row {
    Row { workers, bytes, width }
}

const ONE: Row = row(1, 32, 0);

const fn pick(figure: &'static str, system: &'static str, row: Row) -> Pick {
    Pick { figure, system, row }
}

/// Ours over a system's, of the same figure and case.
const fn over(what: &'static str, figure: &'static str, row: Row, system: &'static str, bound: Bound) -> Condition {
    Condition { what, ours: pick(figure, WASM, row), other: Other::Figure(pick(figure, system, row)), bound }
}

/// A figure of ours over the same one in another case.
const fn beside(what: &'static str, figure: &'static str, ours: Row, other: Row, bound: Bound) -> Condition {
    Condition { what, ours: pick(figure, WASM, ours), other: Other::Figure(pick(figure, WASM, other)), bound }
}

/// With two workers not slower than with one.
const fn no_slower(what: &'static str, figure: &'static str, bytes: usize, width: usize) -> Condition {
    beside(what, figure, row(2, bytes, width), row(1, bytes, width), Bound::AtMost(EQUAL))
}

const fn skynet(what: &'static str, figure: &'static str, row: Row, value: f64, bound: Bound) -> Condition {
    Condition { what, ours: pick(figure, WASM, row), other: Other::Skynet(value), bound }
}

/// Ours, at most so much.
const fn within(what: &'static str, figure: &'static str, system: &'static str, row: Row, most: f64) -> Condition {
    Condition { what, ours: pick(figure, system, row), other: Other::Value(most), bound: Bound::AtMost(1.0) }
}

/// Ours, at least so much.
const fn least(what: &'static str, figure: &'static str, row: Row, least: f64) -> Condition {
    Condition { what, ours: pick(figure, WASM, row), other: Other::Value(least), bound: Bound::AtLeast(1.0) }
}

const TWO: Row = row(2, 32, 0);
const LOOPS: Row = row(1, 262_144, 0);
const ECHO: Row = row(1, 64, 50);
const IDLE: Row = row(1, 0, 100_000);
const MILLION: Row = row(1, 0, 1_000_000);
const KV: Row = row(1, 3, 50);

/// All, in the order of the table.
pub(super) const ALL: &[Target] = &[
    Target {
        workload: "send, sustained",
        aim: "≤ 0.9 x BEAM",
        conditions: &[over("", "send", ONE, BEAM, Bound::AtMost(0.9))],
    },
    Target {
        workload: "fan-in 64:1",
        aim: "≤ BEAM",
        conditions: &[over("", "fan-in", row(1, 32, 64), BEAM, Bound::AtMost(1.0))],
    },
    Target {
        workload: "request/reply, interleaved",
        aim: "≤ 0.6 x bare BEAM, ≥ 15 x skynet",
        conditions: &[
            over("", "call-interleaved", ONE, BEAM, Bound::AtMost(0.6)),
            skynet("", "call-interleaved", ONE, SKYNET_CALL, Bound::AtMost(1.0 / 15.0)),
        ],
    },
    Target {
        workload: "request/reply, exclusive",
        aim: "≤ 0.9 x bare BEAM",
        conditions: &[over("", "call-exclusive", ONE, BEAM, Bound::AtMost(0.9))],
    },
    Target {
        workload: "ring hop",
        aim: "≤ BEAM",
        conditions: &[over("", "ring", row(1, 32, 1000), BEAM, Bound::AtMost(1.0))],
    },
    Target {
        workload: "spawn + first message + end",
        aim: "≤ 4 µs one worker, two workers ≥ 1.7 x one",
        conditions: &[
            within("one", "spawn", WASM, row(1, 0, 1), 4000.0),
            beside("two", "spawn", row(2, 0, 2), row(1, 0, 1), Bound::AtMost(1.0 / 1.7)),
        ],
    },
    Target {
        workload: "idle actor, RSS",
        aim: "≤ 20 KB for an SDK actor that has handled a message, ≤ 12 KB for a minimal one",
        conditions: &[
            within("SDK", "idle-rss", WASM, IDLE, 20_000.0),
            within("minimal", "idle-rss", MIN, IDLE, 12_000.0),
        ],
    },
    Target {
        workload: "alive at once",
        aim: "1,000,000 SDK actors in ≤ 20 GiB, one timer each, each answering a message",
        conditions: &[
            least("alive", "million-alive", MILLION, 1_000_000.0),
            within("in all", "million-rss-total", WASM, MILLION, 20.0 * 1_073_741_824.0),
        ],
    },
    Target {
        workload: "two workers against one",
        aim: "never slower (noise: 5 %), 256 disjoint pairs scale ≥ 1.7 x",
        conditions: &[
            no_slower("send", "send", 32, 0),
            no_slower("interleaved", "call-interleaved", 32, 0),
            no_slower("exclusive", "call-exclusive", 32, 0),
            no_slower("fan-in 64", "fan-in", 32, 64),
            no_slower("ring", "ring", 32, 1000),
            no_slower("spawn", "spawn", 0, 1),
            no_slower("tree", "tree", 0, 100_000),
            beside("pairs", "pairs", row(2, 32, 256), row(1, 32, 256), Bound::AtMost(1.0 / 1.7)),
        ],
    },
    Target {
        workload: "timers",
        aim: "arm ≤ 0.2 µs; never early; p99 ≤ 1.2 ms late idle, ≤ 1.5 ms with both cores busy",
        conditions: &[
            within("arm", "timer-arm", WASM, row(1, 0, 0), 200.0),
            least("earliest idle", "timer-late-min", row(2, 0, 0), 0.0),
            least("earliest busy", "timer-late-min", row(2, 0, 4), 0.0),
            within("p99 idle", "timer-late-p99", WASM, row(2, 0, 0), 1_200_000.0),
            within("p99 busy", "timer-late-p99", WASM, row(2, 0, 4), 1_500_000.0),
        ],
    },
    Target {
        workload: "TCP echo",
        aim: "≥ 0.75 of bare mio with 50 connections, ahead of BEAM and skynet, p99 not above theirs",
        conditions: &[
            over("rate", "tcp-echo", ECHO, MIO, Bound::AtLeast(0.75)),
            over("rate", "tcp-echo", ECHO, BEAM, Bound::AtLeast(1.0)),
            skynet("rate", "tcp-echo", ECHO, SKYNET_ECHO, Bound::AtLeast(1.0)),
            over("p99", "tcp-echo-p99", ECHO, BEAM, Bound::AtMost(1.0)),
            skynet("p99", "tcp-echo-p99", ECHO, SKYNET_ECHO_P99, Bound::AtMost(1.0)),
        ],
    },
    Target {
        workload: "kv example, redis-benchmark -c 50",
        aim: "≥ 0.5 of Redis without pipeline, ≥ 0.25 with -P 16",
        conditions: &[
            over("GET", "kv-get", KV, REDIS, Bound::AtLeast(0.5)),
            over("SET", "kv-set", KV, REDIS, Bound::AtLeast(0.5)),
            over("GET -P 16", "kv-get-p16", KV, REDIS, Bound::AtLeast(0.25)),
            over("SET -P 16", "kv-set-p16", KV, REDIS, Bound::AtLeast(0.25)),
        ],
    },
    Target {
        workload: "endless loops on all cores",
        aim: "others keep ≥ 40 % of their rate; a turn is cut at 1 ms (when the monitor looks next: 1.5, 5 % noise), 99 % \
              within 2 ms",
        conditions: &[
            least("one worker", "fairness", ONE, 40.0),
            least("two workers", "fairness", TWO, 40.0),
            within("cut", "fairness-turn-p50", WASM, ONE, 1_500_000.0 * EQUAL),
            within("cut, 99 %", "fairness-turn-p99", WASM, ONE, 2_000_000.0),
            within("cut, two workers", "fairness-turn-p50", WASM, TWO, 1_500_000.0 * EQUAL),
            within("99 %", "fairness-turn-p99", WASM, TWO, 2_000_000.0),
        ],
    },
    Target {
        workload: "an actor is flooded",
        aim: "99 % of its neighbours' calls within 2 x of what they keep without it",
        conditions: &[within("neighbours", "flood", WASM, row(2, 32, 8), 200.0)],
    },
    Target {
        workload: "a reload",
        aim: "an actor with 64 KiB of state handles nothing for ≤ 5 ms (99 %)",
        conditions: &[
            within("one worker", "reload-pause-p99", WASM, row(1, 64 << 10, 4), 5_000_000.0),
            within("two", "reload-pause-p99", WASM, row(2, 64 << 10, 4), 5_000_000.0),
        ],
    },
    Target {
        workload: "own figures, always on",
        aim: "CPU time, histograms, memory of each actor: ≤ 3 % of a send",
        conditions: &[Condition {
            what: "price",
            ours: pick("figures-price", NATIVE, ONE),
            other: Other::Figure(pick("send", WASM, ONE)),
            bound: Bound::AtMost(0.03),
        }],
    },
    Target {
        workload: "tight loops over memory",
        aim: "profile `density` ≤ 1.3 x `speed`",
        conditions: &[
            over("checksum", "loops-checksum", LOOPS, SPEED, Bound::AtMost(1.3)),
            over("histogram", "loops-histogram", LOOPS, SPEED, Bound::AtMost(1.3)),
            over("sort", "loops-sort", LOOPS, SPEED, Bound::AtMost(1.3)),
        ],
    },
];
