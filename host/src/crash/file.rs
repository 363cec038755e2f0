//! A report's file: a wasm core dump as the tool conventions have it (`Coredump.md`), with the report as JSON in a custom
//! section of its own. So tools that read core dumps open it as it is.
//!
//! Must hold: whatever is in a file, reading it ends with a report or an error, in memory bounded by the file's size.

use wasm_encoder::{CoreDumpStackSection, CustomSection, Module, RawSection};
use wasmparser::{BinaryReader, CoreDumpInstancesSection, CoreDumpStackSection as Stack, Parser, Payload};

use crate::actor::Frame;
use crate::crash::report::{Dump, Report};

/// The report's section.
const SECTION: &str = "wasmactor-crash";
/// Where a core dump has its frames.
const STACK: &str = "corestack";
/// What wasm's pages have.
const PAGE: u64 = 64 << 10;

/// Why a file shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("it is not WebAssembly: a report starts with the bytes 00 61 73 6d")]
    NotWasm,
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("it is WebAssembly without the section `{SECTION}`: no report of a crash")]
    NoReport,
    #[error("its section `{SECTION}` is no report: {0}")]
    NotAReport(serde_json::Error),
}

/// The file's bytes.
pub(super) fn write(report: &Report, dump: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let mut module = Module::new();
    if let Some(dump) = dump {
        copy(dump, &report.backtrace, &mut module).map_err(|error| error.to_string())?;
    }
    let json = serde_json::to_vec(report).map_err(|error| error.to_string())?;
    module.section(&CustomSection { name: SECTION.into(), data: json.into() });
    Ok(module.finish())
}

/// Copies a dump, with frames that speak of the guest's own module.
fn copy(dump: &[u8], frames: &[Frame], module: &mut Module) -> wasmparser::Result<()> {
    for payload in Parser::new(0).parse_all(dump) {
        match payload? {
            Payload::CustomSection(section) if section.name() == STACK => {
                let stack = Stack::new(BinaryReader::new(section.data(), section.data_offset()))?;
                // Instances are the only thing that wasmtime knows better.
                let instance = stack.frames.last().map_or(0, |frame| frame.instanceidx);
                let mut own = CoreDumpStackSection::new(stack.name);
                for frame in frames {
                    own.frame(instance, frame.index, frame.offset.unwrap_or(0), [], []);
                }
                module.section(&own);
            }
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    module.section(&RawSection { id, data: &dump[range] });
                }
            }
        }
    }
    Ok(())
}

/// What a file says.
pub fn read(bytes: &[u8]) -> Result<(Report, Option<Dump>), ReadError> {
    if !bytes.starts_with(b"\0asm") {
        return Err(ReadError::NotWasm);
    }
    let damaged = |error: wasmparser::BinaryReaderError| ReadError::Damaged(error.to_string());
    let (mut report, mut dump) = (None, None);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(damaged)? {
            Payload::MemorySection(memories) => {
                let dump = dump.get_or_insert_with(Dump::default);
                for memory in memories {
                    dump.memories += 1;
                    let bytes = memory.map_err(damaged)?.initial.saturating_mul(PAGE);
                    dump.memory_bytes = dump.memory_bytes.saturating_add(bytes);
                }
            }
            Payload::GlobalSection(globals) => dump.get_or_insert_with(Dump::default).globals = globals.count(),
            Payload::CustomSection(section) if section.name() == "coreinstances" => {
                let reader = BinaryReader::new(section.data(), section.data_offset());
                let instances = CoreDumpInstancesSection::new(reader).map_err(damaged)?.instances.len();
                dump.get_or_insert_with(Dump::default).instances = u32::try_from(instances).unwrap_or(u32::MAX);
            }
            Payload::CustomSection(section) if section.name() == SECTION => {
                report = Some(serde_json::from_slice(section.data()).map_err(ReadError::NotAReport)?);
            }
            _ => {}
        }
    }
    Ok((report.ok_or(ReadError::NoReport)?, dump))
}
