//! Installs packages of Debian or Ubuntu. Used by `setup`, and by the bench for its peers, which includes this file: so it
//! uses nothing of xtask.
//!
//! Must hold: what is installed, and why, is said before.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Whether a program is on the path.
pub(crate) fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Installs packages. Errors: it is not possible here; with the command for people.
pub(crate) fn install(packages: &[&str], why: &str) -> Result<()> {
    let list = packages.join(" ");
    if !installed("apt-get") {
        bail!("please install {list} ({why}): there is no apt-get here to do it");
    }
    eprintln!("\n== apt-get install {list}: {why}");
    let root = is_root()?;
    if !root && !installed("sudo") {
        bail!("please run, as root: apt-get install {list}");
    }
    let apt = |arguments: &[&str]| {
        let mut command = if root { Command::new("env") } else { Command::new("sudo") };
        if !root {
            command.arg("env");
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]).args(arguments);
        command
    };
    let install = [&["install", "--no-install-recommends"], packages].concat();
    let run = |arguments: &[&str]| {
        // What asked for this may have figures on stdout.
        let status = apt(arguments).stdout(std::io::stderr()).status().context("apt-get does not start")?;
        if !status.success() {
            bail!("apt-get {} ended with {status}", arguments.join(" "));
        }
        Ok(())
    };
    if run(&install).is_ok() {
        return Ok(());
    }
    eprintln!("its lists may be missing or old: they are fetched, then it is tried again");
    run(&["update"])?;
    run(&install)
}

fn is_root() -> Result<bool> {
    let output = Command::new("id").arg("-u").output().context("`id -u` does not start")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim() == "0")
}
