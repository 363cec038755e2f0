//! Commands that need no store: greetings, what clients ask when they connect, and errors, in Redis' words.

use crate::commands::{COMMANDS, Client, upper};
use kv_resp::{Command, integer, reply};

/// What clients take us for, to choose the commands that they use.
const VERSION: &str = "7.0.0";

/// A command that we do not know.
pub(crate) fn unknown(command: Command<'_>, out: &mut Vec<u8>) {
    let mut text = b"ERR unknown command '".to_vec();
    text.extend_from_slice(clip(command.get(0), 128));
    text.extend_from_slice(b"', with args beginning with: ");
    // Redis clips the arguments to 128 bytes in all, quotes and spaces among them.
    let start = text.len();
    for argument in command.from(1) {
        let room = 128_usize.saturating_sub(text.len() - start);
        if room == 0 {
            break;
        }
        text.push(b'\'');
        text.extend_from_slice(clip(argument, room));
        text.extend_from_slice(b"' ");
    }
    reply::error(out, text);
}

/// A command with too few or too many arguments.
pub(crate) fn wrong_arity(name: &[u8], out: &mut Vec<u8>) {
    let name = name.to_ascii_lowercase();
    reply::error(out, [b"ERR wrong number of arguments for '", name.as_slice(), b"' command"].concat());
}

/// At most so many bytes, and none from a zero on, as C prints text.
fn clip(text: &[u8], length: usize) -> &[u8] {
    let text = &text[..text.len().min(length)];
    text.split(|byte| *byte == 0).next().unwrap_or(text)
}

/// Answers a command that is known (name in capitals) and has the right number of arguments.
pub(crate) fn answer(name: &[u8], command: Command<'_>, client: &mut Client, out: &mut Vec<u8>) {
    match name {
        b"PING" if command.len() == 1 => reply::simple(out, "PONG"),
        b"PING" | b"ECHO" => reply::bulk(out, command.get(1)),
        b"QUIT" => {
            client.leaves = true;
            reply::simple(out, "OK");
        }
        b"SELECT" => select(command.get(1), out),
        b"HELLO" => hello(command, client, out),
        b"CLIENT" => about_client(command, client, out),
        b"CONFIG" => config(command, client, out),
        b"COMMAND" => about_commands(command, client, out),
        b"INFO" => reply::bulk(
            out,
            format!("# Server\r\nredis_version:{VERSION}\r\nredis_mode:standalone\r\nserver_name:wasmactor-kv\r\n")
                .as_bytes(),
        ),
        // `plan` sends nothing else here.
        _ => unknown(command, out),
    }
}

fn select(database: &[u8], out: &mut Vec<u8>) {
    match integer(database).map(i32::try_from) {
        Some(Ok(0)) => reply::simple(out, "OK"),
        Some(Ok(_)) => reply::error(out, "ERR DB index is out of range"),
        _ => reply::error(out, "ERR value is not an integer or out of range"),
    }
}

/// `HELLO [version [AUTH user password] [SETNAME name]]`. There are no users: anybody may do everything.
fn hello(command: Command<'_>, client: &mut Client, out: &mut Vec<u8>) {
    let mut resp3 = client.resp3;
    if command.len() > 1 {
        match integer(command.get(1)) {
            None => return reply::error(out, "ERR Protocol version is not an integer or out of range"),
            Some(version @ 2..=3) => resp3 = version == 3,
            Some(_) => return reply::error(out, "NOPROTO unsupported protocol version"),
        }
    }
    let mut index = 2;
    while index < command.len() {
        let option = command.get(index);
        let left = command.len() - index - 1;
        if option.eq_ignore_ascii_case(b"AUTH") && left >= 2 {
            index += 3;
        } else if option.eq_ignore_ascii_case(b"SETNAME") && left >= 1 {
            client.name = command.get(index + 1).to_vec();
            index += 2;
        } else {
            return reply::error(out, [b"ERR Syntax error in HELLO option '", option, b"'"].concat());
        }
    }
    client.resp3 = resp3;
    pairs(client, 7, out);
    for (key, value) in [("server", "redis"), ("version", VERSION)] {
        reply::bulk(out, key.as_bytes());
        reply::bulk(out, value.as_bytes());
    }
    reply::bulk(out, b"proto");
    reply::integer(out, if resp3 { 3 } else { 2 });
    reply::bulk(out, b"id");
    reply::integer(out, client.id);
    for (key, value) in [("mode", "standalone"), ("role", "master")] {
        reply::bulk(out, key.as_bytes());
        reply::bulk(out, value.as_bytes());
    }
    reply::bulk(out, b"modules");
    reply::array(out, 0);
}

fn about_client(command: Command<'_>, client: &mut Client, out: &mut Vec<u8>) {
    let mut buffer = [0; 8];
    match (upper(command.get(1), &mut buffer), command.len()) {
        (b"SETNAME", 3) => {
            if command.get(2).iter().all(|byte| (b'!'..=b'~').contains(byte)) {
                client.name = command.get(2).to_vec();
                reply::simple(out, "OK");
            } else {
                reply::error(out, "ERR Client names cannot contain spaces, newlines or special characters.");
            }
        }
        (b"SETINFO", 4) => reply::simple(out, "OK"),
        (b"GETNAME", 2) if client.name.is_empty() => {
            out.extend_from_slice(if client.resp3 { reply::NULL3 } else { reply::NULL });
        }
        (b"GETNAME", 2) => reply::bulk(out, &client.name),
        (b"ID", 2) => reply::integer(out, client.id),
        (b"SETNAME" | b"SETINFO" | b"GETNAME" | b"ID", _) => wrong_part_arity(command, out),
        _ => unknown_part(command, out),
    }
}

/// `CONFIG GET pattern...`: the two settings that redis-benchmark looks for.
fn config(command: Command<'_>, client: &Client, out: &mut Vec<u8>) {
    const SETTINGS: [(&str, &str); 2] = [("save", ""), ("appendonly", "no")];
    if !command.get(1).eq_ignore_ascii_case(b"GET") {
        return unknown_part(command, out);
    }
    if command.len() == 2 {
        return wrong_part_arity(command, out);
    }
    let asked = |name: &str| command.from(2).any(|word| word == b"*" || word.eq_ignore_ascii_case(name.as_bytes()));
    let found: Vec<_> = SETTINGS.into_iter().filter(|(name, _)| asked(name)).collect();
    pairs(client, found.len(), out);
    for (name, value) in found {
        reply::bulk(out, name.as_bytes());
        reply::bulk(out, value.as_bytes());
    }
}

/// `COMMAND`, `COMMAND COUNT`, `COMMAND DOCS` ...: redis-cli asks, and is content with nothing.
fn about_commands(command: Command<'_>, client: &Client, out: &mut Vec<u8>) {
    let part = if command.len() > 1 { command.get(1) } else { b"" };
    if part.eq_ignore_ascii_case(b"COUNT") {
        reply::integer(out, COMMANDS);
    } else if part.eq_ignore_ascii_case(b"DOCS") {
        pairs(client, 0, out);
    } else {
        reply::array(out, 0);
    }
}

/// The head of a map, which RESP2 does not have: there it is an array of keys and values in turn.
fn pairs(client: &Client, pairs: usize, out: &mut Vec<u8>) {
    if client.resp3 { reply::map(out, pairs) } else { reply::array(out, 2 * pairs) }
}

fn unknown_part(command: Command<'_>, out: &mut Vec<u8>) {
    let container = command.get(0).to_ascii_uppercase();
    let part = clip(command.get(1), 128);
    reply::error(out, [b"ERR unknown subcommand '", part, b"'. Try ", &container, b" HELP."].concat());
}

fn wrong_part_arity(command: Command<'_>, out: &mut Vec<u8>) {
    wrong_arity(&[command.get(0), b"|", command.get(1)].concat(), out);
}
