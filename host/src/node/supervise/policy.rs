//! The words of supervision: policies, states, steps. Written in the manifest or by guests, read by [`super::tree`].

use std::time::Duration;

use crate::base::{Address, Cause};

/// Which members are restarted when one has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// That one.
    #[default]
    OneForOne,
    /// All.
    OneForAll,
    /// That one, and those that were started after it.
    RestForOne,
}

/// When a member is restarted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// However it ended.
    #[default]
    Permanent,
    /// Unless it ended by its own `exit`.
    Transient,
    /// Never; its end is none of the others' affair.
    Temporary,
}

/// What a supervisor does.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub strategy: Strategy,
    /// So many restarts within the period are one too many.
    pub max_restarts: u32,
    pub period: Duration,
    /// The pause before a restart, doubled each time up to `backoff_max`, until a member has run for a period.
    pub backoff: Duration,
    pub backoff_max: Duration,
    /// What members get to finish when they are stopped for the others' sake.
    pub stop_timeout: Duration,
    /// What waits in the mailbox of a member that is restarted is refused, not kept.
    pub clear_mailbox: bool,
    /// The name of the actor that is asked what becomes of a member; none: the policy says.
    pub decider: Option<String>,
    /// Without an answer in this time the policy says.
    pub decide_timeout: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            strategy: Strategy::OneForOne,
            max_restarts: 5,
            period: Duration::from_secs(10),
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_secs(10),
            stop_timeout: Duration::from_secs(1),
            clear_mailbox: false,
            decider: None,
            decide_timeout: Duration::from_secs(1),
        }
    }
}

/// What an actor may decide of a member whose instance has ended; see `wit/lifecycle.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Policy,
    Restart,
    End,
    GiveUp,
}

/// The end of a member's instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    pub cause: Cause,
    pub reason: String,
    /// It had been initialised at least once.
    pub once: bool,
}

/// Where a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    /// It has an instance, whose first `init` may still run.
    Running,
    /// It has none: its messages wait.
    Resting,
    /// Its next instance's `init` runs.
    Starting,
}

/// What is to be done, in order, without the tree's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask an actor to stop.
    Stop(Address),
    /// End it: its time is over, or its supervisor gave up.
    Kill(Address, Cause, String),
    /// Ask an actor what becomes of a member; its answer has this number.
    Ask { decider: Address, member: Address, number: u64, cause: Cause, reason: String },
    /// Give it its next instance.
    Start(Address),
    /// Call [`super::tree::Tree::alarm`] with this number then (nanoseconds of the clock).
    Alarm(u64, u64),
    /// A supervisor gave up, and the one above it is to act: for the log.
    Escalated(String),
    /// The manifest's supervisor of this name gave up, and nobody is above it; why.
    GaveUp(String, String),
}

/// What becomes of an actor whose instance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It ends for good.
    End,
    /// It gets another instance. `clear`: with an empty mailbox.
    Rest { clear: bool },
}

/// A supervisor as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupervisorView {
    pub name: String,
    pub parent: Option<String>,
    pub strategy: Strategy,
    /// Restarts within the period, now.
    pub recent: usize,
    pub members: Vec<(Address, Restart, MemberState, u64)>,
}
