//! Another module for running actors: state goes over, messages wait, and whatever goes wrong leaves the old instance.

use std::time::Duration;

use crate::actor::{Behavior, Fault, Module, Turn, Unsaved};
use crate::base::sync::Arc;
use crate::base::{Address, Body, CallError, ErrorCode, Grants, Payload, Session};
use crate::net::Net;
use crate::node::{
    Context, Limits, ModuleEntry, Node, NodeOptions, ReloadError, ReloadOptions, ReloadReport, SpawnSpec,
};
use crate::sched::Letter;
use crate::threads::Threads;
use crate::time::Clock;

/// Long enough for anything, short enough to notice that it hangs.
pub(super) const LONG: Duration = Duration::from_secs(60);

/// What an exchange does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Nothing,
    Save,
    BreakInSave,
    /// The same, of one that has counted something.
    BreakIfCounted,
    Create,
    Load,
    /// `load` calls `exit`.
    Exit,
    /// `load` takes its time.
    Slow,
    NoState,
    /// No state, and `init` fails.
    Init,
    /// Nothing: and requests in flight go over.
    Travels,
}

/// Counts messages; a request is answered with the version and the count, one with "hold" is kept until "free" comes.
struct Counter {
    version: &'static str,
    wrong: Wrong,
    count: u64,
    held: Option<Session>,
}

impl Behavior<Context> for Counter {
    fn init(&mut self, _cx: &mut Context) -> Turn {
        Turn::Done(if self.wrong == Wrong::Init { Err("not today".to_owned()) } else { Ok(()) })
    }

    fn handle(&mut self, cx: &mut Context, letter: Letter) -> Turn {
        let payload = match letter.open().body {
            Body::Message { payload, .. } => payload,
            Body::Timeout => {
                self.count += 100;
                return Turn::Done(Ok(()));
            }
            _ => return Turn::Done(Ok(())),
        };
        match &payload[..] {
            b"add" => self.count += 1,
            b"timer" => drop(cx.timeout(30)),
            b"hold" => self.held = cx.defer().ok(),
            b"free" => {
                if let Some(session) = self.held.take() {
                    cx.reply(session, Payload::from(&b"freed"[..])).expect("it is open");
                }
            }
            _ => {
                let text = format!("{} {}", self.version, self.count);
                cx.ret(Payload::from(text.as_bytes())).expect("a request");
            }
        }
        Turn::Done(Ok(()))
    }

    fn resume(&mut self, _cx: &mut Context) -> Turn {
        Turn::Parked
    }

    fn save(&mut self, cx: &mut Context, in_flight: u32) -> Result<Option<Vec<u8>>, Unsaved> {
        let refused = cx.send(cx.address(), 0, Payload::from(&b"add"[..])).expect_err("it may fail, and others know");
        assert_eq!(refused.code, ErrorCode::Invalid);
        match self.wrong {
            Wrong::Save => Err(Unsaved::Refused("not now".to_owned())),
            Wrong::BreakInSave => Err(Unsaved::Broken(Fault::Trap("boom".to_owned()))),
            Wrong::BreakIfCounted if self.count > 0 => Err(Unsaved::Broken(Fault::Trap("boom".to_owned()))),
            Wrong::Travels => Ok(Some([self.count, self.held.map_or(0, |held| held.0)].map(u64::to_le_bytes).concat())),
            _ if in_flight > 0 => Ok(None),
            _ => Ok(Some([self.count, 0].map(u64::to_le_bytes).concat())),
        }
    }

    fn load(&mut self, cx: &mut Context, state: &[u8], from: &str) -> Result<(), String> {
        cx.timeout(10).expect("within the limit");
        match self.wrong {
            Wrong::Load => return Err(format!("nothing from {from}")),
            Wrong::Exit => cx.exit("no more".to_owned()),
            Wrong::Slow => std::thread::sleep(Duration::from_millis(30)),
            _ => {}
        }
        let [count, held] = state.as_chunks().0 else { return Err("16 bytes".to_owned()) };
        self.count = u64::from_le_bytes(*count);
        self.held = Some(Session(u64::from_le_bytes(*held))).filter(|held| !held.is_none());
        Ok(())
    }
}

struct Counters(&'static str, Wrong);

impl Module<Context> for Counters {
    fn create(&self, _cx: &mut Context) -> Result<Box<dyn Behavior<Context>>, String> {
        if self.1 == Wrong::Create {
            return Err("no room".to_owned());
        }
        Ok(Box::new(Counter { version: self.0, wrong: self.1, count: 0, held: None }))
    }

    fn keeps(&self) -> bool {
        !matches!(self.1, Wrong::NoState | Wrong::Init)
    }

    fn version(&self) -> &str {
        self.0
    }
}

fn entry(version: &'static str, wrong: Wrong) -> ModuleEntry {
    ModuleEntry { module: Arc::new(Counters(version, wrong)), grants: Arc::new(Grants::all()), limits: Limits::free() }
}

pub(super) struct Host {
    pub(super) node: Arc<Node>,
    threads: Threads,
}

impl Host {
    pub(super) fn start(wrong: Wrong) -> (Self, Address) {
        let (net, poller) = Net::new().expect("a poll descriptor");
        let node = Node::new(NodeOptions { workers: 2, ..NodeOptions::default() }, Clock::real(), net);
        let threads = Threads::start(node.clone(), poller);
        node.add_module("counter", entry("one", wrong));
        let spec = SpawnSpec { module: "counter".into(), names: vec![".counter".into()], ..SpawnSpec::default() };
        let counter = node.spawn_and_wait(spec, LONG).expect("it starts");
        (Self { node, threads }, counter)
    }

    fn reload(&self, version: &'static str, wrong: Wrong, restart: bool) -> ReloadReport {
        let options = ReloadOptions { restart, ..ReloadOptions::default() };
        self.node.reload("counter", entry(version, wrong), options).expect("the module is known")
    }

    fn add(&self, to: Address) {
        self.tell(to, b"add");
    }

    fn ask(&self, to: Address, what: &str) -> Result<String, CallError> {
        let answer = self.node.call(to, 0, Payload::from(what.as_bytes()), LONG);
        answer.map(|payload| String::from_utf8_lossy(&payload).into_owned())
    }

    fn tell(&self, to: Address, what: &[u8]) {
        self.node.post(to, 0, Payload::from(what)).expect("it lives");
    }

    fn version(&self, actor: Address) -> String {
        let view = self.node.view(actor, &self.node.watch_workers()).expect("it lives");
        view.edition.version.to_string()
    }

    fn another(&self) -> Address {
        let spec = SpawnSpec { module: "counter".into(), ..SpawnSpec::default() };
        self.node.spawn_and_wait(spec, LONG).expect("it starts")
    }

    /// Waits until an actor was given so many messages.
    fn has_had(&self, actor: Address, messages: u64) {
        while self.node.table.get(actor).is_some_and(|slot| slot.usage.messages() < messages) {
            std::thread::yield_now();
        }
    }

    fn until(&self, actor: Address, shown: &str) {
        while self.ask(actor, "show").as_deref() != Ok(shown) {
            std::thread::yield_now();
        }
    }

    pub(super) fn stop(self) {
        self.threads.stop();
    }
}

#[test]
fn state_goes_over_and_address_name_and_timers_stay() {
    let (host, counter) = Host::start(Wrong::Nothing);
    host.add(counter);
    host.add(counter);
    host.tell(counter, b"timer");
    let report = host.reload("two", Wrong::Nothing, false);
    assert_eq!((report.exchanged, report.restarted, &report.kept[..]), (1, 0, &[][..]));
    assert_eq!((&*report.from, &*report.to, report.pauses.total()), ("one", "two", 1));
    assert_eq!(host.node.lookup(".counter"), Some(counter));
    assert_eq!(host.version(counter), "two");
    // The old instance's timer, and the one of `load`.
    host.until(counter, "two 202");
    let other = host.another();
    assert_eq!(host.ask(other, "show").as_deref(), Ok("two 0"), "new actors are of the new module");
    host.stop();
}

#[test]
fn whatever_goes_wrong_the_old_one_goes_on() {
    for (old, new, why) in [
        (Wrong::Save, Wrong::Nothing, "not now"),
        (Wrong::Nothing, Wrong::Create, "no room"),
        (Wrong::Nothing, Wrong::Load, "nothing from one"),
        (Wrong::Nothing, Wrong::Exit, "it called `exit`"),
        (Wrong::Nothing, Wrong::Slow, "`load` took longer than 20ms"),
        (
            Wrong::Nothing,
            Wrong::NoState,
            "its module has no `save` and `load` (in both versions): it could only begin anew",
        ),
    ] {
        let (host, counter) = Host::start(old);
        host.add(counter);
        let options = ReloadOptions { step: Duration::from_millis(20), ..ReloadOptions::default() };
        let report = host.node.reload("counter", entry("two", new), options).expect("known");
        assert_eq!((report.exchanged, report.kept), (0, vec![(counter, why.to_owned())]));
        host.add(counter);
        std::thread::sleep(Duration::from_millis(15));
        assert_eq!(host.ask(counter, "show").as_deref(), Ok("one 2"), "{why}: no timer of `load`");
        assert_eq!(host.version(counter), "one");
        let other = host.another();
        assert_eq!(host.ask(other, "show").as_deref(), Ok("one 0"), "nobody has the new module");
        host.stop();
    }
}

#[test]
fn one_that_breaks_while_it_saves_ends_as_by_any_fault() {
    let (host, counter) = Host::start(Wrong::BreakInSave);
    let report = host.reload("two", Wrong::Nothing, false);
    assert_eq!(report.kept, [(counter, "it broke in `save`, and cannot go on: boom".to_owned())]);
    let error = host.ask(counter, "show").expect_err("it has ended");
    // It may just be at it.
    assert!([ErrorCode::NoSuchActor, ErrorCode::ActorFailed].contains(&error.code), "{error}");
    host.stop();
}

#[test]
fn a_state_over_the_limit_does_not_travel() {
    let (host, counter) = Host::start(Wrong::Nothing);
    let options = ReloadOptions { state: 7, ..ReloadOptions::default() };
    let report = host.node.reload("counter", entry("two", Wrong::Nothing), options).expect("known");
    assert_eq!(report.kept, [(counter, "its state has 16 bytes, the limit is 7".to_owned())]);
    assert_eq!(host.ask(counter, "show").as_deref(), Ok("one 0"));
    host.stop();
}

#[test]
fn modules_that_keep_nothing_begin_anew_if_that_was_said() {
    let (host, counter) = Host::start(Wrong::NoState);
    host.add(counter);
    let report = host.reload("two", Wrong::NoState, true);
    assert_eq!((report.exchanged, report.restarted, report.kept), (0, 1, vec![]));
    assert_eq!(host.ask(counter, "show").as_deref(), Ok("two 0"));
    assert_eq!(host.node.lookup(".counter"), Some(counter));
    let report = host.reload("three", Wrong::Init, true);
    let why = "`init` of the new version failed, the old one began anew: not today";
    assert_eq!((report.restarted, report.kept), (0, vec![(counter, why.to_owned())]));
    assert_eq!(host.ask(counter, "show").as_deref(), Ok("two 0"));
    host.stop();
}

#[test]
fn requests_in_flight_end_in_the_old_instance_and_messages_wait_for_the_new_one() {
    let (host, counter) = Host::start(Wrong::Nothing);
    std::thread::scope(|scope| {
        let held = scope.spawn(|| host.ask(counter, "hold"));
        host.has_had(counter, 1);
        let grace = Duration::from_millis(800);
        let options = ReloadOptions { grace, ..ReloadOptions::default() };
        let reload = scope.spawn(|| host.node.reload("counter", entry("two", Wrong::Nothing), options));
        host.has_had(counter, 2);
        assert_eq!(host.ask(counter, "show").as_deref(), Ok("one 0"), "it serves on meanwhile");
        // In the second half ordinary messages are held back; the others come through, and end what is in flight.
        host.has_had(counter, 4);
        let show = scope.spawn(|| host.ask(counter, "show"));
        host.has_had(counter, 5);
        assert_eq!(host.node.mailbox_len(counter), Some(1), "it counts, and waits");
        let report = reload.join().expect("no panic").expect("known");
        assert_eq!(report.kept.len(), 1, "what was in flight did not end");
        assert_eq!(show.join().expect("no panic").as_deref(), Ok("one 0"), "nothing was lost");
        host.tell(counter, b"free");
        assert_eq!(held.join().expect("no panic").as_deref(), Ok("freed"));
    });
    assert_eq!(host.reload("two", Wrong::Nothing, false).exchanged, 1);
    host.stop();
}

#[test]
fn one_that_waits_is_exchanged_as_soon_as_nothing_is_in_flight() {
    let (host, counter) = Host::start(Wrong::Nothing);
    std::thread::scope(|scope| {
        let held = scope.spawn(|| host.ask(counter, "hold"));
        host.has_had(counter, 1);
        let reload = scope.spawn(|| host.reload("two", Wrong::Nothing, false));
        host.has_had(counter, 2);
        host.tell(counter, b"free");
        assert_eq!(held.join().expect("no panic").as_deref(), Ok("freed"));
        assert_eq!(reload.join().expect("no panic").exchanged, 1);
    });
    // The timer of its `load` comes, now or later.
    host.until(counter, "two 100");
    host.stop();
}

#[test]
fn requests_in_flight_travel_if_the_guest_can_take_them_along() {
    let (host, counter) = Host::start(Wrong::Travels);
    std::thread::scope(|scope| {
        let held = scope.spawn(|| host.ask(counter, "hold"));
        host.has_had(counter, 1);
        assert_eq!(host.reload("two", Wrong::Travels, false).exchanged, 1);
        host.tell(counter, b"free");
        assert_eq!(held.join().expect("no panic").as_deref(), Ok("freed"), "the new instance answers");
    });
    host.stop();
}

#[test]
fn a_trial_is_committed_or_rolled_back_and_so_is_the_last_version() {
    let (host, first) = Host::start(Wrong::Nothing);
    let mut actors: Vec<Address> = (0..9).map(|_| host.another()).collect();
    actors.push(first);
    let versions = || {
        let of = |actor: &Address| host.version(*actor);
        actors.iter().map(of).filter(|version| version == "two").count()
    };
    let options = ReloadOptions::default;
    let trial = || host.node.reload_some("counter", entry("two", Wrong::Nothing), 30, options()).expect("known");
    let report = trial();
    assert_eq!((report.exchanged, report.untouched, versions()), (3, 7, 3));
    let refused = host.node.reload("counter", entry("three", Wrong::Nothing), options());
    assert_eq!(refused, Err(ReloadError::OnTrial("counter".to_owned())));
    let other = host.another();
    assert_eq!(host.ask(other, "show").as_deref(), Ok("one 0"), "births are of the old one");
    assert_eq!((host.node.rollback("counter", options()).expect("a trial").exchanged, versions()), (3, 0));
    assert_eq!(trial().exchanged, 4, "of eleven");
    assert_eq!((host.node.commit("counter", options()).expect("a trial").exchanged, versions()), (7, 10));
    let known = host.node.versions("counter").expect("known");
    assert_eq!((&*known.current, known.former.as_deref(), known.trial), ("two", Some("one"), None));
    assert_eq!((host.node.rollback("counter", options()).expect("a former one").exchanged, versions()), (11, 0));
    assert_eq!(host.node.versions("counter").expect("known").former.as_deref(), Some("two"), "and forth again");
    host.stop();
}

#[test]
fn when_the_first_one_refuses_the_others_are_not_asked() {
    let (host, _) = Host::start(Wrong::Nothing);
    for _ in 0..9 {
        host.another();
    }
    let report = host.reload("two", Wrong::Load, false);
    assert_eq!((report.exchanged, report.kept.len(), report.untouched), (0, 1, 9));
    host.stop();
}

#[test]
fn after_one_that_breaks_nobody_is_asked_until_somebody_says_so() {
    let (host, _first) = Host::start(Wrong::BreakIfCounted);
    let others: Vec<Address> = (0..20).map(|_| host.another()).collect();
    host.add(others[0]);
    host.has_had(others[0], 1);
    let report = host.reload("b", Wrong::Nothing, false);
    assert!(report.broke && report.exchanged > 0 && report.untouched > 0, "{report:?}");
    assert_eq!((report.kept.len(), report.exchanged + report.untouched), (1, 20));
    assert!(report.kept[0].1.contains("it broke in `save`, and cannot go on: "), "{report:?}");
    let versions = host.node.versions("counter").expect("known");
    assert_eq!((versions.current.as_str(), versions.trial.as_deref()), ("one", Some("b")));
    let report = host.node.commit("counter", ReloadOptions::default()).expect("it is a trial");
    assert_eq!((report.broke, report.kept.len()), (false, 0));
    assert!(others[1..].iter().all(|actor| host.version(*actor) == "b"));
    host.stop();
}
