//! Sends so many messages of 32 bytes from one native actor to another on one thread, a thousand at a time, and prints
//! nanoseconds for one. Started by the workload `figures` of the bench, also under callgrind, which counts instructions.
//!
//!     PROGRAM N
//!
//! Must hold: it does the same whether the host was built with its figures or without, and allocates nothing per message.

use std::sync::Arc;
use std::time::Instant;

use wasmactor::actor::Turn;
use wasmactor::base::{Address, Body, Message, Payload};
use wasmactor::net::Net;
use wasmactor::node::turn::Worker;
use wasmactor::node::{Context, Node, NodeOptions, SpawnSpec};
use wasmactor::time::Clock;

/// Messages that one turn sends.
const BATCH: u32 = 1000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [n] = &words[..] else { fail("usage: N") };
    let n: u64 = n.parse().unwrap_or_else(|error| fail(&format!("{n}: {error}")));
    let (net, _poller) = Net::new().unwrap_or_else(|error| fail(&error.to_string()));
    let node = Node::new(NodeOptions { workers: 1, ..NodeOptions::default() }, Clock::real(), net);
    node.add_native("sink", |_| Ok(Box::new(|_: &mut Context, _: Message| Turn::Done(Ok(())))));
    let sink = spawn(&node, "sink");
    node.add_native("driver", move |_| {
        Ok(Box::new(move |cx: &mut Context, message: Message| {
            let Body::Message { kind, .. } = message.body else { return Turn::Done(Ok(())) };
            let sent = (0..kind).try_for_each(|_| cx.send(sink, 0, Payload::from(&[7; 32][..])));
            Turn::Done(sent.map_err(|error| error.to_string()))
        }))
    });
    let driver = spawn(&node, "driver");
    let mut worker = Worker::new(0);
    let mut rounds = |count: u64| {
        for _ in 0..count {
            if let Err(error) = node.post(driver, BATCH, Payload::empty()) {
                fail(&error.to_string());
            }
            node.run_ready(&mut worker);
        }
    };
    rounds(2);
    let started = Instant::now();
    rounds(n / u64::from(BATCH));
    println!("{:.3}", started.elapsed().as_nanos() as f64 / n.max(1) as f64);
}

fn spawn(node: &Arc<Node>, module: &str) -> Address {
    let spec = SpawnSpec { module: module.to_owned(), ..SpawnSpec::default() };
    node.spawn(None, spec).unwrap_or_else(|error| fail(&error.to_string()))
}

fn fail(why: &str) -> ! {
    eprintln!("{why}");
    std::process::exit(2)
}
