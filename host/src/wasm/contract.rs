//! Holds a component against the contract, `wit/`, before anything is linked. Used by [`super::load`] and
//! [`super::encode`].
//!
//! Must hold: a mismatch is told in one line that names both sides; exports that nobody asks for are nobody's business.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use wasmtime::Engine;
use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem, Type};
use wasmtime::component::{Component, ComponentExportIndex, ComponentNamedList, Lift, Lower};
use wit_parser::{PackageId, Resolve, SourceMap, Type as WitType, TypeDefKind, WorldId};

use crate::wasm::bindings::exports::wasmactor::actor::handler::Event;
use crate::wasm::entry::{Outcome, Saved};
use crate::wasm::error::LoadProblem;
use crate::wasm::uses::Uses;
use crate::wasm::wasi;

/// The package of the contract, with its version.
pub(super) const PACKAGE: &str = "wasmactor:actor@0.1.0";
/// The version alone.
const VERSION: &str = "0.1.0";
/// What the names of its interfaces begin with.
pub(super) const PREFIX: &str = "wasmactor:actor/";
/// What an actor exports.
pub(super) const HANDLER: &str = "wasmactor:actor/handler@0.1.0";
/// What an actor may export beside that.
pub(super) const STATE: &str = "wasmactor:actor/state@0.1.0";
/// What only parkable actors import.
pub(super) const BLOCKING: &str = "wasmactor:actor/blocking@";

/// The text of the contract, also part of the key of cached code.
pub(super) const FILES: [(&str, &str); 14] = [
    ("blocking.wit", include_str!("../../../wit/blocking.wit")),
    ("config.wit", include_str!("../../../wit/config.wit")),
    ("control.wit", include_str!("../../../wit/control.wit")),
    ("handler.wit", include_str!("../../../wit/handler.wit")),
    ("lifecycle.wit", include_str!("../../../wit/lifecycle.wit")),
    ("log.wit", include_str!("../../../wit/log.wit")),
    ("messaging.wit", include_str!("../../../wit/messaging.wit")),
    ("random.wit", include_str!("../../../wit/random.wit")),
    ("registry.wit", include_str!("../../../wit/registry.wit")),
    ("socket.wit", include_str!("../../../wit/socket.wit")),
    ("state.wit", include_str!("../../../wit/state.wit")),
    ("timer.wit", include_str!("../../../wit/timer.wit")),
    ("types.wit", include_str!("../../../wit/types.wit")),
    ("world.wit", include_str!("../../../wit/world.wit")),
];

/// The parsed contract.
pub(super) struct Contract {
    pub(super) resolve: Resolve,
    pub(super) world: WorldId,
    /// The same, with `state` exported.
    pub(super) stateful: WorldId,
    /// Interface names with their functions.
    offered: BTreeMap<String, BTreeSet<String>>,
}

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::parse().expect("wit/ is valid: a test parses it"));

/// What a component needs of the host.
#[derive(Debug)]
pub(super) struct Needs {
    pub(super) imports: Uses,
    pub(super) blocking: bool,
    pub(super) wasi: bool,
    /// It exports `state`.
    pub(super) keeps: bool,
}

impl Contract {
    /// The one contract of this host.
    pub(super) fn get() -> &'static Self {
        &CONTRACT
    }

    fn parse() -> Result<Self, String> {
        let mut resolve = Resolve::default();
        let mut sources = SourceMap::default();
        for (path, text) in FILES {
            sources.push_str(path, text);
        }
        let group = sources.parse().map_err(|error| format!("{error:?}"))?;
        let package: PackageId = resolve.push_group(group).map_err(|error| format!("{error:?}"))?;
        let named = |name| resolve.select_world(&[package], Some(name)).map_err(|error| error.to_string());
        let (world, stateful) = (named("actor")?, named("stateful")?);
        let offered = resolve.packages[package]
            .interfaces
            .values()
            .filter_map(|id| Some((resolve.id_of(*id)?, resolve.interfaces[*id].functions.keys().cloned().collect())))
            .collect();
        Ok(Self { resolve, world, stateful, offered })
    }

    /// Whether one function of an interface is there for a guest to import.
    pub(super) fn offers(&self, interface: &str, item: &str) -> Result<(), LoadProblem> {
        match self.functions(interface) {
            Some(functions) if functions.contains(item) => Ok(()),
            _ => Err(refuse(interface, item)),
        }
    }

    /// Every interface with its functions.
    #[cfg(test)]
    pub(super) fn all_functions(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.offered
    }

    /// The functions of an interface of ours, in any version that is compatible.
    fn functions(&self, interface: &str) -> Option<&BTreeSet<String>> {
        let (name, version) = interface.split_once('@')?;
        // Semantic versions: below 1.0 the second number is the breaking one.
        self.offered.get(&format!("{name}@{VERSION}")).filter(|_| version.starts_with("0.1."))
    }

    /// An interface of ours in the contract's own version, if the one asked for is compatible.
    pub(super) fn own_version(&self, interface: &str) -> Option<String> {
        self.functions(interface)?;
        interface.split_once('@').map(|(name, _)| format!("{name}@{VERSION}"))
    }

    /// Whether a function's result can make the guest allocate. None: no such function.
    pub(super) fn allocates(&self, interface: &str, item: &str) -> Option<bool> {
        let found =
            self.resolve.interfaces.iter().find(|(id, _)| self.resolve.id_of(*id).as_deref() == Some(interface));
        let (_, interface) = found?;
        Some(interface.functions.get(item)?.result.as_ref().is_some_and(|ty| self.has_list(ty)))
    }

    fn has_list(&self, ty: &WitType) -> bool {
        let WitType::Id(id) = ty else { return *ty == WitType::String };
        let some = |ty: &Option<WitType>| ty.as_ref().is_some_and(|ty| self.has_list(ty));
        match &self.resolve.types[*id].kind {
            TypeDefKind::Record(record) => record.fields.iter().any(|field| self.has_list(&field.ty)),
            TypeDefKind::Tuple(tuple) => tuple.types.iter().any(|ty| self.has_list(ty)),
            TypeDefKind::Variant(variant) => variant.cases.iter().any(|case| some(&case.ty)),
            TypeDefKind::Option(ty) | TypeDefKind::Type(ty) => self.has_list(ty),
            TypeDefKind::Result(result) => some(&result.ok) || some(&result.err),
            TypeDefKind::Enum(_) | TypeDefKind::Flags(_) => false,
            // Lists, and whatever the contract does not have yet.
            _ => true,
        }
    }

    /// What a component imports, if all of it can be had, and whether it keeps its state.
    pub(super) fn needs(&self, engine: &Engine, component: &Component) -> Result<Needs, LoadProblem> {
        let keeps = keeps(engine, component)?;
        let mut needs = Needs { imports: Uses::default(), blocking: false, wasi: false, keeps };
        for (name, import) in component.component_type().imports(engine) {
            let instance = match &import.ty {
                ComponentItem::ComponentInstance(instance) => instance,
                ComponentItem::Type(_) => continue,
                _ => return Err(refuse("the world itself", name)),
            };
            let functions = functions(engine, instance);
            let first = functions.first().map_or("*", String::as_str);
            if offered_wasi(name) {
                needs.wasi = true;
            } else if self.functions(name).is_none() {
                return Err(refuse(name, first));
            } else {
                functions.iter().try_for_each(|function| self.offers(name, function))?;
                needs.blocking |= name.starts_with(BLOCKING) && !functions.is_empty();
            }
            // Interfaces that are there for their types only are no rights to speak of.
            functions.iter().for_each(|function| needs.imports.add(name, function));
        }
        Ok(needs)
    }

    /// The functions that the host calls, `init` and `handle`, if they are there and of the right type.
    pub(super) fn exports(
        &self,
        engine: &Engine,
        component: &Component,
    ) -> Result<[ComponentExportIndex; 2], LoadProblem> {
        let exported = Exported::of(engine, component, HANDLER)?;
        let exported = exported.ok_or(LoadProblem::NoExport { interface: HANDLER, item: "handle" })?;
        Ok([
            exported.function::<(), (Outcome,)>("init", "func() -> result<_, string>")?,
            exported.function::<(Event,), (Outcome,)>("handle", "func(event: event) -> result<_, string>")?,
        ])
    }
}

/// Whether a component exports `state`, with the right types.
fn keeps(engine: &Engine, component: &Component) -> Result<bool, LoadProblem> {
    let Some(exported) = Exported::of(engine, component, STATE)? else { return Ok(false) };
    let save = "func(in-flight: u32) -> result<option<list<u8>>, string>";
    exported.function::<(u32,), (Saved,)>("save", save)?;
    let load = "func(state: list<u8>, version: string) -> result<_, string>";
    exported.function::<(&[u8], &str), (Outcome,)>("load", load)?;
    exported.function::<(), (Outcome,)>("self-test", "func() -> result<_, string>")?;
    Ok(true)
}

/// An interface that a component exports.
struct Exported<'a> {
    engine: &'a Engine,
    component: &'a Component,
    interface: &'static str,
    found: ComponentInstance,
}

impl<'a> Exported<'a> {
    /// None: it does not export it, in any version.
    fn of(engine: &'a Engine, component: &'a Component, interface: &'static str) -> Result<Option<Self>, LoadProblem> {
        let types = component.component_type();
        if let Some(ComponentItem::ComponentInstance(found)) =
            types.get_export(engine, interface).map(|export| export.ty)
        {
            return Ok(Some(Self { engine, component, interface, found }));
        }
        let name = interface.split('@').next().unwrap_or(interface);
        let other = |found: &&str| found.strip_prefix(name).is_some_and(|rest| rest.starts_with('@'));
        match types.exports(engine).map(|(name, _)| name).find(other) {
            Some(found) => Err(LoadProblem::ExportVersion { found: found.to_owned(), expected: interface }),
            None => Ok(None),
        }
    }

    /// One of its functions, if it is of this type.
    fn function<Params: ComponentNamedList + Lower, Return: ComponentNamedList + Lift>(
        &self,
        item: &'static str,
        expected: &'static str,
    ) -> Result<ComponentExportIndex, LoadProblem> {
        let interface = self.interface;
        let missing = || LoadProblem::NoExport { interface, item };
        let found = self.found.get_export(self.engine, item).map(|export| export.ty);
        let Some(ComponentItem::ComponentFunc(function)) = found else { return Err(missing()) };
        let types = self.component.component_type();
        function.typecheck::<Params, Return>(&types.instance_type()).map_err(|reason| LoadProblem::ExportType {
            interface,
            item,
            found: describe(&function),
            expected,
            reason: format!("{reason:#}"),
        })?;
        let instance = self.component.get_export_index(None, interface).ok_or_else(missing)?;
        self.component.get_export_index(Some(&instance), item).ok_or_else(missing)
    }
}

fn functions(engine: &Engine, instance: &ComponentInstance) -> Vec<String> {
    let exports = instance.exports(engine);
    exports
        .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Whether `wasi:…` is among what the host links.
fn offered_wasi(interface: &str) -> bool {
    let Some((package, rest)) = interface.strip_prefix("wasi:").and_then(|name| name.split_once('/')) else {
        return false;
    };
    wasi::PACKAGES.contains(&package) && rest.split_once('@').is_some_and(|(_, version)| version.starts_with("0.2."))
}

/// The words for an import that the host does not have.
fn refuse(interface: &str, item: &str) -> LoadProblem {
    let (interface, item) = (interface.to_owned(), item.to_owned());
    if interface.starts_with(PREFIX) {
        return LoadProblem::Version { interface, item };
    }
    let hint = match interface.as_str() {
        name if name.starts_with("wasi:http/") => "it is not offered; an actor's sockets are wasmactor:actor/socket",
        name if name.starts_with("wasi:") && name.contains("@0.3") => "build it for wasm32-wasip2",
        "wasi_snapshot_preview1" | "wasi_unstable" => {
            "it was built for WASI preview 1; build it for wasm32-wasip2, or for wasm32-unknown-unknown"
        }
        "env" => "a symbol was left open when it was linked",
        _ => "it is not offered",
    };
    LoadProblem::Unknown { interface, item, hint }
}

/// A function's type in WIT's words, one level deep.
fn describe(function: &ComponentFunc) -> String {
    let params: Vec<String> = function.params().map(|(name, ty)| format!("{name}: {}", word(&ty))).collect();
    let results: Vec<String> = function.results().map(|ty| word(&ty)).collect();
    let arrow = if results.is_empty() { "" } else { " -> " };
    format!("func({}){arrow}{}", params.join(", "), results.join(", "))
}

fn word(ty: &Type) -> String {
    let or_none = |ty: Option<Type>| ty.map_or_else(|| "_".to_owned(), |ty| word(&ty));
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::S8 => "s8".to_owned(),
        Type::U8 => "u8".to_owned(),
        Type::S16 => "s16".to_owned(),
        Type::U16 => "u16".to_owned(),
        Type::S32 => "s32".to_owned(),
        Type::U32 => "u32".to_owned(),
        Type::S64 => "s64".to_owned(),
        Type::U64 => "u64".to_owned(),
        Type::Float32 => "f32".to_owned(),
        Type::Float64 => "f64".to_owned(),
        Type::Char => "char".to_owned(),
        Type::String => "string".to_owned(),
        Type::List(list) => format!("list<{}>", word(&list.ty())),
        Type::Option(option) => format!("option<{}>", word(&option.ty())),
        Type::Result(result) => format!("result<{}, {}>", or_none(result.ok()), or_none(result.err())),
        Type::Record(_) => "record".to_owned(),
        Type::Variant(_) => "variant".to_owned(),
        Type::Enum(_) => "enum".to_owned(),
        Type::Tuple(_) => "tuple".to_owned(),
        Type::Flags(_) => "flags".to_owned(),
        _ => "another type".to_owned(),
    }
}
