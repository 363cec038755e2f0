//! The command line. Used by `main`.
//!
//! | file | what |
//! |---|---|
//! | `app` | `run` and `check`: from a manifest's path to a running app |
//! | `crash` | shows the report of a crash |
//! | `build`, `toolchain` | guests that are crates, and what builds them |
//! | `new` | a first project |
//! | `remote` | the commands for a host that runs: clients of its control endpoint |
//! | `top` | the same on a terminal, again and again |
//! | `log` | where the log goes and how it looks |
//!
//! Must hold: what went wrong is said once, on stderr; the exit code is 0 for ok, 1 for an app that failed, 2 for input
//! that cannot be used, with nothing started.

mod app;
mod build;
mod crash;
mod log;
mod new;
mod remote;
mod toolchain;
mod top;

use std::fmt::Display;
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use tracing::Level;

/// Input that cannot be used.
const BAD_INPUT: u8 = 2;

const EXAMPLES: &str = "\
Examples:
  wasmactor new hello && wasmactor run hello/app.toml
  wasmactor run app.toml --log debug      more to see
  wasmactor check app.toml                is it all right? starts nothing
  wasmactor ps                            what runs, and what it uses
  wasmactor crash FILE                    what an actor died of; the log says which file
  kill -HUP PID                           opens the log file anew
  kill PID                                stops; actors get time to finish, unless it comes twice

Exit codes:
  0  all went well
  1  the app failed
  2  bad input (command line, app.toml, a module); nothing was started

From skynet: a service is an actor, its .lua file a module, the config file app.toml. `send` and
`call` are what they were; `newservice` is `spawn`; a name like .logger works as ever. So do the
worker threads, their weights and the overload warning. The debug console's commands are commands
here, by their old names too. New: what an actor may touch stands in
app.toml, under `grants`.";

/// A host for actors that are WebAssembly components.
///
/// An actor has its own memory and mailbox and handles one message at a time. What it may touch (other actors, addresses,
/// files) is what app.toml grants, and nothing else.
#[derive(Debug, Parser)]
#[command(name = "wasmactor", version, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build what must be built, start the app, and stay until it ends or is told to stop
    Run(Run),
    /// Say whether an app would start: reads app.toml, builds, compiles and links the modules, starts nothing
    Check(Checked),
    /// Make a folder with a small Rust actor that builds and runs at once
    New(new::New),
    /// Build the modules whose source is a crate's folder
    Build(Build),
    /// List the actors of a running host: what they do, what waits, what they have used
    #[command(visible_aliases = ["list", "stat"])]
    Ps(remote::Ps),
    /// Watch the actors of a running host: a list or a tree, sorted and filtered, with keys to end, restart and reload them
    Top(top::Top),
    /// List the actors that have the most memory: `ps --sort memory`
    Mem(remote::Ps),
    /// Show one actor: its state, mailbox, supervisor, timers, sockets
    Info(remote::Who),
    /// Show supervisors with their members, and who spawned whom
    Tree(remote::Plain),
    /// List the modules in each version that actors have, and how long their turns and waits are
    Modules(remote::Plain),
    /// List armed timers, the next one first
    Timers(remote::Few),
    /// List open sockets, with their owners and bytes
    Netstat(remote::Few),
    /// Show who waits for whose answer; cycles come first
    Waits(remote::Plain),
    /// Find out why an actor does not get on: its turn and guest's stack, its mailbox's senders, its share of a core
    #[command(visible_alias = "task")]
    Why(remote::Who),
    /// Print each turn of an actor as it comes, until Ctrl-C
    Trace(remote::Trace),
    /// Print the length of an actor's mailbox again and again, until Ctrl-C
    #[command(name = "watch-mailbox")]
    WatchMailbox(remote::WatchMailbox),
    /// Set, or show, how much is logged: of the host, of all guests, of an actor or a module
    Log(remote::Log),
    /// Log all that an actor says: `log trace --of ACTOR`
    Logon(remote::Who),
    /// Log of an actor what is logged of the others: `log default --of ACTOR`
    Logoff(remote::Who),
    /// Send a message to an actor
    Send(remote::Send),
    /// Send a request to an actor, and print its answer
    Call(remote::Call),
    /// Send a signal to an actor
    Signal(remote::Signal),
    /// End an actor, now; its supervisor may give it another instance
    Kill(remote::Kill),
    /// Give an actor another instance, by its supervisor
    Restart(remote::Kill),
    /// Ask a running host whether it answers, and which one it is
    Ping(remote::Plain),
    /// Put another version in the place of modules that run, with their actors' state
    Reload(remote::Reload),
    /// Stop a running host gracefully, and wait until it has ended
    Stop(remote::Plain),
    /// Show the report of an actor that failed: what it handled, where in its source it was, its limits
    Crash(crash::Crash),
    /// Print the completions of a shell: `source <(wasmactor completions bash)`
    Completions { shell: Shell },
}

#[derive(Debug, Args)]
struct Run {
    /// The app
    #[arg(value_name = "APP.TOML")]
    manifest: PathBuf,
    /// Worker threads [default: the manifest's, else one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Option<u16>,
    #[command(flatten)]
    log: LogOptions,
    /// Run what is there, even if its source has changed
    #[arg(long)]
    no_build: bool,
    /// Without the socket through which the other commands reach the host, whatever app.toml says
    #[arg(long)]
    no_control: bool,
    /// Reload modules whose files change, and build crates whose source does (in their own folders) before
    #[arg(long)]
    watch: bool,
    /// Run every module through the component model, none the short way: slower, to compare
    #[arg(long)]
    force_component: bool,
}

#[derive(Debug, Args)]
struct LogOptions {
    /// Leave out lines below this level [default: the manifest's, else info]
    #[arg(long, value_name = "LEVEL")]
    log: Option<LogLevel>,
    /// What a line looks like
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "auto")]
    log_format: LogFormat,
    /// Write the log to a file, which is opened anew at SIGHUP [default: the manifest's, else standard output]
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// Pretty, with colours if the output is a terminal
    Auto,
    /// Time, level, name, address, text, with colours
    Pretty,
    /// One JSON object a line
    Json,
    /// `name: text`, the same in each run; of the host only warnings and errors
    Plain,
}

#[derive(Debug, Args)]
struct Checked {
    /// The app
    #[arg(value_name = "APP.TOML")]
    manifest: PathBuf,
    /// Print what each module imports and is granted as JSON
    #[arg(long)]
    json: bool,
    /// Check what is there, even if its source has changed
    #[arg(long)]
    no_build: bool,
    /// As for `run`
    #[arg(long)]
    force_component: bool,
}

#[derive(Debug, Args)]
struct Build {
    /// The app
    #[arg(value_name = "APP.TOML")]
    manifest: PathBuf,
}

/// The whole program, with the arguments of the process.
pub fn main() -> ExitCode {
    // Wrong arguments end here, with clap's words and code 2.
    match Cli::parse().command {
        Command::Run(run) => app::run(run),
        Command::Check(check) => app::check(&check),
        Command::New(new) => new::run(&new),
        Command::Build(build) => app::build(&build),
        Command::Ps(ps) => remote::ps(&ps),
        Command::Top(top) => top::run(&top),
        Command::Mem(ps) => remote::ps(&ps.by_memory()),
        Command::Info(who) => remote::info(&who),
        Command::Tree(plain) => remote::tree(&plain),
        Command::Modules(plain) => remote::modules(&plain),
        Command::Timers(few) => remote::timers(&few),
        Command::Netstat(few) => remote::netstat(&few),
        Command::Waits(plain) => remote::waits(&plain),
        Command::Why(who) => remote::why(&who),
        Command::Trace(trace) => remote::trace(&trace),
        Command::WatchMailbox(watch) => remote::watch_mailbox(&watch),
        Command::Log(log) => remote::log(&log),
        Command::Logon(who) => remote::logon(&who),
        Command::Logoff(who) => remote::logoff(&who),
        Command::Send(message) => remote::send(&message),
        Command::Call(call) => remote::call(&call),
        Command::Signal(signal) => remote::signal(&signal),
        Command::Kill(kill) => remote::kill(&kill),
        Command::Restart(kill) => remote::restart(&kill),
        Command::Ping(plain) => remote::ping(&plain),
        Command::Reload(reload) => remote::reload(&reload),
        Command::Stop(plain) => remote::stop(&plain),
        Command::Crash(crash) => crash::run(&crash),
        Command::Completions { shell } => completions(shell),
    }
}

fn completions(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wasmactor", &mut script);
    // A reader that goes away early wanted no more.
    drop(stdout().write_all(&script));
    ExitCode::SUCCESS
}

/// Says what went wrong, and gives the exit code for it.
fn bad_input(fault: impl Display) -> ExitCode {
    eprintln!("{fault}");
    ExitCode::from(BAD_INPUT)
}

/// An `anyhow` error with its causes on one line.
fn fault(error: &anyhow::Error) -> ExitCode {
    bad_input(format_args!("error: {error:#}"))
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_is_explained() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments().filter(|argument| !argument.is_positional()) {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
        }
    }

    #[test]
    fn wrong_arguments_have_code_2() {
        for arguments in [vec!["wasmactor"], vec!["wasmactor", "walk"], vec!["wasmactor", "run", "a", "--workers", "0"]]
        {
            let error = Cli::try_parse_from(arguments).expect_err("wrong");
            assert_eq!(error.exit_code(), i32::from(super::BAD_INPUT));
        }
    }
}
