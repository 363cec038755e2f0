//! `wasmactor crash`: shows a report of a crash.

use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::cli::bad_input;
use crate::crash::{self, Shown};

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Crash {
    /// The report: the log says its path
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print it as JSON, with what is in its core dump under `dump`
    #[arg(long)]
    json: bool,
}

/// Prints the report. 2: the file is none.
pub(super) fn run(arguments: &Crash) -> ExitCode {
    let path = arguments.file.display();
    let bytes = match std::fs::read(&arguments.file) {
        Ok(bytes) => bytes,
        Err(error) => return bad_input(format_args!("error: {path} cannot be read: {error}")),
    };
    let (report, dump) = match crash::read(&bytes) {
        Ok(read) => read,
        Err(error) => return bad_input(format_args!("error: {path} is no report of a crash: {error}")),
    };
    let text = if arguments.json {
        let mut value = serde_json::to_value(&report).expect("a report is JSON");
        value["dump"] = serde_json::to_value(dump).expect("so is this");
        format!("{value:#}\n")
    } else {
        Shown(&report, dump).to_string()
    };
    // A reader that goes away early wanted no more.
    drop(stdout().write_all(text.as_bytes()));
    ExitCode::SUCCESS
}
