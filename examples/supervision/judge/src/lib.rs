//! The judge: decides what becomes of a supervisor's members, by two rules that no policy in app.toml can say. Who was
//! killed by an operator stays away. Who fails gets another instance twice; the third time it alone ends, and the
//! supervisor does not give up.

use std::collections::BTreeMap;
use wasmactor_sdk::exclusive::Actor;
use wasmactor_sdk::lifecycle::{Cause, Decision, Down, decide};
use wasmactor_sdk::{Address, Reply, Result, Sender, actor, done, info};

/// How often a member may fail.
const CHANCES: u32 = 2;

struct Judge {
    /// A member keeps its address over restarts.
    failures: BTreeMap<Address, u32>,
}

impl Actor for Judge {
    type Args = ();
    type Message = ();

    fn init((): ()) -> Result<Self> {
        Ok(Self { failures: BTreeMap::new() })
    }

    fn handle(&mut self, (): (), _from: &Sender) -> Result<Reply> {
        done()
    }

    /// It watches nobody, so each of these is a question.
    fn down(&mut self, down: Down) -> Result {
        if down.cause == Cause::Killed {
            info!("{}: killed, it ends", down.actor);
            return Ok(decide(&down, Decision::End)?);
        }
        let failures = self.failures.entry(down.actor).or_default();
        *failures += 1;
        let (decision, words) = match *failures {
            ..=CHANCES => (Decision::Restart, "it begins again"),
            _ => (Decision::End, "it ends"),
        };
        info!("{}: failure {failures}, {words}", down.actor);
        Ok(decide(&down, decision)?)
    }
}

actor!(Judge);
