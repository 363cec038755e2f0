//! What operators do to a running host, for actors that the manifest grants it (`control` in `grants`): reload modules, restart
//! members of supervisors, list actors. What takes time is an order, whose answer comes as that of a request does: [`Reload`] and
//! [`Ps`] have `request` (exclusive; the answer comes to the `answer` handler, for [`decode`](crate::decode)) and `ask`
//! (interleaved). To end an actor see [`lifecycle::kill`](crate::lifecycle::kill).

use crate::bindings::wasmactor::actor::control;
use crate::{Address, Error};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::time::Duration;

/// What is done with the actors of a module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// All go on with what is in the module's file now.
    #[default]
    Reload,
    /// Nothing: the answer says what would be.
    Check,
    /// So many percent of them do, on trial.
    Trial(u8),
    /// After a trial, all others do, too.
    Commit,
    /// After a trial, those that have it get the old version again; else all get the former one.
    Rollback,
}

/// An order for another version of a module. `Default` fills all but the module.
///
/// An actor of the module itself has this very order in flight: it is exchanged if its [`Keep::ready`](crate::Keep::ready)
/// says so, or if it gives the answer up.
/// Errors: `NotGranted`, `Invalid` (no such module), `OverLimit`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reload<'a> {
    /// Its name in the manifest.
    pub module: &'a str,
    /// What is to be done.
    pub action: Action,
    /// Actors that keep no state may begin anew.
    pub restart: bool,
    /// How long an actor may take until its requests in flight are over; else the manifest's.
    pub grace: Option<Duration>,
}

/// What became of a reload: what `wasmactor reload` prints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Reloaded {
    /// The module's name.
    pub module: String,
    /// Versions: the first digits of the content's hash. `to` is empty if it cannot be loaded.
    pub from: String,
    /// See `from`.
    pub to: String,
    /// What should be known: imports that grew, state that is lost.
    pub notes: Vec<String>,
    /// Why nothing was tried.
    pub problem: Option<String>,
    /// Actors that go on with their state.
    pub exchanged: u64,
    /// Actors that began anew.
    pub restarted: u64,
    /// Actors that go on as they were.
    pub kept: Vec<Kept>,
    /// Actors that were not asked.
    pub untouched: u64,
    /// The longest time that an actor handled nothing, in microseconds.
    pub pause_max_us: Option<u64>,
}

impl Reloaded {
    /// Whether all is as it was asked for.
    pub fn is_well(&self) -> bool {
        self.problem.is_none() && self.kept.is_empty()
    }
}

/// An actor that goes on as it was.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Kept {
    /// Which.
    #[serde(deserialize_with = "printed")]
    pub actor: Address,
    /// Why.
    pub why: String,
}

/// An order for a list of the actors that are granted. `Default`: all of them.
///
/// Errors: `NotGranted` (no actor is granted), `OverLimit`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ps<'a> {
    /// Only those whose name or module is this; `*` at its end stands for any rest. Empty: all.
    pub filter: &'a str,
    /// At most so many; 0: as many as one answer lists.
    pub limit: u32,
}

/// Actors, and how many there are in all that the filter lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Actors {
    /// By their addresses.
    pub actors: Vec<ActorRow>,
    /// Also those that are over the limit.
    pub total: u64,
}

/// An actor, as `wasmactor ps` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ActorRow {
    /// Its address.
    #[serde(deserialize_with = "printed")]
    pub address: Address,
    /// Its first registered name, or what it is called in the manifest.
    pub name: String,
    /// What it is made of.
    pub module: String,
    /// In which version.
    pub version: String,
    /// What it does: `idle`, `running` and so on.
    pub state: String,
    /// Messages that wait.
    pub mailbox: u64,
    /// Time that it ran, in microseconds.
    pub cpu_us: u64,
    /// Bytes of its memory.
    pub memory: u64,
    /// Messages that it has handled.
    pub messages: u64,
    /// How long it has lived.
    pub age_ms: u64,
}

/// An address as the host prints it.
fn printed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
    let text = String::deserialize(deserializer)?;
    let number = text.strip_prefix(':').and_then(|digits| u64::from_str_radix(digits, 16).ok());
    number.map(Address::from).ok_or_else(|| D::Error::custom("not an address"))
}

impl Reload<'_> {
    /// The order's session.
    pub(crate) fn order(self) -> Result<u64, Error> {
        let action = match self.action {
            Action::Reload => control::Action::Reload,
            Action::Check => control::Action::Check,
            Action::Trial(percent) => control::Action::Trial(percent),
            Action::Commit => control::Action::Commit,
            Action::Rollback => control::Action::Rollback,
        };
        let grace = self.grace.map_or(0, |grace| u32::try_from(grace.as_millis()).unwrap_or(u32::MAX).max(1));
        Ok(control::reload(self.module, action, self.restart, grace)?)
    }
}

impl Ps<'_> {
    /// The order's session.
    pub(crate) fn order(self) -> Result<u64, Error> {
        Ok(control::ps(self.filter, self.limit)?)
    }
}

/// Gives a member of a supervisor another instance, as if it had ended by itself. Errors: `NoSuchActor`, `NotGranted`, `Invalid`
/// (it has no supervisor).
pub fn restart(target: Address, reason: &str) -> Result<(), Error> {
    Ok(control::restart(target.get(), reason)?)
}

#[cfg(test)]
mod tests {
    use super::{Actors, Kept};
    use crate::{Address, decode};

    #[test]
    fn answers_of_the_host_are_read() {
        let kept = b"\x82\xa5actor\xa9:0000002a\xa3why\xa2no";
        assert_eq!(decode::<Kept>(kept).unwrap(), Kept { actor: Address::from(42), why: "no".to_owned() });
        assert!(decode::<Kept>(b"\x82\xa5actor\xa20a\xa3why\xa2no").is_err());
        assert_eq!(decode::<Actors>(b"\x82\xa6actors\x90\xa5total\x03").unwrap().total, 3);
    }
}
