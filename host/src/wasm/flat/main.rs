//! Finds the one core module that a component is made of, if it is made of one. Used by [`super`].
//!
//! What wit-component makes of a core module is that module, two small ones that tie it to its imports, and the canonical
//! ABI's options. Such a component does just what its module would do with the host in the place of what surrounds it. A
//! component of any other make (several modules, an interpreter with adapters, WASI, strings that are not UTF-8) is run
//! as wasmtime runs components.
//!
//! Must hold: what is found here has the functions and types that the host is going to use, so that nothing can fail
//! later but instantiation.

use std::collections::BTreeMap;
use std::ops::Range;

use wasmparser::{
    CanonicalFunction, CanonicalOption, CompositeInnerType, Encoding, ExternalKind, Parser, Payload, TypeRef, ValType,
};

use crate::wasm::contract::{Contract, HANDLER, PREFIX, STATE};

/// The memory that all pointers are into.
pub(in crate::wasm) const MEMORY: &str = "memory";
/// The guest's allocator.
pub(in crate::wasm) const REALLOC: &str = "cabi_realloc";
/// What runs before everything else.
pub(in crate::wasm) const INITIALIZE: &str = "_initialize";

/// The module, and what the rewriting needs to know of it.
#[derive(Debug)]
pub(in crate::wasm) struct Main<'a> {
    pub(in crate::wasm) bytes: &'a [u8],
    /// How many types it has.
    pub(in crate::wasm) types: u32,
    /// How many globals.
    pub(in crate::wasm) globals: u32,
    /// How many functions of its own.
    pub(in crate::wasm) functions: u32,
    pub(in crate::wasm) imports: Vec<Import<'a>>,
    // Numbers of functions.
    pub(in crate::wasm) realloc: u32,
    pub(in crate::wasm) init: u32,
    pub(in crate::wasm) handle: u32,
    /// The post-returns of `init` and `handle`.
    pub(in crate::wasm) post_init: Option<u32>,
    pub(in crate::wasm) post_handle: Option<u32>,
    pub(in crate::wasm) initialize: Option<u32>,
    /// The numbers of its globals that change.
    pub(in crate::wasm) mutable: Vec<u32>,
    /// It exports `state`.
    pub(in crate::wasm) keeps: bool,
}

/// One imported function.
#[derive(Debug)]
pub(in crate::wasm) struct Import<'a> {
    /// In the contract's own version, whichever compatible one the guest names.
    pub(in crate::wasm) interface: String,
    pub(in crate::wasm) item: &'a str,
    /// The number of its type.
    pub(in crate::wasm) ty: u32,
    /// True: i64, false: i32.
    pub(in crate::wasm) params: Vec<bool>,
    /// Its number among those that can allocate.
    pub(in crate::wasm) wrapped: Option<u32>,
}

impl Main<'_> {
    /// Imports that can allocate.
    pub(in crate::wasm) fn wrapped(&self) -> impl Iterator<Item = &Import<'_>> {
        self.imports.iter().filter(|import| import.wrapped.is_some())
    }
}

/// A function's type, if it has only numbers in it.
type Signature = Option<(Vec<bool>, Vec<bool>)>;

/// The main module of a valid component, or None: it has to run as it is.
pub(in crate::wasm) fn find(component: &[u8]) -> Option<Main<'_>> {
    let mut main = None;
    for range in modules(component)? {
        let bytes = component.get(range)?;
        match read(bytes) {
            Some(found) if main.is_none() => main = Some(found),
            None if is_tie(bytes) => {}
            _ => return None,
        }
    }
    main
}

/// The core modules of a component that has nothing else in it which could matter.
fn modules(component: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut modules = Vec::new();
    // What surrounds the place that is being read, the outermost first; true: a component.
    let mut around: Vec<bool> = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.ok()?;
        match payload {
            Payload::Version { encoding, .. } => around.push(encoding == Encoding::Component),
            Payload::End(_) => {
                around.pop();
            }
            // The core modules are read later.
            _ if around.last() == Some(&false) => {}
            // A component inside only gives names to what it gets.
            Payload::ModuleSection { .. }
            | Payload::InstanceSection(_)
            | Payload::ComponentCanonicalSection(_)
            | Payload::ComponentStartSection { .. }
                if around.len() > 1 =>
            {
                return None;
            }
            Payload::ModuleSection { unchecked_range, .. } => modules.push(unchecked_range),
            Payload::ComponentStartSection { .. } => return None,
            Payload::ComponentImportSection(imports) if around.len() == 1 => {
                for import in imports {
                    if !import.ok()?.name.name.starts_with(PREFIX) {
                        return None;
                    }
                }
            }
            Payload::ComponentCanonicalSection(functions) => {
                for function in functions {
                    if !is_usual(&function.ok()?) {
                        return None;
                    }
                }
            }
            Payload::ComponentExportSection(exports) if around.len() == 1 => {
                for export in exports {
                    if ![HANDLER, STATE].contains(&export.ok()?.name.name) {
                        return None;
                    }
                }
            }
            _ => {}
        }
    }
    Some(modules)
}

/// Whether a function crosses the border in the way that `lower` and `imports` speak.
fn is_usual(function: &CanonicalFunction) -> bool {
    let (CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. }) = function else {
        return false;
    };
    let usual = |option: &CanonicalOption| {
        matches!(
            option,
            CanonicalOption::UTF8
                | CanonicalOption::Memory(_)
                | CanonicalOption::Realloc(_)
                | CanonicalOption::PostReturn(_)
        )
    };
    options.iter().all(usual)
}

/// Whether this is one of the modules that wit-component puts around the main one, which have no state: its *shim* has
/// functions that are numbered and jump through a table, its *fixup* fills that table from what it imports.
fn is_tie(bytes: &[u8]) -> bool {
    let tie = |payload: Payload<'_>| match payload {
        Payload::ImportSection(imports) => {
            imports.into_imports().all(|import| import.is_ok_and(|one| one.module.is_empty()))
        }
        Payload::ExportSection(exports) => {
            exports.into_iter().all(|export| export.is_ok_and(|one| is_ties_name(one.name)))
        }
        Payload::MemorySection(_) | Payload::DataSection(_) | Payload::GlobalSection(_) => false,
        _ => true,
    };
    Parser::new(0).parse_all(bytes).all(|payload| payload.is_ok_and(tie))
}

/// `0`, `1` and so on, and the table.
fn is_ties_name(name: &str) -> bool {
    name == "$imports" || !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads a module; None: it is not one that can run flat.
fn read(bytes: &[u8]) -> Option<Main<'_>> {
    let mut types: Vec<Signature> = Vec::new();
    let mut functions: Vec<u32> = Vec::new();
    let mut imports = Vec::new();
    let mut exports = BTreeMap::new();
    let mut memory32 = false;
    let (mut globals, mut mutable) = (0, Vec::new());
    let mut wrapped = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::TypeSection(section) => {
                for group in section {
                    types.extend(group.ok()?.into_types().map(|ty| signature(&ty.composite_type.inner)));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.ok()?;
                    let TypeRef::Func(ty) = import.ty else { return None };
                    let (params, _) = types.get(ty as usize)?.clone()?;
                    let interface = Contract::get().own_version(import.module)?;
                    let allocates = Contract::get().allocates(&interface, import.name)?;
                    let number = allocates.then_some(wrapped);
                    wrapped += u32::from(allocates);
                    imports.push(Import { interface, item: import.name, ty, params, wrapped: number });
                    functions.push(ty);
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    functions.push(ty.ok()?);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory.ok()?;
                    memory32 = !memory.memory64 && !memory.shared;
                }
            }
            Payload::GlobalSection(section) => {
                globals = section.count();
                for (number, global) in (0..).zip(section) {
                    let ty = global.ok()?.ty;
                    // References are left alone: a guest can do nothing with those of its own that a copy would undo.
                    if ty.mutable && !matches!(ty.content_type, ValType::Ref(_)) {
                        mutable.push(number);
                    }
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.ok()?;
                    exports.insert(export.name, (export.kind, export.index));
                }
            }
            _ => {}
        }
    }
    let typed = |name: &str, params: &[bool], results: &[bool]| -> Option<u32> {
        let (kind, index) = *exports.get(name)?;
        let ty = *functions.get(index as usize)?;
        let (found, given) = types.get(ty as usize)?.as_ref()?;
        (kind == ExternalKind::Func && found == params && given == results).then_some(index)
    };
    const I32: bool = false;
    const I64: bool = true;
    let memory = exports.get(MEMORY) == Some(&(ExternalKind::Memory, 0)) && memory32;
    if !memory {
        return None;
    }
    // With `state`, all of it.
    let keeps = exports.keys().any(|name| name.strip_prefix(STATE).is_some_and(|item| item.starts_with('#')));
    if keeps {
        typed(&format!("{STATE}#save"), &[I32], &[I32])?;
        typed(&format!("{STATE}#load"), &[I32; 4], &[I32])?;
        typed(&format!("{STATE}#self-test"), &[], &[I32])?;
    }
    Some(Main {
        bytes,
        types: u32::try_from(types.len()).ok()?,
        globals,
        functions: u32::try_from(functions.len() - imports.len()).ok()?,
        imports,
        realloc: typed(REALLOC, &[I32; 4], &[I32])?,
        init: typed(&format!("{HANDLER}#init"), &[], &[I32])?,
        handle: typed(&format!("{HANDLER}#handle"), &[I32, I64, I64, I64, I32, I32], &[I32])?,
        post_init: typed(&format!("cabi_post_{HANDLER}#init"), &[I32], &[]),
        post_handle: typed(&format!("cabi_post_{HANDLER}#handle"), &[I32], &[]),
        initialize: typed(INITIALIZE, &[], &[]),
        mutable,
        keeps,
    })
}

fn signature(ty: &CompositeInnerType) -> Signature {
    let CompositeInnerType::Func(function) = ty else { return None };
    let wide = |ty: &ValType| match ty {
        ValType::I32 => Some(false),
        ValType::I64 => Some(true),
        _ => None,
    };
    let all = |types: &[ValType]| types.iter().map(wide).collect::<Option<Vec<bool>>>();
    Some((all(function.params())?, all(function.results())?))
}
