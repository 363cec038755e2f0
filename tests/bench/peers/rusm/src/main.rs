//! The system `rusm`: runs the bench's guest as components of RUSM, as its documentation shows for a host: pooled
//! instances, prepared once, each spawned component a process.
//!
//!     PROGRAM GUEST.wasm WORKLOAD WORKERS BYTES N WIDTH
//!
//! Must hold: the lines that the guest says come out as they are.

use std::path::Path;

use anyhow::{Context as _, Result};
use rusm_otp::{Received, Runtime};
use rusm_wasm::{CapabilityProfile, WasmRuntime};
use tokio::sync::oneshot;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Pooled core instances: four for each actor, since a component is three of them. All actors need a fiber's stack of the
/// pool, too, and RUSM leaves those at wasmtime's default of a thousand: one more would fail at its first call.
const POOL: u32 = 4000;
/// The guest's memory is far smaller.
const MEMORY: usize = 4 << 20;
/// The types of the guest's imports and exports.
const WORLD: &str = include_str!("../../wasm/world.wit");

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let guest = words.next().context("usage: GUEST WORKLOAD WORKERS BYTES N WIDTH")?;
    let workload = words.next().context("no workload")?;
    let numbers = words.map(|word| word.parse().context(word)).collect::<Result<Vec<u64>>>()?;
    let workers = usize::try_from(*numbers.first().context("no workers")?)?;
    let component = component(Path::new(&guest))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    let done = runtime.block_on(run(&component, &workload, &numbers));
    // Guests may be in endless loops.
    runtime.shutdown_background();
    done
}

/// The guest, a core module, as a component.
fn component(guest: &Path) -> Result<Vec<u8>> {
    let mut module = std::fs::read(guest).with_context(|| guest.display().to_string())?;
    let mut resolve = Resolve::default();
    let package = resolve.push_str("world.wit", WORLD)?;
    let world = resolve.select_world(&[package], Some("actor"))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().module(&module)?.encode()
}

async fn run(component: &[u8], workload: &str, numbers: &[u64]) -> Result<()> {
    let processes = Runtime::new();
    let host = WasmRuntime::with_overflow(processes.clone(), POOL, MEMORY)?;
    let component = host.compile_component(component)?;
    host.register_component("actor", host.prepare_component(&component, "run")?);
    let driver = host.prepare_component(&component, "drive")?;
    let (done, waiting) = oneshot::channel();
    let printer = processes.spawn(|mut context| async move {
        loop {
            match context.recv().await {
                Received::Message(line) if line.is_empty() => break,
                Received::Message(line) => println!("{}", String::from_utf8_lossy(&line)),
                _ => {}
            }
        }
        // Who waits may be gone already, if the driver failed.
        let _ = done.send(());
    });
    let driver = host.spawn_component_with(&driver, CapabilityProfile::Trusted.capabilities());
    let mut first = [0, printer.pid().raw()].map(u64::to_le_bytes).concat();
    first.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    first.extend(workload.bytes().chain([0]));
    processes.send(driver.pid(), first);
    tokio::select! {
        done = waiting => done.context("the printer ended early"),
        () = driver.join() => anyhow::bail!("the guest ended early"),
    }
}
