//! How long an actor handles nothing while it goes on with another version of its module.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use kv_wire::{BATCH, Batch, Operation, Set};
use wasmactor::base::histogram::Counts;
use wasmactor::base::sync::Arc;
use wasmactor::base::sync::atomic::{AtomicBool, Ordering};
use wasmactor::base::{Address, Grants, Payload};
use wasmactor::node::{Limits, ModuleEntry, Node, ReloadOptions};
use wasmactor::wasm::{Source, WasmHost, WasmModule, WasmOptions};

use crate::root;
use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::{Fit, Run, SDK, Workload, kv};

pub(crate) const RELOAD: Workload = Workload {
    name: "reload",
    about: "stores of examples/kv, each with as many bytes in 64 keys, are reloaded again and again while others ask them \
            without pause: how long a store handles nothing (saving, a new instance, loading)",
    sizes: &[(64 << 10, 4, 50)],
    fit: Fit::No,
    ours: SDK,
    large: false,
    run: Run::Programs(run),
};

const KEYS: usize = 64;
/// No answer takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

fn run(case: &Case) -> Result<Vec<Sample>> {
    kv::build()?;
    let host = WasmHost::new(&WasmOptions::default()).map(Arc::new).context("the sandbox does not start")?;
    let modules = versions(&host)?;
    let entry = |number: usize| ModuleEntry {
        module: modules[number % 2].clone(),
        grants: Arc::new(Grants::all()),
        limits: Limits::free(),
    };
    let ticker = host.clone();
    let app = App::start(case.workers, &["store"], |node| {
        node.on_tick(Box::new(move || ticker.tick()));
        node.add_module("store", entry(0));
    })?;
    let node = app.node();
    let stores: Vec<Address> = app.spawn_many("store", case.width)?.into_iter().map(Address::from_raw).collect();
    let value = vec![b'x'; case.bytes / KEYS];
    for store in &stores {
        let mut batch = Batch::default();
        for key in 0..KEYS {
            let key = key.to_le_bytes();
            batch.push(Operation::Set { key: &key, value: &value, how: Set::default() });
        }
        ask(node, *store, &batch)?;
    }
    let done = AtomicBool::new(false);
    let pauses = std::thread::scope(|scope| {
        let askers: Vec<_> = stores.iter().map(|store| scope.spawn(|| keep_asking(node, *store, &done))).collect();
        let mut pauses = Counts::default();
        let mut reloaded = Ok(());
        for number in 1..=case.n {
            let entry = entry(usize::try_from(number).unwrap_or(0));
            let report = node.reload("store", entry, ReloadOptions::default())?;
            if !report.kept.is_empty() {
                reloaded = Err(anyhow!("not reloaded: {:?}", report.kept));
                break;
            }
            pauses.add(&report.pauses);
        }
        done.store(true, Ordering::Relaxed);
        for asker in askers {
            asker.join().map_err(|_| anyhow!("a thread that asked is gone"))??;
        }
        reloaded.map(|()| pauses)
    })?;
    let sample = |name: &str, share| {
        let pause = pauses.quantile(share).with_context(|| format!("no {name}"))?;
        Ok(Sample::ns(name, pause as f64))
    };
    [("reload-pause-p50", 0.5), ("reload-pause-p99", 0.99)]
        .into_iter()
        .map(|(name, share)| sample(name, share))
        .collect()
}

/// The same store twice, the second time with a section that nobody reads.
fn versions(host: &WasmHost) -> Result<[Arc<WasmModule>; 2]> {
    let file = root().join("target/wasm32-unknown-unknown/release/kv_store.wasm");
    let other = root().join("target/bench/kv_store_2.wasm");
    let mut bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
    bytes.extend([0, 2, 1, b'v']);
    std::fs::create_dir_all(other.parent().unwrap_or(Path::new(".")))?;
    std::fs::write(&other, bytes)?;
    Ok([host.load(&Source::new("store", file))?, host.load(&Source::new("store", other))?])
}

fn ask(node: &Node, store: Address, batch: &Batch) -> Result<()> {
    let answer = node.call(store, BATCH, Payload::from(batch.bytes()), PATIENCE);
    let answer = answer.map_err(|error| anyhow!("a store does not answer: {error}"))?;
    ensure!(!answer.is_empty(), "an empty answer");
    Ok(())
}

fn keep_asking(node: &Node, store: Address, done: &AtomicBool) -> Result<()> {
    let key = 7usize.to_le_bytes();
    let mut batch = Batch::default();
    batch.push(Operation::Get(&key));
    while !done.load(Ordering::Relaxed) {
        ask(node, store, &batch)?;
    }
    Ok(())
}
