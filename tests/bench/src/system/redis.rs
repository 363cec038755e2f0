//! A real redis-server, for the workload `kv`.

use anyhow::Result;

use crate::system::{Case, Sample, System};
use crate::workload::{Run, Workload, kv};

pub(crate) struct Redis;

impl System for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn measure(&self, workload: &Workload, case: &Case) -> Result<Option<Vec<Sample>>> {
        // redis runs commands on one thread, so it is measured once.
        match workload.run {
            Run::Kv if case.workers == 1 => kv::redis(case).map(Some),
            _ => Ok(None),
        }
    }
}
