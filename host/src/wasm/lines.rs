//! Lines of source for places in a module, from the DWARF in its file. Used for reports of crashes: it reads the file
//! again, and takes as long as that takes.
//!
//! Must hold: the file is the one that was loaded, or nothing is said; whatever stands in it, the outcome is lines, none,
//! or a sentence.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian, SectionId};
use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};

use crate::actor::{Frame, Line};
use crate::wasm::load::unpanicked;
use crate::wasm::{encode, flat};

/// Finds the lines for frames of instances of a module.
pub(super) fn locate(path: &Path, content: &[u8; 32], is_flat: bool, frames: &mut [Frame]) -> Result<(), String> {
    let located = unpanicked(|| Ok(find(path, content, is_flat, frames)));
    located.map_err(|error| error.to_string())?
}

fn find(path: &Path, content: &[u8; 32], is_flat: bool, frames: &mut [Frame]) -> Result<(), String> {
    let bytes = fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    if Sha256::digest(&bytes)[..] != content[..] {
        return Err(format!("{} has changed since it was loaded", path.display()));
    }
    let component = encode::component(path, &bytes).map_err(|error| error.to_string())?;
    if is_flat {
        let main = flat::find(&component).ok_or("its main module is not found any more")?;
        let places: Vec<(u32, u32)> = frames.iter().map(|frame| (frame.index, frame.offset.unwrap_or(0))).collect();
        for (frame, offset) in frames.iter_mut().zip(flat::unmoved(&main, &places)?) {
            frame.offset = frame.offset.and(offset);
        }
        return Core::read(main.bytes).map_or(Ok(()), |core| core.lines(frames.iter_mut()));
    }
    for range in modules(&component) {
        let own = frames.iter_mut().filter(|frame| frame.at.is_some_and(|at| range.contains(&at)));
        if let Some(core) = component.get(range.clone()).and_then(Core::read) {
            core.lines(own)?;
        }
    }
    Ok(())
}

/// The core modules inside of a component.
fn modules(component: &[u8]) -> Vec<Range<usize>> {
    let payloads = Parser::new(0).parse_all(component).map_while(Result::ok);
    payloads
        .filter_map(|payload| match payload {
            Payload::ModuleSection { unchecked_range, .. } => Some(unchecked_range),
            _ => None,
        })
        .collect()
}

type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// What one core module says of its source.
struct Core<'a> {
    /// Where the code section's content begins, and each function that it defines.
    code: usize,
    bodies: Vec<usize>,
    imported: usize,
    debug: BTreeMap<&'a str, &'a [u8]>,
}

impl<'a> Core<'a> {
    /// None: it has no debug information.
    fn read(module: &'a [u8]) -> Option<Self> {
        let mut core = Self { code: 0, bodies: Vec::new(), imported: 0, debug: BTreeMap::new() };
        for payload in Parser::new(0).parse_all(module) {
            match payload.ok()? {
                Payload::Version { encoding: Encoding::Component, .. } => return None,
                Payload::ImportSection(imports) => {
                    let functions = imports.into_imports().filter(|import| {
                        import.as_ref().is_ok_and(|import| matches!(import.ty, wasmparser::TypeRef::Func(_)))
                    });
                    core.imported = functions.count();
                }
                Payload::CodeSectionStart { range, .. } => core.code = range.start,
                Payload::CodeSectionEntry(body) => core.bodies.push(body.range().start),
                Payload::CustomSection(section) if section.name().starts_with(".debug_") => {
                    core.debug.insert(section.name(), section.data());
                }
                _ => {}
            }
        }
        (!core.debug.is_empty()).then_some(core)
    }

    fn lines<'f>(&self, frames: impl Iterator<Item = &'f mut Frame>) -> Result<(), String> {
        let failed = |error| format!("its debug information makes no sense: {error}");
        let section = |id: SectionId| -> Result<Bytes<'a>, addr2line::gimli::Error> {
            Ok(EndianSlice::new(self.debug.get(id.name()).copied().unwrap_or_default(), LittleEndian))
        };
        let context = Dwarf::load(section).and_then(Context::from_dwarf).map_err(failed)?;
        for frame in frames {
            let defined = (frame.index as usize).checked_sub(self.imported);
            let body = defined.and_then(|defined| self.bodies.get(defined));
            let (Some(body), Some(offset)) = (body, frame.offset) else { continue };
            let place = (body + offset as usize).saturating_sub(self.code) as u64;
            let mut found = context.find_frames(place).skip_all_loads().map_err(failed)?;
            while let Some(inlined) = found.next().map_err(failed)? {
                let Some((file, location)) = inlined.location.and_then(|at| Some((at.file?, at))) else { continue };
                let function = inlined.function.and_then(|name| Some(name.demangle().ok()?.into_owned()));
                frame.lines.push(Line {
                    function,
                    file: file.to_owned(),
                    line: location.line,
                    column: location.column,
                });
            }
        }
        Ok(())
    }
}
