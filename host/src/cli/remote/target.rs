//! Which host a command is for, and the way to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::control::protocol::Pong;
use crate::control::{Client, Failure, place};

/// The options that say so.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Target {
    /// The host of this app, by its name, its app.toml or its process's number [default: the only one that runs]
    #[arg(long, value_name = "APP", help_heading = "Which host")]
    app: Option<String>,
    /// The host that listens at this socket
    #[arg(long, value_name = "FILE", conflicts_with = "app", help_heading = "Which host")]
    socket: Option<PathBuf>,
    /// The host that listens on TCP there
    #[arg(long, value_name = "IP:PORT", conflicts_with_all = ["app", "socket"], requires = "token_file",
          help_heading = "Which host")]
    connect: Option<SocketAddr>,
    /// The file with that host's token
    #[arg(long, value_name = "FILE", requires = "connect", help_heading = "Which host")]
    token_file: Option<PathBuf>,
    /// Print the answer as JSON, one line
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

impl Target {
    /// Connects to the host that is meant. Errors say which there are.
    pub(in crate::cli) fn connect(&self) -> Result<Client, Failure> {
        if let (Some(at), Some(file)) = (self.connect, &self.token_file) {
            let token = place::token(file).map_err(|error| lost(format!("the token {}: {error}", file.display())))?;
            return Client::tcp(at, token).map_err(|error| lost(format!("no host listens at {at}: {error}")));
        }
        match &self.socket {
            Some(path) => unix(path),
            None => self.find(),
        }
    }

    fn find(&self) -> Result<Client, Failure> {
        let folder = place::folder();
        let paths = place::running(&folder)
            .map_err(|error| lost(format!("cannot look for hosts in {}: {error}", folder.display())))?;
        let mut hosts = Vec::new();
        for path in paths {
            // One that ends right now is none.
            if let Ok(mut client) = unix(&path)
                && let Ok(pong) = client.ping()
                && self.app.as_ref().is_none_or(|app| is(app, &pong))
            {
                hosts.push((pong, client));
            }
        }
        if hosts.len() > 1 {
            let each = hosts.iter().map(|(pong, _)| format!("\n  {} (pid {}): {}", pong.app, pong.pid, pong.manifest));
            let each: String = each.collect();
            return Err(lost(format!("several hosts run, say which with --app NAME or --app PID:{each}")));
        }
        hosts.pop().map(|(_, client)| client).ok_or_else(|| {
            lost(match &self.app {
                None => "no host runs; start one with `wasmactor run APP.TOML`".to_owned(),
                Some(app) => format!("no host runs the app `{app}`"),
            })
        })
    }
}

/// Whether a host is called so.
fn is(app: &str, pong: &Pong) -> bool {
    let path = || Some(Path::new(app).canonicalize().ok()? == Path::new(&pong.manifest).canonicalize().ok()?);
    app == pong.app || app == pong.pid.to_string() || path() == Some(true)
}

fn unix(path: &Path) -> Result<Client, Failure> {
    Client::unix(path).map_err(|error| lost(format!("no host listens at {}: {error}", path.display())))
}

fn lost(words: String) -> Failure {
    Failure::Lost(words)
}
