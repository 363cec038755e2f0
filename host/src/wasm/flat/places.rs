//! From functions and places in a module that [`super::rewrite`] made to those in the guest's own. Used for what people
//! read of a trap.
//!
//! Must hold: the guest's instructions are the same ones, in the same order; only their lengths differ, since functions
//! have other numbers.

use wasmparser::{FunctionBody, Parser, Payload, Result};

use crate::wasm::flat::main::Main;
use crate::wasm::flat::rewrite::{IMPORTS, NAMES, rewrite};

/// The number of a function in the guest's module. None: it was added.
pub(in crate::wasm) fn original(name: Option<&str>, index: u32) -> Option<u32> {
    if name.is_some_and(|name| name.starts_with(NAMES)) { None } else { index.checked_sub(IMPORTS) }
}

/// Where in the bodies of the guest's own functions the places are that stand in the rewritten ones: pairs of a function's
/// number in the guest's module and an offset.
pub(in crate::wasm) fn unmoved(
    main: &Main<'_>,
    places: &[(u32, u32)],
) -> std::result::Result<Vec<Option<u32>>, String> {
    let rewritten = rewrite(main)?;
    let failed = |error: wasmparser::BinaryReaderError| error.to_string();
    let (new, old) = (bodies(&rewritten).map_err(failed)?, bodies(main.bytes).map_err(failed)?);
    let one = |(index, offset): &(u32, u32)| {
        let defined = (*index as usize).checked_sub(main.imports.len())?;
        let (new, old) = (offsets(new.get(defined)?).ok()?, offsets(old.get(defined)?).ok()?);
        // A trap in the first instruction is said to be where the function begins.
        let instruction = new.iter().rposition(|at| at <= offset).unwrap_or(0);
        old.get(instruction).copied()
    };
    Ok(places.iter().map(one).collect())
}

/// The functions of a module that it defines itself.
fn bodies(module: &[u8]) -> Result<Vec<FunctionBody<'_>>> {
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CodeSectionEntry(body) = payload? {
            bodies.push(body);
        }
    }
    Ok(bodies)
}

/// Where each instruction begins.
fn offsets(body: &FunctionBody<'_>) -> Result<Vec<u32>> {
    let start = body.range().start;
    let mut reader = body.get_operators_reader()?;
    let mut offsets = Vec::new();
    while !reader.eof() {
        offsets.push(u32::try_from(reader.original_position() - start).unwrap_or(u32::MAX));
        reader.read()?;
    }
    Ok(offsets)
}
