//! Requests and answers, as the server and its clients know them. A line each, JSON; docs/control.md tells of them.
//!
//! Must hold: whatever the bytes are, [`Request::parse`] gives a request or a [`Problem`] with words, and needs no more
//! memory than some multiple of the line. What is added later has a default, so that older clients go on.

mod arguments;
mod details;
mod live;
mod payload;
mod reload;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::CallError;

/// Longest line of a request in bytes, without its end.
pub const LINE_MAX: usize = 1 << 20;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Comes back with each answer.
    pub id: u64,
    /// Needed over TCP.
    pub token: Option<String>,
    pub command: Command,
}

/// Each with its arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// Which host is this? Answer: [`Pong`].
    Ping(Nothing),
    /// The actors. Answer: [`Actors`].
    Ps(Ps),
    /// One actor. Answer: [`ActorInfo`].
    Info(Who),
    /// Supervisors with their members, and who spawned whom. Answer: [`Tree`].
    Tree(Nothing),
    /// The modules in the versions that actors have. Answer: [`Modules`].
    Modules(Nothing),
    /// Armed timers, the next one first. Answer: [`Timers`].
    Timers(Few),
    /// Who waits for whom. Answer: [`Waits`].
    Waits(Nothing),
    /// Why an actor does not get on. Takes half a second. Answer: [`Why`].
    Why(Who),
    /// Each turn of an actor, as events ([`TraceEvent`]), until the client sends something, goes away, or the actor ends. Answer
    /// then: [`Traced`].
    Trace(Who),
    /// An actor's mailbox again and again, as events ([`MailboxEvent`]), until as above. Answer then: [`Traced`].
    WatchMailbox(WatchMailbox),
    /// How much is logged, from now on. Answer: [`LogLevels`], as they are then.
    Log(Log),
    /// Open sockets. Answer: [`Sockets`].
    Netstat(Few),
    /// A message that wants no answer. Answer: [`Nothing`], when it is in the mailbox.
    Send(Send),
    /// A request. Answer: [`Reply`].
    Call(Call),
    /// A signal's event. Answer: [`Nothing`].
    Signal(Signal),
    /// Ends an actor; its supervisor may give it another instance. Answer: [`Nothing`], before it has ended.
    Kill(Kill),
    /// Gives an actor of a supervisor another instance. Answer: [`Nothing`], before it has one.
    Restart(Kill),
    /// Another version of modules for the actors that run. Answer: [`Reloaded`], when it is done.
    Reload(Reload),
    /// Ends the host gracefully. Answer: [`Nothing`], at once; the connection ends with the host.
    Stop(Nothing),
}

/// What an actor answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    pub reply: Payload,
}

/// The host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    pub app: String,
    pub manifest: String,
    pub pid: u32,
    /// Of the program.
    pub version: String,
    pub workers: usize,
    pub actors: usize,
    pub uptime_ms: u64,
}

/// Actors, and how many there are in all that the filter lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actors {
    pub actors: Vec<ActorRow>,
    pub total: usize,
}

/// One actor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorRow {
    pub address: String,
    /// Its first registered name, or what it is called in the manifest.
    pub name: String,
    pub module: String,
    pub version: String,
    /// `idle`, `queued`, `running`, `cut`, `parked`, `resting`.
    pub state: String,
    /// Messages that wait.
    pub mailbox: usize,
    pub cpu_us: u64,
    pub memory: usize,
    pub messages: u64,
    pub age_ms: u64,
}

pub use arguments::{Call, Few, Kill, LevelName, Log, Nothing, Ps, Send, Signal, SignalName, Sort, WatchMailbox, Who};
pub use details::{
    ActorInfo, Caller, LimitRow, Membership, ModuleRow, Modules, Node as TreeNode, Running, SocketRow, Sockets, Spread,
};
pub use details::{TimerRow, Timers, Tree};
pub use live::{LogLevel, LogLevels, MailboxEvent, Sender, TraceEvent, Traced, Wait, Waits, Why};
pub use payload::Payload;
pub use reload::{Kept, Reload, ReloadAction, ReloadRow, Reloaded};

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// For programs.
    pub code: Cow<'static, str>,
    /// For people.
    pub message: String,
}

impl Problem {
    /// A request that cannot be understood.
    pub const BAD_REQUEST: &'static str = "bad-request";
    /// The token is missing, or another one.
    pub const UNAUTHORIZED: &'static str = "unauthorized";
    /// Too many clients.
    pub const BUSY: &'static str = "busy";
    /// Nobody has this address or name.
    pub const NO_SUCH_ACTOR: &'static str = "no-such-actor";
    /// Several actors have this name.
    pub const AMBIGUOUS: &'static str = "ambiguous";

    /// With its words.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        Self::new(error.code.name(), error.reason)
    }
}

/// What a request came to: JSON, or why it was not carried out.
pub type Answer = Result<String, Problem>;

/// A value as an answer.
pub fn json(value: &impl Serialize) -> Answer {
    // Only maps whose keys are no text cannot be written, and no answer has one.
    serde_json::to_string(value).map_err(|error| Problem::new("internal", error.to_string()))
}

impl Request {
    /// Reads a line. Errors: the problem, and the request's number if it has one.
    pub fn parse(line: &[u8]) -> Result<Self, (u64, Problem)> {
        let bad = |id, words: String| (id, Problem::new(Problem::BAD_REQUEST, words));
        let value: Value = serde_json::from_slice(line).map_err(|error| bad(0, format!("no JSON: {error}")))?;
        let Value::Object(mut fields) = value else {
            return Err(bad(0, "a request is an object: {\"id\":1,\"command\":\"ping\"}".to_owned()));
        };
        let id = match fields.remove("id") {
            None => 0,
            Some(id) => id.as_u64().ok_or_else(|| bad(0, "`id` must be a whole number".to_owned()))?,
        };
        let token = match fields.remove("token") {
            None => None,
            Some(Value::String(token)) => Some(token),
            Some(_) => return Err(bad(id, "`token` must be text".to_owned())),
        };
        let command = Command::deserialize(Value::Object(fields)).map_err(|error| bad(id, error.to_string()))?;
        Ok(Self { id, token, command })
    }

    /// The line, with its end.
    pub fn line(&self) -> String {
        let mut value = serde_json::to_value(&self.command).unwrap_or_default();
        value["id"] = self.id.into();
        if let Some(token) = &self.token {
            value["token"] = token.as_str().into();
        }
        format!("{value}\n")
    }
}

/// One line of the server: the end of a request, or an event before it.
#[derive(Clone, Debug, Deserialize)]
pub struct Response {
    #[serde(default)]
    pub id: u64,
    /// There are more lines for this request.
    pub event: Option<Value>,
    pub ok: Option<Value>,
    pub error: Option<Problem>,
}

/// A line before that.
pub fn event(id: u64, event: &impl Serialize) -> Result<String, Problem> {
    json(event).map(|event| format!("{{\"id\":{id},\"event\":{event}}}\n"))
}

/// The line that ends a request.
pub fn response(id: u64, answer: &Answer) -> String {
    match answer {
        Ok(value) => format!("{{\"id\":{id},\"ok\":{value}}}\n"),
        Err(problem) => format!("{}\n", serde_json::json!({ "id": id, "error": problem })),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Call, Command, Few, Kill, Nothing, Payload, Problem, Ps, Request, Response, Signal, SignalName, Sort, Who,
        json, response,
    };

    #[test]
    fn requests_come_back() {
        let ps = Ps { filter: Some("a*".to_owned()), sort: Sort::Cpu, limit: 3 };
        let actor = || "a".to_owned();
        let payload = Payload::Value(serde_json::json!({ "id": [1.5, null] }));
        let commands = [
            Command::Ping(Nothing {}),
            Command::Ps(ps),
            Command::Info(Who { actor: actor() }),
            Command::Timers(Few { actor: Some(actor()), limit: 1 }),
            Command::Call(Call { actor: actor(), kind: 2, payload, timeout_ms: Some(5) }),
            Command::Signal(Signal { actor: actor(), signal: SignalName::User1 }),
            Command::Kill(Kill { actor: actor(), reason: None }),
            Command::Stop(Nothing {}),
        ];
        for command in commands {
            for token in [None, Some("secret".to_owned())] {
                let request = Request { id: 7, token, command: command.clone() };
                let line = request.line();
                assert_eq!(Request::parse(line.trim_end().as_bytes()), Ok(request), "{line}");
            }
        }
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let request = Request::parse(br#"{"command":"ps"}"#).expect("enough");
        assert_eq!(request, Request { id: 0, token: None, command: Command::Ps(Ps::default()) });
    }

    #[test]
    fn bad_requests_are_told_what_is_wrong() {
        for (line, id, words) in [
            ("", 0, "no JSON"),
            ("[]", 0, "is an object"),
            ("{}", 0, "missing field `command`"),
            (r#"{"id":"x"}"#, 0, "`id` must be"),
            (r#"{"id":3,"token":1}"#, 3, "`token` must be"),
            (r#"{"id":3,"command":"fly"}"#, 3, "unknown variant `fly`, expected one of `ping`"),
            (r#"{"id":3,"command":"ps","colour":1}"#, 3, "unknown field `colour`"),
            (r#"{"id":3,"command":"stop","now":true}"#, 3, "unknown field `now`"),
        ] {
            let (got, problem) = Request::parse(line.as_bytes()).expect_err(line);
            assert_eq!((got, &*problem.code), (id, Problem::BAD_REQUEST), "{line}");
            assert!(problem.message.contains(words), "{line}: {problem}");
        }
        let deep = "[".repeat(100_000);
        assert!(Request::parse(deep.as_bytes()).is_err());
    }

    #[test]
    fn answers_come_back() {
        let read = |line: &str| serde_json::from_str::<Response>(line).expect("an answer");
        let ok = read(&response(5, &json(&Nothing {})));
        assert!(ok.id == 5 && ok.ok.is_some() && ok.error.is_none());
        let problem = Problem::new(Problem::AMBIGUOUS, "a \"b\"\n");
        assert_eq!(read(&response(6, &Err(problem.clone()))).error, Some(problem));
    }
}
