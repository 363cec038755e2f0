//! A thousand reloads on two workers under full load: nothing is lost, doubled, or out of order.

use std::sync::mpsc;

use super::reload::{Host, LONG, Wrong};
use crate::actor::{Behavior, Module, Turn, Unsaved};
use crate::base::sync::Arc;
use crate::base::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::base::{Address, Body, Grants, Payload};
use crate::node::{Context, Limits, ModuleEntry, ReloadOptions, SpawnSpec};
use crate::sched::Letter;

/// Numbers from several senders to actors that are exchanged a thousand times meanwhile.
#[test]
fn a_thousand_reloads_under_load_lose_double_and_reorder_nothing() {
    const RELOADS: usize = 1000;
    const ACTORS: usize = 4;
    const SENDERS: usize = 2;
    let (host, _) = Host::start(Wrong::Nothing);
    let out_of_order = Arc::new(AtomicU64::new(0));
    let checked = |version: &'static str| ModuleEntry {
        module: Arc::new(Sequences(version, out_of_order.clone())),
        grants: Arc::new(Grants::all()),
        limits: Limits::free(),
    };
    host.node.add_module("sequence", checked("0"));
    let spawn = || {
        let spec = SpawnSpec { module: "sequence".into(), ..SpawnSpec::default() };
        host.node.spawn_and_wait(spec, LONG).expect("it starts")
    };
    let actors: Vec<Address> = (0..ACTORS).map(|_| spawn()).collect();
    let stop = AtomicBool::new(false);
    let (sender, counts) = mpsc::channel();
    std::thread::scope(|scope| {
        for number in 0..SENDERS {
            let (actors, stop, node, sender) = (&actors, &stop, &host.node, sender.clone());
            scope.spawn(move || {
                let mut sent = 0u64;
                while !stop.load(Ordering::Relaxed) {
                    for actor in actors {
                        let mut payload = vec![u8::try_from(number).expect("few")];
                        payload.extend(sent.to_le_bytes());
                        // A full mailbox refuses; nothing was sent then.
                        while node.post(*actor, 0, Payload::from(&payload[..])).is_err() {
                            std::thread::yield_now();
                        }
                    }
                    sent += 1;
                    if sent.is_multiple_of(64) {
                        let answer = node.call(actors[0], 1, Payload::empty(), LONG);
                        assert!(answer.is_ok(), "{answer:?}");
                    }
                }
                sender.send((number, sent)).expect("it is awaited");
            });
        }
        for number in 0..RELOADS {
            let version = if number.is_multiple_of(2) { "even" } else { "odd" };
            let report = host.node.reload("sequence", checked(version), ReloadOptions::default()).expect("known");
            assert_eq!((report.exchanged, report.kept), (ACTORS, vec![]), "reload {number}");
        }
        stop.store(true, Ordering::Relaxed);
    });
    drop(sender);
    let mut sent: Vec<(usize, u64)> = counts.iter().collect();
    sent.sort_unstable();
    let expected: Vec<u8> = sent.iter().flat_map(|(_, sent)| sent.to_le_bytes()).collect();
    for actor in actors {
        let got = host.node.call(actor, 1, Payload::empty(), LONG).expect("it lives");
        assert_eq!(&got[..], &expected[..], "lost or doubled");
    }
    assert_eq!(out_of_order.load(Ordering::SeqCst), 0);
    host.stop();
}

/// Expects each sender's numbers one after the other; its state is the next one of each.
struct Sequence(Vec<u64>, Arc<AtomicU64>);

impl Behavior<Context> for Sequence {
    fn init(&mut self, _cx: &mut Context) -> Turn {
        Turn::Done(Ok(()))
    }

    fn handle(&mut self, cx: &mut Context, letter: Letter) -> Turn {
        let Body::Message { payload, kind, .. } = letter.open().body else { return Turn::Done(Ok(())) };
        if kind == 1 {
            let state: Vec<u8> = self.0.iter().flat_map(|next| next.to_le_bytes()).collect();
            cx.ret(Payload::from(&state[..])).expect("a request");
        } else if let Some((sender, number)) = payload.split_first()
            && let Some(next) = self.0.get_mut(usize::from(*sender))
        {
            if next.to_le_bytes() != number {
                self.1.fetch_add(1, Ordering::SeqCst);
            }
            *next += 1;
        }
        Turn::Done(Ok(()))
    }

    fn resume(&mut self, _cx: &mut Context) -> Turn {
        Turn::Parked
    }

    fn save(&mut self, _cx: &mut Context, _in_flight: u32) -> Result<Option<Vec<u8>>, Unsaved> {
        Ok(Some(self.0.iter().flat_map(|next| next.to_le_bytes()).collect()))
    }

    fn load(&mut self, _cx: &mut Context, state: &[u8], _from: &str) -> Result<(), String> {
        self.0 = state.as_chunks().0.iter().map(|next| u64::from_le_bytes(*next)).collect();
        Ok(())
    }
}

struct Sequences(&'static str, Arc<AtomicU64>);

impl Module<Context> for Sequences {
    fn create(&self, _cx: &mut Context) -> Result<Box<dyn Behavior<Context>>, String> {
        Ok(Box::new(Sequence(vec![0; 2], self.1.clone())))
    }

    fn keeps(&self) -> bool {
        true
    }

    fn version(&self) -> &str {
        self.0
    }
}
