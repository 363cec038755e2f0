//! Prepares a core module to be run flat. Used by [`super`], when a module is compiled.
//!
//! The canonical ABI has the host call the guest's `cabi_realloc` in the middle of everything: before an event is handed
//! over, and for each result that an import allocates. An entry from the host costs as much as all the rest of a message,
//! and a host function that may suspend cannot make one at all. So the module gets a few functions of its own, which do
//! those calls inside of it:
//!
//! - `deliver`, the one way in: allocates for the event's bytes, calls `init` or `handle`, and the post-return; where the
//!   host said that there is more, it asks for the `next` event, and so on.
//! - for each import a wrapper in its place. If the import can allocate, it now returns what it *wants* (`size` in the
//!   low, `align` in the high half; -1 for nothing), the wrapper allocates that and calls `filled` with the address until
//!   nothing more is wanted.
//! - a global that is not 0 while the guest's allocator or a post-return runs: the wrappers then trap, by `sealed`.
//!
//! Must hold: the guest's own code is not changed but for the numbers of functions, cannot reach what is added (it was
//! validated without it), and sees the calls of the canonical ABI in its order.

mod bodies;

use std::borrow::Cow;
use std::convert::Infallible;

use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, FunctionSection, GlobalSection, GlobalType,
    ImportSection, NameMap, NameSection, SectionId, TypeSection, ValType,
};
use wasmparser::{CustomSectionReader, ExportSectionReader, ImportSectionReader, KnownCustom, Name};

use crate::wasm::contract::STATE;
use crate::wasm::flat::main::{INITIALIZE, MEMORY, Main, REALLOC};

/// Where the added imports come from; no guest can name it, since the contract does not offer it.
pub(in crate::wasm) const ADDED: &str = "wasmactor:flat";
/// The export that is the one way in; its parameters are those of [`super::lower::Entry`].
pub(in crate::wasm) const DELIVER: &str = "wasmactor:flat/deliver";
/// What the names of added functions begin with.
pub(in crate::wasm) const NAMES: &str = "wasmactor:flat/";

/// The global that seals the guest, of a module that keeps its state.
pub(in crate::wasm) const SEAL: &str = "wasmactor:flat/seal";
/// What the names of the guest's own globals begin with, of such a module.
pub(in crate::wasm) const GLOBALS: &str = "wasmactor:flat/global/";

/// `filled`, `sealed` and `next`.
pub(super) const IMPORTS: u32 = 3;

/// What `deliver` is to do: the values of its first parameter.
pub(in crate::wasm) mod mode {
    /// An event without bytes.
    pub(in crate::wasm) const BARE: i32 = 0;
    /// An event whose bytes are its third and fourth value.
    pub(in crate::wasm) const EARLY: i32 = 1;
    /// An event whose bytes are its fourth and fifth value.
    pub(in crate::wasm) const LATE: i32 = 2;
    /// `init`.
    pub(in crate::wasm) const INIT: i32 = 3;
    /// The post-return of `init`, or of `handle`, for a result with an error; its address is the second parameter.
    pub(in crate::wasm) const INIT_FAILED: i32 = 4;
    pub(in crate::wasm) const HANDLE_FAILED: i32 = 5;
    /// Added to the three of events: ask for the next event if this one ends without an error.
    pub(in crate::wasm) const MORE: i32 = 8;
    /// Of `next`: leave.
    pub(in crate::wasm) const LEAVE: i32 = 6;
}

/// The types that are added, behind the module's own.
#[derive(Clone, Copy)]
enum Added {
    /// `filled`: address → what is wanted next.
    Filled,
    /// `sealed`.
    Nothing,
    /// `finish`: what is wanted → the last address.
    Finish,
    Deliver,
    /// `next`: the parameters of `deliver`.
    Next,
    /// The first of the imports that can allocate.
    Wrapped,
}

struct Rewriter<'a> {
    main: &'a Main<'a>,
    /// Whether the imports, the globals and the names have been written.
    imported: bool,
    sealing: bool,
    named: bool,
}

/// The module with its additions.
pub(in crate::wasm) fn rewrite(main: &Main<'_>) -> Result<Vec<u8>, String> {
    let mut module = wasm_encoder::Module::new();
    let mut rewriter = Rewriter { main, imported: false, sealing: false, named: false };
    rewriter
        .parse_core_module(&mut module, wasmparser::Parser::new(0), main.bytes)
        .map_err(|error| format!("it cannot be prepared to run: {error}"))?;
    if !rewriter.named {
        let mut names = NameMap::new();
        rewriter.name_added(&mut names);
        let mut section = NameSection::new();
        section.functions(&names);
        module.section(&section);
    }
    Ok(module.finish())
}

impl Rewriter<'_> {
    fn ty(&self, added: Added) -> u32 {
        self.main.types + added as u32
    }

    fn filled(&self) -> u32 {
        count(self.main.imports.len())
    }

    fn sealed(&self) -> u32 {
        self.filled() + 1
    }

    fn next(&self) -> u32 {
        self.filled() + 2
    }

    fn finish(&self) -> u32 {
        self.filled() + IMPORTS + self.main.functions
    }

    fn deliver(&self) -> u32 {
        self.finish() + 1
    }

    /// The function that stands in for an import.
    fn wrapper(&self, import: u32) -> u32 {
        self.deliver() + 1 + import
    }

    /// The new number of a function of the module.
    fn moved(&self, function: u32) -> u32 {
        if function < self.filled() { self.wrapper(function) } else { function + IMPORTS }
    }

    /// The global.
    fn seal(&self) -> u32 {
        self.main.globals
    }

    fn add_imports(&mut self, imports: &mut ImportSection) {
        self.imported = true;
        for import in &self.main.imports {
            let ty = import.wrapped.map_or(import.ty, |number| self.ty(Added::Wrapped) + number);
            imports.import(&import.interface, import.item, EntityType::Function(ty));
        }
        imports.import(ADDED, "filled", EntityType::Function(self.ty(Added::Filled)));
        imports.import(ADDED, "sealed", EntityType::Function(self.ty(Added::Nothing)));
        imports.import(ADDED, "next", EntityType::Function(self.ty(Added::Next)));
    }

    fn name_added(&self, names: &mut NameMap) {
        names.append(self.finish(), &format!("{NAMES}finish"));
        names.append(self.deliver(), DELIVER);
        for (index, import) in (0..).zip(&self.main.imports) {
            names.append(self.wrapper(index), &format!("{NAMES}{}", import.item));
        }
    }

    /// Whether the host calls it for a reload.
    fn is_for_state(&self, export: &wasmparser::Export<'_>) -> bool {
        let name = export.name.strip_prefix("cabi_post_").unwrap_or(export.name);
        let own = [REALLOC, INITIALIZE].contains(&name) || name.starts_with(STATE);
        own && export.kind == wasmparser::ExternalKind::Func
    }

    fn add_global(&mut self, globals: &mut GlobalSection) {
        self.sealing = true;
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(0));
    }
}

/// Numbers of a module fit 32 bits: its format has no larger ones.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

type Done = Result<(), reencode::Error<Infallible>>;

impl Reencode for Rewriter<'_> {
    type Error = Infallible;

    fn function_index(&mut self, func: u32) -> Result<u32, reencode::Error<Infallible>> {
        Ok(self.moved(func))
    }

    fn parse_type_section(&mut self, types: &mut TypeSection, section: wasmparser::TypeSectionReader<'_>) -> Done {
        utils::parse_type_section(self, types, section)?;
        use ValType::{I32, I64};
        // In the order of `Added`.
        types.ty().function([I32], [I64]);
        types.ty().function([], []);
        types.ty().function([I64], [I32]);
        let parameters = [I32, I32, I64, I64, I64, I32];
        types.ty().function(parameters, [I64]);
        types.ty().function([], parameters);
        for import in self.main.wrapped() {
            types.ty().function(import.params.iter().map(|wide| if *wide { I64 } else { I32 }), [I64]);
        }
        Ok(())
    }

    fn parse_import_section(&mut self, imports: &mut ImportSection, _section: ImportSectionReader<'_>) -> Done {
        self.add_imports(imports);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Done {
        utils::parse_function_section(self, functions, section)?;
        functions.function(self.ty(Added::Finish)).function(self.ty(Added::Deliver));
        for import in &self.main.imports {
            functions.function(import.ty);
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Done {
        utils::parse_global_section(self, globals, section)?;
        self.add_global(globals);
        Ok(())
    }

    fn parse_export_section(&mut self, exports: &mut ExportSection, section: ExportSectionReader<'_>) -> Done {
        // What the host calls is inside of `deliver`; it needs the memory and the one way in, and for the state, which it seldom
        // calls, what there is.
        for export in section {
            let export = export?;
            if export.name == MEMORY || self.main.keeps && self.is_for_state(&export) {
                self.parse_export(exports, export)?;
            }
        }
        if self.main.keeps {
            exports.export(SEAL, ExportKind::Global, self.seal());
            for global in &self.main.mutable {
                exports.export(&format!("{GLOBALS}{global}"), ExportKind::Global, *global);
            }
        }
        exports.export(DELIVER, ExportKind::Func, self.deliver());
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: wasmparser::CodeSectionReader<'_>) -> Done {
        utils::parse_code_section(self, code, section)?;
        code.function(&self.finish_body());
        code.function(&self.deliver_body());
        for (index, import) in (0..).zip(&self.main.imports) {
            code.function(&self.wrapper_body(index, import));
        }
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut wasm_encoder::Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Done {
        // A module without imports has no section to add to. The types are always first.
        if !self.imported && !matches!(before, Some(SectionId::Type | SectionId::Import)) {
            let mut imports = ImportSection::new();
            self.add_imports(&mut imports);
            module.section(&imports);
        }
        // Nor one without globals. Every one has exports.
        if !self.sealing && before == Some(SectionId::Export) {
            let mut globals = GlobalSection::new();
            self.add_global(&mut globals);
            module.section(&globals);
        }
        Ok(())
    }

    fn parse_custom_section(&mut self, module: &mut wasm_encoder::Module, section: CustomSectionReader<'_>) -> Done {
        // Debug information speaks of places in the code, which have moved; the rest is for other tools.
        if let KnownCustom::Name(names) = section.as_known() {
            self.named = true;
            module.section(&self.custom_name_section(names)?);
        }
        Ok(())
    }

    fn parse_custom_name_subsection(&mut self, names: &mut NameSection, section: Name<'_>) -> Done {
        if let Name::Function(map) = &section {
            // An import keeps its own number; what is wrapped around it takes over the rest.
            let mut functions: Vec<(u32, Cow<'_, str>)> = Vec::new();
            for naming in map.clone() {
                let naming = naming?;
                functions.push((self.moved(naming.index), naming.name.into()));
            }
            functions.retain(|(index, _)| *index < self.finish());
            functions.sort_by_key(|(index, _)| *index);
            let mut map = NameMap::new();
            for (index, name) in functions {
                map.append(index, &name);
            }
            self.name_added(&mut map);
            names.functions(&map);
            return Ok(());
        }
        utils::parse_custom_name_subsection(self, names, section)
    }
}
