//! A real redis-server, for the workload `kv`.

use anyhow::Result;

use crate::system::{Case, Sample, System};
use crate::workload::Workload;
use crate::workload::kv::{self, KV};

pub(crate) struct Redis;

impl System for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn measure(&self, workload: &Workload, case: &Case) -> Result<Option<Vec<Sample>>> {
        // redis runs commands on one thread, so it is measured once.
        if workload.name != KV.name || case.workers != 1 {
            return Ok(None);
        }
        kv::redis(case).map(Some)
    }
}
