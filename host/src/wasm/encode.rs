//! Turns what people write into a component: text into binary, and a core module into a component of our world.
//!
//! A core module that carries its world (wit-bindgen puts it into a `component-type` section) is encoded with that. One
//! without, such as hand-written text, gets the world `actor`: it imports `wasmactor:actor/messaging@0.1.0` "send" and
//! so on with the canonical ABI's flat parameters, and exports `wasmactor:actor/handler@0.1.0#init` and `#handle`,
//! `memory` and `cabi_realloc`. One that exports `wasmactor:actor/state@0.1.0#save` and so on is of the world `stateful`,
//! whatever it carries: the SDK cannot know in advance who does.

use std::path::Path;

use wasmparser::{Encoding, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use crate::wasm::contract::{Contract, HANDLER, STATE};
use crate::wasm::error::LoadProblem;

/// The bytes of a component for the bytes of a file.
pub(super) fn component(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, LoadProblem> {
    if bytes.starts_with(b"\0asm") {
        return binary(bytes.to_vec());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| LoadProblem::NotWasm)?;
    // With the lines of the text as debug information: for reports of crashes, nobody runs it.
    let mut parser = wat::Parser::new();
    let parsed = parser.generate_dwarf(wat::GenerateDwarf::Lines).parse_str(Some(path), text);
    let parsed = parsed.map_err(|mut error| {
        error.set_path(path);
        LoadProblem::Text(error.to_string())
    })?;
    binary(parsed)
}

fn binary(bytes: Vec<u8>) -> Result<Vec<u8>, LoadProblem> {
    let core = Core::read(&bytes)?;
    let Some(core) = core else { return Ok(bytes) };
    core.check()?;
    let mut module = bytes;
    let failed = |error| LoadProblem::Encode(format!("{error:#}"));
    let contract = Contract::get();
    let world = if core.keeps() { Some(contract.stateful) } else { (!core.carries_world).then_some(contract.world) };
    if let Some(world) = world {
        embed_component_metadata(&mut module, &contract.resolve, world, StringEncoding::UTF8).map_err(failed)?;
    }
    ComponentEncoder::default().validate(true).module(&module).map_err(failed)?.encode().map_err(failed)
}

/// What the outside of a core module says.
#[derive(Default)]
struct Core {
    carries_world: bool,
    imports: Vec<(String, String)>,
    exports: Vec<String>,
}

impl Core {
    /// `None` for a component.
    fn read(bytes: &[u8]) -> Result<Option<Self>, LoadProblem> {
        let invalid = |error: wasmparser::BinaryReaderError| LoadProblem::Invalid(error.to_string());
        let mut core = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(invalid)? {
                Payload::Version { encoding: Encoding::Component, .. } => return Ok(None),
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import.map_err(invalid)?;
                        core.imports.push((import.module.to_owned(), import.name.to_owned()));
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        core.exports.push(export.map_err(invalid)?.name.to_owned());
                    }
                }
                Payload::CustomSection(section) if section.name().starts_with("component-type") => {
                    core.carries_world = true;
                }
                _ => {}
            }
        }
        Ok(Some(core))
    }

    /// Whether it exports `state`.
    fn keeps(&self) -> bool {
        self.exports.iter().any(|name| name.strip_prefix(STATE).is_some_and(|item| item.starts_with('#')))
    }

    /// Says what is missing in the contract's words, where the encoder would speak of cores and adapters.
    fn check(&self) -> Result<(), LoadProblem> {
        for (interface, item) in &self.imports {
            let ours = interface.starts_with("wasmactor:actor/");
            // A module that carries its world may import what its world names: the component is checked later.
            if ours || !self.carries_world || interface.starts_with("wasi_") {
                Contract::get().offers(interface, item)?;
            }
        }
        if self.keeps() {
            for item in ["save", "load", "self-test"] {
                if !self.exports.iter().any(|name| *name == format!("{STATE}#{item}")) {
                    return Err(LoadProblem::NoExport { interface: STATE, item });
                }
            }
        }
        if self.carries_world {
            return Ok(());
        }
        for item in ["init", "handle"] {
            if !self.exports.iter().any(|name| *name == format!("{HANDLER}#{item}")) {
                return Err(LoadProblem::NoExport { interface: HANDLER, item });
            }
        }
        Ok(())
    }
}
