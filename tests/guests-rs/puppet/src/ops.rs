//! What a script can do: one word of `wit/` each, and a few of its own. An address is `.name`, or a number.

#[cfg(feature = "blocking")]
use crate::bindings::wasmactor::actor::blocking;
use crate::bindings::wasmactor::actor::control::Action;
use crate::bindings::wasmactor::actor::types::Error;
use crate::bindings::wasmactor::actor::{
    config, control, lifecycle,
    lifecycle::{Decision, Signal},
    log, messaging, random, registry, socket, timer,
};
use crate::state::{State, say};

fn address(text: &str) -> u64 {
    text.parse().ok().or_else(|| registry::lookup(text)).unwrap_or(0)
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

fn small(text: &str) -> u32 {
    text.parse().unwrap_or(0)
}

fn done(outcome: Result<(), Error>) -> Result<&'static str, Error> {
    outcome.map(|()| "done")
}

#[cfg(feature = "blocking")]
fn text(outcome: Result<Vec<u8>, Error>) -> Result<String, Error> {
    outcome.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn signal(text: &str) -> Signal {
    match text {
        "hangup" => Signal::Hangup,
        "user1" => Signal::User1,
        "user2" => Signal::User2,
        _ => Signal::Stop,
    }
}

fn decision(text: &str) -> Decision {
    match text {
        "restart" => Decision::Restart,
        "end" => Decision::End,
        "give-up" => Decision::GiveUp,
        _ => Decision::Policy,
    }
}

fn action(text: &str) -> Action {
    match text {
        "check" => Action::Check,
        "commit" => Action::Commit,
        "rollback" => Action::Rollback,
        percent => Action::Trial(percent.parse().unwrap_or(0)),
    }
}

fn some(name: &str) -> Option<&str> {
    (name.starts_with('.')).then_some(name)
}

/// Endless, but the compiler must not know.
fn spin() {
    let mut n = 0u64;
    while std::hint::black_box(n) < u64::MAX {
        n = std::hint::black_box(n) & 1;
    }
}

impl State {
    /// Runs one statement. An error is what the handler returns.
    pub(crate) fn op(&mut self, words: &[String]) -> Result<(), String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let rest = |from: usize| words.get(from..).unwrap_or_default().join(" ");
        match words[..] {
            // messaging.wit
            ["self"] => self.set("it", messaging::self_()),
            ["send", to, payload] => self.put(done(messaging::send(address(to), 0, payload.as_bytes()))),
            ["bytes", to, count] => {
                let payload = vec![b' '; usize::try_from(number(count)).expect("a length")];
                self.put(done(messaging::send(address(to), 0, &payload)));
            }
            ["broadcast", to, payload] => {
                let to: Vec<u64> = to.split(',').map(address).collect();
                self.set("it", messaging::broadcast(&to, 0, payload.as_bytes()));
            }
            ["request", to, payload] => self.request(to, payload, 0, 0),
            ["request", to, payload, timeout] => self.request(to, payload, small(timeout), 0),
            ["request", to, payload, timeout, within] => self.request(to, payload, small(timeout), number(within)),
            ["cancel", session] => self.set("it", messaging::cancel(number(session))),
            ["ret", ..] => self.put(done(messaging::ret(rest(1).as_bytes()))),
            ["defer"] => self.put(messaging::defer()),
            ["reply", session, ..] => self.put(done(messaging::reply(number(session), rest(2).as_bytes()))),
            ["reject", session, ..] => self.put(done(messaging::reject(number(session), &rest(2)))),
            ["forward", session, to, payload] => {
                self.put(done(messaging::forward(number(session), address(to), 0, payload.as_bytes())));
            }
            ["remaining", session] => {
                let left = messaging::remaining(number(session));
                self.set("it", left.map_or("none".to_owned(), |left| left.to_string()));
            }
            // blocking.wit
            #[cfg(feature = "blocking")]
            ["call", to, payload] => self.put(text(blocking::call(address(to), 0, payload.as_bytes(), 0))),
            #[cfg(feature = "blocking")]
            ["call", to, payload, time] => {
                self.put(text(blocking::call(address(to), 0, payload.as_bytes(), small(time))));
            }
            #[cfg(feature = "blocking")]
            ["start-child", module, name, args] => self.put(blocking::spawn(module, some(name), args.as_bytes())),
            #[cfg(feature = "blocking")]
            ["sleep", time] => blocking::sleep(number(time)),
            // lifecycle.wit
            ["decide", watch, what] => self.put(done(lifecycle::decide(number(watch), decision(what)))),
            ["spawn", module, name, args] => self.put(lifecycle::spawn(module, some(name), args.as_bytes())),
            ["exit", ..] => lifecycle::exit(&rest(1)),
            ["kill", target, ..] => self.put(done(lifecycle::kill(address(target), &rest(2)))),
            ["watch", target] => self.set("it", lifecycle::watch(address(target))),
            ["unwatch", watch] => self.set("it", lifecycle::unwatch(number(watch))),
            ["link", target] => self.put(done(lifecycle::link(address(target)))),
            ["unlink", target] => self.set("it", lifecycle::unlink(address(target))),
            ["subscribe", name] => lifecycle::subscribe(signal(name)),
            // control.wit
            ["reload", module] => self.put(control::reload(module, Action::Reload, false, 0)),
            ["reload", module, what] => self.put(control::reload(module, action(what), false, 0)),
            ["restart", target, ..] => self.put(done(control::restart(address(target), &rest(2)))),
            ["ps"] => self.put(control::ps("", 0)),
            ["ps", filter, limit] => self.put(control::ps(filter, small(limit))),
            // registry.wit
            ["register", name] => self.put(done(registry::register(name))),
            ["unregister", name] => self.set("it", registry::unregister(name)),
            ["lookup", name] => {
                self.set("it", registry::lookup(name).map_or("none".to_owned(), |found| found.to_string()));
            }
            ["names", prefix] => {
                let names: Vec<String> = registry::list(prefix).into_iter().map(|(name, _)| name).collect();
                self.set("it", names.join(","));
            }
            // timer.wit
            ["timeout", time] => self.set("it", timer::timeout(number(time))),
            ["cancel-timer", session] => self.set("it", timer::cancel(number(session))),
            ["now"] => self.set("it", timer::now()),
            ["wall"] => self.set("it", timer::wall()),
            // socket.wit
            ["listen", at] => self.put(socket::listen(at)),
            ["connect", to] => self.put(socket::connect(to)),
            ["start", id] => self.put(done(socket::start(number(id)))),
            ["pause", id] => self.put(done(socket::pause(number(id)))),
            ["write", id, ..] => self.put(socket::write(number(id), rest(2).as_bytes())),
            ["shutdown", id] => self.put(done(socket::shutdown(number(id)))),
            ["close", id] => self.put(done(socket::close(number(id)))),
            ["give", id, to] => self.put(done(socket::give(number(id), address(to)))),
            ["local", id] => self.put(socket::local(number(id))),
            // log.wit, config.wit, random.wit
            ["log", ..] => say(&rest(1)),
            ["field", key, value, ..] => {
                log::log(log::Level::Warn, &rest(3), &[(key.to_owned(), value.to_owned())]);
            }
            ["env", key] => self.set("it", config::env(key).unwrap_or_else(|| "none".to_owned())),
            ["name"] => self.set("it", config::name()),
            ["index"] => self.set("it", config::index()),
            ["random"] => self.set("it", random::get()),
            // Ways to end a turn.
            ["fail", ..] => self.failed = Some(rest(1)),
            ["trap"] => {
                #[cfg(target_arch = "wasm32")]
                core::arch::wasm32::unreachable();
            }
            ["panic", ..] => panic!("{}", rest(1)),
            ["spin"] => spin(),
            // The script's own.
            ["let", name] => self.set(name, self.values.get("it").cloned().unwrap_or_default()),
            ["set", name, ..] => self.set(name, rest(2)),
            ["note", ..] => self.notes.push(rest(1)),
            ["forget"] => self.notes.clear(),
            ["on", event, script] => drop(self.on.insert(event.to_owned(), script.to_owned())),
            ["repeat", count, script] => {
                for turn in 0..number(count) {
                    self.set("i", turn);
                    self.run(script)?;
                }
            }
            ["since", then] => self.set("it", timer::now().saturating_sub(number(then)) / 1_000_000),
            ["echo"] => self.echo = true,
            ["sink"] => self.sink = true,
            _ => return Err(format!("the puppet does not know `{}`", words.join(" "))),
        }
        Ok(())
    }

    fn request(&mut self, to: &str, payload: &str, timeout: u32, within: u64) {
        self.put(messaging::request(address(to), 0, payload.as_bytes(), timeout, within));
    }
}
