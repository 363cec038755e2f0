//! Builds the guests whose source is a crate's folder. Used by `app`.
//!
//! Crates of one workspace are built by one cargo, which knows best what is stale; its words go to stderr as they come.
//! Must hold: afterwards each module of the manifest has a file that is there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Message, MetadataCommand, TargetKind};

use crate::boot::Builder;
use crate::cli::toolchain::{self, TARGET, Toolchain};
use crate::manifest::{Manifest, Source};

/// A module's crate, as cargo sees it.
#[derive(Debug)]
struct Guest {
    module: String,
    folder: PathBuf,
    package: String,
    /// Where cargo puts the result.
    file: PathBuf,
}

/// Gives each module its file; `build`: makes those that come from crates first.
pub(super) fn all(manifest: &mut Manifest, build: bool) -> Result<()> {
    let mut workspaces: BTreeMap<PathBuf, Vec<Guest>> = BTreeMap::new();
    for module in manifest.modules.values() {
        if let Source::Crate(folder) = &module.source {
            let (root, guest) = inspect(&module.name, folder)?;
            workspaces.entry(root).or_default().push(guest);
        }
    }
    for (root, guests) in &workspaces {
        let mut files = if build { workspace(root, guests)? } else { BTreeMap::new() };
        for guest in guests {
            let file = files.remove(&guest.package).unwrap_or_else(|| guest.file.clone());
            if !file.is_file() {
                bail!("module `{}` is not built: there is no {}; try without --no-build", guest.module, file.display());
            }
            if let Some(module) = manifest.modules.get_mut(&guest.module) {
                module.file = Some(file);
            }
        }
    }
    Ok(())
}

/// The crates of a manifest, for `run --watch`.
pub(super) struct Crates(pub(super) Manifest);

impl Builder for Crates {
    fn build(&self) -> Result<(), String> {
        all(&mut self.0.clone(), true).map_err(words)
    }

    fn folders(&self) -> Result<Vec<PathBuf>, String> {
        let mut folders = BTreeSet::new();
        for module in self.0.modules.values() {
            if let Source::Crate(folder) = &module.source {
                folders.extend(dependencies(folder).map_err(words)?);
            }
        }
        // Those that lie in others come behind them.
        Ok(folders.into_iter().collect())
    }
}

fn words(error: anyhow::Error) -> String {
    format!("{error:#}")
}

/// The folder of a crate, and of those on this machine on which it depends, directly or not.
fn dependencies(folder: &Path) -> Result<Vec<PathBuf>> {
    let folder = folder.canonicalize().with_context(|| folder.display().to_string())?;
    // It was built, so all that it needs is here.
    let described = MetadataCommand::new().current_dir(&folder).other_options(["--offline".to_owned()]).exec();
    let metadata = described.with_context(|| format!("cargo cannot tell on what {} depends", folder.display()))?;
    let mut folders = vec![folder.clone()];
    let own = metadata.packages.iter().find(|package| package.manifest_path == folder.join("Cargo.toml"));
    let (Some(own), Some(resolve)) = (own, &metadata.resolve) else { return Ok(folders) };
    let (mut seen, mut next) = (BTreeSet::from([&own.id]), vec![&own.id]);
    while let Some(id) = next.pop() {
        let Some(node) = resolve.nodes.iter().find(|node| node.id == *id) else { continue };
        for dependency in &node.dependencies {
            // What comes from a registry or by git does not change.
            let package = metadata.packages.iter().find(|package| package.id == *dependency);
            let Some(package) = package.filter(|package| package.source.is_none()) else { continue };
            if seen.insert(dependency) {
                folders.extend(package.manifest_path.parent().map(|folder| folder.as_std_path().to_owned()));
                next.push(dependency);
            }
        }
    }
    Ok(folders)
}

/// Asks cargo what the crate is called and where its workspace is.
fn inspect(module: &str, folder: &Path) -> Result<(PathBuf, Guest)> {
    let folder = folder.canonicalize().with_context(|| format!("module `{module}`: {}", folder.display()))?;
    let described = MetadataCommand::new().current_dir(&folder).no_deps().exec();
    let metadata = described.with_context(|| format!("module `{module}`: cargo cannot read {}", folder.display()))?;
    let own = folder.join("Cargo.toml");
    let Some(package) = metadata.packages.iter().find(|package| package.manifest_path == own) else {
        bail!("module `{module}`: {} is a workspace, not a crate; name the folder of one of its crates", own.display());
    };
    let library = package.targets.iter().find(|target| target.kind.contains(&TargetKind::CDyLib));
    let Some(library) = library else {
        bail!("module `{module}`: write\n    [lib]\n    crate-type = [\"cdylib\"]\ninto {}", own.display());
    };
    let file = format!("{}.wasm", library.name.replace('-', "_"));
    let file = metadata.target_directory.join(TARGET).join("release").join(file).into_std_path_buf();
    let guest = Guest { module: module.to_owned(), package: package.name.to_string(), folder, file };
    Ok((metadata.workspace_root.into_std_path_buf(), guest))
}

/// Builds some crates of one workspace. Gives the file of each package.
fn workspace(root: &Path, guests: &[Guest]) -> Result<BTreeMap<String, PathBuf>> {
    // In a crate's folder rather than the root, so that a rust-toolchain.toml there counts.
    let folder = guests.first().map_or(root, |guest| &guest.folder);
    let toolchain = toolchain::find(folder)?;
    for guest in guests {
        eprintln!("building {} (crate {}) with {}", guest.module, shown(&guest.folder), with(&toolchain));
    }
    let mut command = toolchain.cargo("build", folder);
    command.arg("--message-format=json-render-diagnostics");
    for guest in guests {
        command.args(["--package", &guest.package]);
    }
    let mut cargo = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cargo cannot be started")?;
    let mut files = BTreeMap::new();
    if let Some(output) = cargo.stdout.take() {
        for message in Message::parse_stream(BufReader::new(output)) {
            if let Message::CompilerArtifact(artifact) = message.context("cargo's messages are not understood")? {
                let guest = guests.iter().find(|guest| artifact.manifest_path == guest.folder.join("Cargo.toml"));
                let wasm = artifact.filenames.iter().find(|file| file.extension() == Some("wasm"));
                if let (Some(guest), Some(wasm)) = (guest, wasm) {
                    files.insert(guest.package.clone(), wasm.clone().into_std_path_buf());
                }
            }
        }
    }
    if !cargo.wait().context("cargo cannot be waited for")?.success() {
        let modules: Vec<&str> = guests.iter().map(|guest| guest.module.as_str()).collect();
        bail!("not built: {} (cargo's words are above)", modules.join(", "));
    }
    Ok(files)
}

/// What builds, in a few words.
fn with(toolchain: &Toolchain) -> &'static str {
    match toolchain {
        Toolchain::Target => "cargo",
        Toolchain::BuildStd { .. } => "the system's cargo, standard library included (the first time takes a minute)",
    }
}

/// A folder as seen from the current one, where it is below it.
fn shown(folder: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| folder.strip_prefix(here).ok().map(Path::to_owned));
    below.filter(|path| !path.as_os_str().is_empty()).unwrap_or_else(|| folder.to_owned()).display().to_string()
}
