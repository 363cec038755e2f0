//! WASI preview 2 for the components that import it: clocks and random work as granted, output goes to the log, files and
//! environment as granted, sockets never (ours are the sockets).
//!
//! Must hold: a component that does not import WASI pays nothing for it; a WASI call that waits parks the actor, never
//! the worker; what a guest prints is bounded in memory however fast it prints.

use std::time::Duration;

use wasmtime::Result;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{Deterministic, FsPerms, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

use crate::node::Context;
use crate::wasm::output::Output;
use crate::wasm::state::State;

/// Packages of WASI 0.2 that are linked.
pub(super) const PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];

/// Bytes of entropy in one call.
const RANDOM: u64 = 1 << 20;

/// Numbers of the sequence that an actor without entropy gets, again and again.
const SEQUENCE: usize = 1024;

/// The clocks of an actor that may see none.
struct Still;

impl HostMonotonicClock for Still {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// One guest's WASI world.
pub(super) struct Wasi {
    ctx: WasiCtx,
    table: ResourceTable,
    output: Output,
}

impl Wasi {
    /// As the actor's grants say. The error is one line: which folder cannot be opened.
    pub(super) fn new(cx: &Context) -> Result<Self, String> {
        let output = Output::default();
        let mut builder = WasiCtx::builder();
        builder.arg(cx.name()).stdout(output.stdout()).stderr(output.stderr());
        builder.max_random_size(RANDOM).allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        for (key, value) in cx.env_granted() {
            builder.env(key, value);
        }
        for folder in &cx.grants().files {
            let perms = if folder.write { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
            builder
                .preopened_dir(&folder.host, &folder.guest, perms)
                .map_err(|error| format!("the granted folder {} cannot be opened: {error:#}", folder.host.display()))?;
        }
        if !cx.grants().clock {
            builder.monotonic_clock(Still).wall_clock(Still);
        }
        if !cx.grants().random {
            let bytes: Vec<u8> = cx.sequence().take(SEQUENCE).flat_map(u64::to_le_bytes).collect();
            builder.secure_random(Deterministic::new(bytes.clone())).insecure_random(Deterministic::new(bytes));
            builder.insecure_random_seed(cx.sequence().next().unwrap_or_default().into());
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(cx.files_limit());
        Ok(Self { ctx: builder.build(), table, output })
    }

    /// Where the guest's lines wait for the log.
    pub(super) fn output(&self) -> &Output {
        &self.output
    }
}

impl State {
    /// Writes the lines that the guest printed to the log.
    pub(super) fn drain_output(&mut self) {
        if let Some(wasi) = &self.wasi {
            let output = wasi.output.clone();
            output.drain(&mut self.cx());
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi.as_mut().expect("WASI is linked for those that have it");
        WasiCtxView { ctx: &mut wasi.ctx, table: &mut wasi.table }
    }
}

/// Links all of WASI 0.2 but HTTP.
pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)
}
