//! An app that runs beside us and is stopped when we are done. Used by the demo.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::shell::{command, run, shown};

/// How long a start may take: modules are compiled before.
const START: Duration = Duration::from_secs(60);
/// How long a stop may take: the manifest's stop-timeout, and a little.
const STOP: Duration = Duration::from_secs(15);

/// A child that does not outlive us.
#[derive(Debug)]
pub(crate) struct Server(Child);

impl Server {
    /// Starts it and waits until it takes connections.
    pub(crate) fn start(program: &mut Command, address: SocketAddr) -> Result<Self> {
        if TcpStream::connect(address).is_ok() {
            bail!("something listens at {address} already; stop it first");
        }
        let child = program.spawn().with_context(|| format!("cannot start {}", shown(program)))?;
        let mut server = Self(child);
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = server.0.try_wait()? {
                bail!("{} ended with {status}", shown(program));
            }
            if began.elapsed() > START {
                bail!("{} does not listen at {address} after {} s", shown(program), START.as_secs());
            }
            sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Asks it to stop, as an operator would, and waits.
    pub(crate) fn stop(mut self) -> Result<()> {
        run(&mut command("kill", &["-TERM", &self.0.id().to_string()]))?;
        let began = Instant::now();
        loop {
            match self.0.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("the server ended with {status}"),
                None if began.elapsed() > STOP => bail!("the server did not stop in {} s", STOP.as_secs()),
                None => sleep(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already, as a rule; then this does nothing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
