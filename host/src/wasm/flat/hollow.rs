//! A component without its code: all of its types, which the contract is held against, and nothing that takes time to
//! compile. Used by `load` for components that are run flat, whose own code is compiled once, as a core module.

use std::convert::Infallible;

use wasm_encoder::reencode::{self, Reencode, ReencodeComponent};
use wasm_encoder::{CodeSection, Component, Function};
use wasmparser::{CustomSectionReader, FunctionBody, Parser};

struct Hollow;

/// The component with traps in the place of its functions' bodies.
pub(in crate::wasm) fn hollow(component: &[u8]) -> Result<Vec<u8>, String> {
    let mut copy = Component::new();
    Hollow
        .parse_component(&mut copy, Parser::new(0), component)
        .map_err(|error| format!("its types cannot be read: {error}"))?;
    Ok(copy.finish())
}

impl Reencode for Hollow {
    type Error = Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        _body: FunctionBody<'_>,
    ) -> Result<(), reencode::Error<Infallible>> {
        let mut body = Function::new([]);
        body.instructions().unreachable().end();
        code.function(&body);
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        _module: &mut wasm_encoder::Module,
        _section: CustomSectionReader<'_>,
    ) -> Result<(), reencode::Error<Infallible>> {
        Ok(())
    }
}

impl ReencodeComponent for Hollow {
    fn parse_component_custom_section(
        &mut self,
        _component: &mut Component,
        _section: CustomSectionReader<'_>,
    ) -> Result<(), reencode::Error<Infallible>> {
        Ok(())
    }
}
