//! What is measured: a system runs workloads. Used by `main`, which goes round robin over all of them.
//!
//! `ours` are forms of this host, driven in this process or another of this program; other systems run their own
//! programs, and know their own way for each workload's name.

pub(crate) mod app;
pub(crate) mod native;
pub(crate) mod ours;
pub(crate) mod peer;
pub(crate) mod redis;
pub(crate) mod wasm;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::unit::Unit;
use crate::workload::Workload;

/// One cell of the table: a workload with these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) workers: usize,
    /// Size of a payload; 0 where there is none.
    pub(crate) bytes: usize,
    /// How many connections, senders, actors or pairs; 0 where the workload has no such number.
    pub(crate) width: usize,
    /// How often the thing is done in one run.
    pub(crate) n: u64,
}

/// What one run found. Peers print theirs in this form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// The workload's name, or that and what else was seen in its run.
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: Unit,
}

impl Sample {
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self { name: name.into(), value, unit }
    }

    /// `value` nanoseconds for one.
    pub(crate) fn ns(name: impl Into<String>, value: f64) -> Self {
        Self::new(name, value, Unit::Ns)
    }
}

/// Something that can run workloads.
pub(crate) trait System {
    /// As it stands in the output.
    fn name(&self) -> &'static str;

    /// Runs a workload once, start-up and a warm-up not measured. None: this system has no such thing.
    fn measure(&self, workload: &Workload, case: &Case) -> Result<Option<Vec<Sample>>>;
}
