//! The options of `SET`.

use kv_resp::{Command, integer};
use kv_wire::{Condition, Set};

const SYNTAX: &str = "ERR syntax error";
/// Also what `INCRBY` says.
pub(crate) const NUMBER: &str = "ERR value is not an integer or out of range";
const EXPIRE: &str = "ERR invalid expire time in 'set' command";

/// What an expiry is counted in, and from when.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Unit {
    milliseconds: i64,
    from_now: bool,
}

fn unit(option: &[u8]) -> Option<Unit> {
    let is = |word: &[u8]| option.eq_ignore_ascii_case(word);
    let (milliseconds, from_now) = match () {
        () if is(b"EX") => (1000, true),
        () if is(b"PX") => (1, true),
        () if is(b"EXAT") => (1000, false),
        () if is(b"PXAT") => (1, false),
        () => return None,
    };
    Some(Unit { milliseconds, from_now })
}

/// Reads what follows `SET key value`. Errors: Redis' words for the client.
pub(crate) fn options(command: Command<'_>, clock: fn() -> u64) -> Result<Set, &'static str> {
    let mut how = Set::default();
    let mut expiry: Option<(Unit, &[u8])> = None;
    let mut options = command.from(3);
    while let Some(option) = options.next() {
        let is = |word: &[u8]| option.eq_ignore_ascii_case(word);
        if is(b"NX") && how.condition != Condition::IfPresent {
            how.condition = Condition::IfAbsent;
        } else if is(b"XX") && how.condition != Condition::IfAbsent {
            how.condition = Condition::IfPresent;
        } else if is(b"GET") {
            how.get = true;
        } else if is(b"KEEPTTL") && expiry.is_none() {
            how.keep_expiry = true;
        } else if let Some(unit) = unit(option)
            && !how.keep_expiry
            && expiry.is_none_or(|(before, _)| before == unit)
            && let Some(number) = options.next()
        {
            expiry = Some((unit, number));
        } else {
            return Err(SYNTAX);
        }
    }
    if let Some((unit, number)) = expiry {
        how.expires = Some(time(unit, integer(number).ok_or(NUMBER)?, clock).ok_or(EXPIRE)?);
    }
    Ok(how)
}

/// Milliseconds since 1970. None: not after it, or too far.
fn time(unit: Unit, number: i64, clock: fn() -> u64) -> Option<u64> {
    let length = number.checked_mul(unit.milliseconds).filter(|length| *length > 0)?;
    let start = if unit.from_now { i64::try_from(clock()).ok()? } else { 0 };
    u64::try_from(start.checked_add(length)?).ok()
}
