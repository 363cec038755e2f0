//! An actor that uses WASI. A message is one command; the answer says what came of it:
//!
//! | `out TEXT`, `err TEXT` | prints it |
//! | `sleep MS` | waits by WASI's clock |
//! | `env`, `args` | all there are |
//! | `dirs` | the folders that it sees |
//! | `read PATH`, `write PATH TEXT` | a file below the first of them |
//! | `hold COUNT PATH` | opens a file so often before it closes any |

mod bindings;

use bindings::exports::wasmactor::actor::handler::{Event, Guest};
use bindings::wasi::cli::{environment, stderr, stdout};
use bindings::wasi::clocks::monotonic_clock;
use bindings::wasi::filesystem::preopens;
use bindings::wasi::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use bindings::wasmactor::actor::messaging;

struct Wasi;

impl Guest for Wasi {
    fn init() -> Result<(), String> {
        Ok(())
    }

    fn handle(event: Event) -> Result<(), String> {
        if let Event::Message(message) = event {
            let answer = answer(&String::from_utf8_lossy(&message.payload));
            messaging::ret(answer.as_bytes()).map_err(|error| error.reason)?;
        }
        Ok(())
    }
}

fn answer(text: &str) -> String {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "out" => format!("{}", stdout::get_stdout().blocking_write_and_flush(rest.as_bytes()).is_ok()),
        "err" => format!("{}", stderr::get_stderr().blocking_write_and_flush(rest.as_bytes()).is_ok()),
        "sleep" => {
            let began = monotonic_clock::now();
            let time = rest.parse::<u64>().unwrap_or(0) * 1_000_000;
            monotonic_clock::subscribe_duration(time).block();
            format!("{}", monotonic_clock::now() - began >= time)
        }
        "env" => {
            let all = environment::get_environment();
            all.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
        }
        "args" => environment::get_arguments().join(","),
        "dirs" => preopens::get_directories().into_iter().map(|(_, path)| path).collect::<Vec<_>>().join(","),
        "read" => read(rest).unwrap_or_else(|error| format!("{error:?}")),
        "write" => {
            let (path, content) = rest.split_once(' ').unwrap_or((rest, ""));
            write(path, content).map_or_else(|error| format!("{error:?}"), |()| "written".to_owned())
        }
        "hold" => {
            let (count, path) = rest.split_once(' ').unwrap_or((rest, ""));
            let open = |_| open(path, OpenFlags::empty(), DescriptorFlags::READ);
            let held: Result<Vec<Descriptor>, ErrorCode> = (0..count.parse().unwrap_or(0)).map(open).collect();
            held.map_or_else(|error| format!("{error:?}"), |held| format!("{} held", held.len()))
        }
        _ => "?".to_owned(),
    }
}

fn open(path: &str, how: OpenFlags, flags: DescriptorFlags) -> Result<Descriptor, ErrorCode> {
    let folders = preopens::get_directories();
    let (folder, _) = folders.first().ok_or(ErrorCode::NoEntry)?;
    folder.open_at(PathFlags::SYMLINK_FOLLOW, path, how, flags)
}

fn read(path: &str) -> Result<String, ErrorCode> {
    let (bytes, _) = open(path, OpenFlags::empty(), DescriptorFlags::READ)?.read(1 << 16, 0)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(path: &str, content: &str) -> Result<(), ErrorCode> {
    open(path, OpenFlags::CREATE, DescriptorFlags::WRITE)?.write(content.as_bytes(), 0).map(drop)
}
