//! The `[control]` table: from where a running host can be controlled. Used by `check`.
//!
//! Must hold: over the network it cannot be controlled at all; on this machine only by who owns the socket or knows the
//! token.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use crate::control::Endpoints;
use crate::manifest::diagnostic::Findings;
use crate::manifest::raw::{self, Section};
use crate::manifest::values;

/// A path of a Unix socket, in bytes: what the kernel takes.
const PATH_MAX: usize = 107;

pub(super) fn read(top: &mut Section<'_, '_>, manifest: &Path, findings: &mut Findings<'_>) -> Endpoints {
    let mut endpoints = Endpoints { found: true, ..Endpoints::default() };
    let Some(mut section) = top.get("control").and_then(|node| Section::of("[control]", node, findings)) else {
        return endpoints;
    };
    if let Some(node) = section.get("socket") {
        match node.get_ref() {
            DeValue::Boolean(on) => endpoints.found = *on,
            DeValue::String(text) => {
                let path = values::base(manifest).join(text.as_ref());
                if text.is_empty() || path.as_os_str().len() > PATH_MAX {
                    let hint = format!("a path of 1 to {PATH_MAX} bytes, with the manifest's folder");
                    findings.hint(node.span(), "`socket` cannot be the path of a socket", hint);
                }
                endpoints.socket = Some(path);
            }
            _ => raw::wrong("socket", "true, false or a path", node, findings),
        }
    }
    let file = token_file(&mut section, manifest, findings);
    if let Some((at, span)) = loopback(&mut section, "listen", findings) {
        match file {
            Some(file) => endpoints.tcp = Some((at, file)),
            None => findings.hint(
                span,
                "`listen` without a `token-file`: everybody on this machine could control the host",
                "write token-file = \"control.token\"; the file is made if it is not there",
            ),
        }
    }
    endpoints.metrics = loopback(&mut section, "metrics", findings).map(|(at, _)| at);
    section.finish(findings);
    endpoints
}

fn token_file(section: &mut Section<'_, '_>, manifest: &Path, findings: &mut Findings<'_>) -> Option<PathBuf> {
    let (text, _) = section.string("token-file", findings)?;
    Some(values::base(manifest).join(text))
}

/// An address that only this machine reaches.
fn loopback(
    section: &mut Section<'_, '_>,
    key: &'static str,
    findings: &mut Findings<'_>,
) -> Option<(SocketAddr, std::ops::Range<usize>)> {
    let (text, span) = section.string(key, findings)?;
    let Ok(at) = text.parse::<SocketAddr>() else {
        findings.hint(span, format!("`{key}` is no address: `{text}`"), "write \"127.0.0.1:PORT\"");
        return None;
    };
    if !at.ip().is_loopback() {
        let hint = "write \"127.0.0.1:PORT\"; from elsewhere, go through ssh -L";
        findings.hint(span, format!("`{key}` must be an address of this machine alone, not {at}"), hint);
        return None;
    }
    Some((at, span))
}
