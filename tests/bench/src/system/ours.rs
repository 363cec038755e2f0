//! This host, in its forms: `native` behaviors, `wasm` guests of the SDK, `wasm-min` guests by hand, `wasm-speed` those of
//! the SDK with the other profile. Used by `main`.
//!
//! Must hold: a workload that looks at the process's memory has a process of its own (`alone`), so that what other runs
//! left behind is not in its figures.

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use wasmactor::wasm::Profile;

use crate::child;
use crate::system::app::App;
use crate::system::native::Native;
use crate::system::wasm::{self, Wasm};
use crate::system::{Case, Sample, System};
use crate::workload::{self, Run, Workload};

/// One form of the host.
pub(crate) trait Form {
    /// As it stands in the output.
    fn name(&self) -> &'static str;

    /// A fresh node that has the modules of the workloads.
    fn start(&self, workers: usize) -> Result<App>;
}

/// A form as a system to measure.
pub(crate) struct Ours(Box<dyn Form>);

/// The names of all.
pub(crate) const ALL: [&str; 4] = ["native", "wasm", "wasm-min", "wasm-speed"];

/// What peers are compared with.
pub(crate) const MAIN: &str = "wasm";

/// Those that are wanted; their guests are built.
pub(crate) fn all(wanted: impl Fn(&str) -> bool) -> Result<Vec<Box<dyn System>>> {
    let mut systems: Vec<Box<dyn System>> = Vec::new();
    if ALL[1..].iter().any(|name| wanted(name)) {
        wasm::build()?;
    }
    for name in ALL.into_iter().filter(|name| wanted(name)) {
        systems.push(Box::new(Ours(form(name)?)));
    }
    Ok(systems)
}

fn form(name: &str) -> Result<Box<dyn Form>> {
    Ok(match name {
        "native" => Box::new(Native),
        "wasm" => Box::new(Wasm::sdk("wasm", Profile::Density)?),
        "wasm-min" => Box::new(Wasm::min()?),
        "wasm-speed" => Box::new(Wasm::sdk("wasm-speed", Profile::Speed)?),
        _ => bail!("this host has no form `{name}`"),
    })
}

impl System for Ours {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn measure(&self, workload: &Workload, case: &Case) -> Result<Option<Vec<Sample>>> {
        if !workload.ours.contains(&self.name()) {
            return Ok(None);
        }
        let samples = match workload.run {
            Run::Actors(run) => run(&self.0.start(case.workers)?, case),
            Run::Alone(_) => alone(self.name(), workload, case),
            Run::Programs(run) => run(case),
        };
        samples.map(Some)
    }
}

/// What a child process is asked to do, as JSON in its one argument.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    form: String,
    workload: String,
    case: Case,
}

/// What it answers. Peers' programs answer in the same form.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    samples: Vec<Sample>,
}

/// Runs a workload in a process of its own.
fn alone(form: &str, workload: &Workload, case: &Case) -> Result<Vec<Sample>> {
    let request = Request { form: form.to_owned(), workload: workload.name.to_owned(), case: *case };
    let mut command = child::this_program(child::ALONE)?;
    let output = command.arg(serde_json::to_string(&request)?).stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("the process for it ended with {}", output.status);
    }
    let answer: Answer = serde_json::from_slice(&output.stdout).context("the process for it printed something else")?;
    Ok(answer.samples)
}

/// The child's part: does it, and gives the line to print.
pub(crate) fn serve(request: &str) -> Result<String> {
    let request: Request = serde_json::from_str(request).context("not a request")?;
    let workload = workload::find(&request.workload).context("no such workload")?;
    let Run::Alone(run) = workload.run else { bail!("`{}` needs no process of its own", workload.name) };
    let app = form(&request.form)?.start(request.case.workers)?;
    Ok(serde_json::to_string(&Answer { samples: run(&app, &request.case)? })?)
}

#[cfg(test)]
mod tests {
    use super::{Answer, Request};
    use crate::system::{Case, Sample};
    use crate::unit::Unit;

    #[test]
    fn requests_and_answers_are_json() {
        let case = Case { workers: 2, bytes: 0, width: 10, n: 10 };
        let text =
            serde_json::to_string(&Request { form: "wasm".into(), workload: "idle".into(), case }).expect("json");
        let back: Request = serde_json::from_str(&text).expect("the same");
        assert_eq!((back.form.as_str(), back.workload.as_str(), back.case), ("wasm", "idle", case));
        let answer: Answer = serde_json::from_str(r#"{"samples":[{"name":"call","value":476.2,"unit":"ns"}]}"#)
            .expect("as peers write it");
        assert_eq!(answer.samples, [Sample::new("call", 476.2, Unit::Ns)]);
    }
}
