//! What an actor may touch. Written in the manifest, kept with the module, asked before each outward step.
//!
//! Must hold: deny by default: the default grants nothing that reaches outside of the actor. What an actor starts never gets
//! more than it has itself ([`Grants::within`]).

use std::fmt;
use std::net::SocketAddr;
use std::path::{Component, PathBuf};

/// A name, or all names that start with a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    Exact(String),
    Prefix(String),
}

impl Pattern {
    /// `bank*` is a prefix, `*` matches all, everything else is exact.
    pub fn parse(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(prefix) => Self::Prefix(prefix.to_owned()),
            None => Self::Exact(text.to_owned()),
        }
    }

    /// Whether a name is meant.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == name,
            Self::Prefix(prefix) => name.starts_with(prefix),
        }
    }

    /// Whether this is `*`.
    pub fn matches_all(&self) -> bool {
        matches!(self, Self::Prefix(prefix) if prefix.is_empty())
    }

    /// Whether every name that is meant by the other one is meant by this one.
    fn covers(&self, other: &Self) -> bool {
        match other {
            Self::Exact(name) => self.matches(name),
            Self::Prefix(prefix) => matches!(self, Self::Prefix(own) if prefix.starts_with(own)),
        }
    }

    /// Names that are meant by a pattern of both lists, as patterns.
    fn both(ours: &[Self], theirs: &[Self]) -> Vec<Self> {
        let mut both: Vec<Self> = Vec::new();
        for one in ours {
            for other in theirs {
                let narrow = if other.covers(one) { Some(one) } else { Some(other).filter(|other| one.covers(other)) };
                if let Some(narrow) = narrow.filter(|narrow| !both.contains(narrow)) {
                    both.push(narrow.clone());
                }
            }
        }
        both
    }

    /// Whether each of these patterns is covered by one of those.
    fn all_within(these: &[Self], those: &[Self]) -> bool {
        these.iter().all(|one| those.iter().any(|other| other.covers(one)))
    }

    /// Whether any of the patterns means the name.
    pub fn any(patterns: &[Self], name: &str) -> bool {
        patterns.iter().any(|pattern| pattern.matches(name))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

/// A folder that WASI shows to the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    pub host: PathBuf,
    pub guest: String,
    pub write: bool,
}

impl Folder {
    /// What of this folder may be had by who has that one. A path that goes up again is not looked through.
    fn within(&self, other: &Self) -> Option<Self> {
        let up = self.host.components().any(|part| part == Component::ParentDir);
        let inside = self.host == other.host || !up && self.host.starts_with(&other.host);
        inside.then(|| Self { write: self.write && other.write, ..self.clone() })
    }
}

/// What operators do, for actors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Modules.
    pub reload: Vec<Pattern>,
    /// Actors that may be given another instance, and that are listed.
    pub restart: Vec<Pattern>,
    pub ps: Vec<Pattern>,
}

/// Everything that can be granted. `listen` and `connect` match the printed `IP:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    pub send: Vec<Pattern>,
    pub names: Vec<Pattern>,
    pub spawn: Vec<Pattern>,
    pub kill: Vec<Pattern>,
    pub listen: Vec<Pattern>,
    pub connect: Vec<Pattern>,
    pub env: Vec<Pattern>,
    pub files: Vec<Folder>,
    pub control: Control,
    /// Clocks. Without it they stand still.
    pub clock: bool,
    /// Entropy. Without it there is a sequence that is the same each time.
    pub random: bool,
    /// Lines in the log. Without it they go nowhere.
    pub log: bool,
}

impl Default for Grants {
    fn default() -> Self {
        let none = Vec::new;
        Self {
            send: none(),
            names: none(),
            spawn: none(),
            kill: none(),
            listen: none(),
            connect: none(),
            env: none(),
            files: Vec::new(),
            control: Control::default(),
            clock: true,
            random: true,
            log: true,
        }
    }
}

impl Grants {
    /// The manifest's words for them.
    pub const KEYS: [&str; 14] = [
        "send",
        "names",
        "spawn",
        "kill",
        "listen",
        "connect",
        "env",
        "files",
        "control.reload",
        "control.restart",
        "control.ps",
        "clock",
        "random",
        "log",
    ];

    /// Everything but files: for native behaviors in tests and benches.
    pub fn all() -> Self {
        let all = || vec![Pattern::Prefix(String::new())];
        Self {
            send: all(),
            names: all(),
            spawn: all(),
            kill: all(),
            listen: all(),
            connect: all(),
            env: all(),
            control: Control { reload: all(), restart: all(), ps: all() },
            ..Self::default()
        }
    }

    fn lists(&self) -> [(&'static str, &[Pattern]); 10] {
        [
            ("send", &self.send),
            ("names", &self.names),
            ("spawn", &self.spawn),
            ("kill", &self.kill),
            ("listen", &self.listen),
            ("connect", &self.connect),
            ("env", &self.env),
            ("control.reload", &self.control.reload),
            ("control.restart", &self.control.restart),
            ("control.ps", &self.control.ps),
        ]
    }

    /// What is granted beyond the default, with the patterns or folders.
    pub fn given(&self) -> Vec<(&'static str, String)> {
        let lists = self.lists().into_iter().filter(|(_, patterns)| !patterns.is_empty());
        let text = |patterns: &[Pattern]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut given: Vec<_> = lists.map(|(key, patterns)| (key, text(patterns))).collect();
        if !self.files.is_empty() {
            let word = |folder: &Folder| {
                let way = if folder.write { "read and write" } else { "read" };
                format!("{} as {} ({way})", folder.host.display(), folder.guest)
            };
            given.push(("files", self.files.iter().map(word).collect::<Vec<_>>().join(", ")));
        }
        given
    }

    /// What is off that is on by default.
    pub fn withheld(&self) -> Vec<&'static str> {
        let switches = [("clock", self.clock), ("random", self.random), ("log", self.log)];
        switches.into_iter().filter(|(_, on)| !on).map(|(key, _)| key).collect()
    }

    /// Whether anything of this kind is granted.
    pub fn has(&self, key: &str) -> bool {
        match key {
            "files" => !self.files.is_empty(),
            "clock" | "random" | "log" => !self.withheld().contains(&key),
            key => self.lists().iter().any(|(name, patterns)| *name == key && !patterns.is_empty()),
        }
    }

    /// Whether all of this is granted by the others, too.
    pub fn is_within(&self, others: &Self) -> bool {
        let lists = self.lists().into_iter().zip(others.lists());
        lists.into_iter().all(|((_, ours), (_, theirs))| Pattern::all_within(ours, theirs))
            && self
                .files
                .iter()
                .all(|folder| others.files.iter().any(|other| folder.within(other).as_ref() == Some(folder)))
            && self.withheld().len() >= others.withheld().len()
            && others.withheld().iter().all(|key| self.withheld().contains(key))
    }

    /// What of this is granted by the others, too: what an actor with those can hand on.
    #[must_use]
    pub fn within(&self, others: &Self) -> Self {
        let folders = self.files.iter().filter_map(|folder| {
            let mut parts = others.files.iter().filter_map(|other| folder.within(other)).collect::<Vec<_>>();
            // The one that may be written, if there is one.
            parts.sort_by_key(|part| !part.write);
            parts.into_iter().next()
        });
        Self {
            send: Pattern::both(&self.send, &others.send),
            names: Pattern::both(&self.names, &others.names),
            spawn: Pattern::both(&self.spawn, &others.spawn),
            kill: Pattern::both(&self.kill, &others.kill),
            listen: Pattern::both(&self.listen, &others.listen),
            connect: Pattern::both(&self.connect, &others.connect),
            env: Pattern::both(&self.env, &others.env),
            files: folders.collect(),
            control: Control {
                reload: Pattern::both(&self.control.reload, &others.control.reload),
                restart: Pattern::both(&self.control.restart, &others.control.restart),
                ps: Pattern::both(&self.control.ps, &others.control.ps),
            },
            clock: self.clock && others.clock,
            random: self.random && others.random,
            log: self.log && others.log,
        }
    }

    /// Whether a socket address is granted by a list of patterns.
    pub fn address(patterns: &[Pattern], address: SocketAddr) -> bool {
        Pattern::any(patterns, &address.to_string())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Control, Folder, Grants, Pattern};

    fn list(text: &str) -> Vec<Pattern> {
        text.split(' ').filter(|text| !text.is_empty()).map(Pattern::parse).collect()
    }

    #[track_caller]
    fn both(ours: &str, theirs: &str, expected: &str) {
        let grants = |send: &str| Grants { send: list(send), ..Grants::default() };
        let (child, parent) = (grants(ours), grants(theirs));
        let got = child.within(&parent);
        assert_eq!(got.send, list(expected), "{ours} within {theirs}");
        assert!(got.is_within(&child) && got.is_within(&parent));
        assert_eq!(child.is_within(&parent), got.send == child.send, "{ours} within {theirs}");
    }

    #[test]
    fn patterns_within_patterns() {
        both("a", "a", "a");
        both("a", "b", "");
        both("*", "", "");
        both("", "*", "");
        both("*", "a b*", "a b*");
        both("a b*", "*", "a b*");
        both("shop*", "shop.front*", "shop.front*");
        both("shop.front*", "shop*", "shop.front*");
        both("shop.front", "shop*", "shop.front");
        both("shop*", "shop.front", "shop.front");
        both("shop.f*", "shop.b*", "");
        both("a* b", "ab* b ac", "ab* ac b");
    }

    #[test]
    fn folders_within_folders() {
        let folder = |host: &str, write| Folder { host: host.into(), guest: "/x".to_owned(), write };
        let grants = |files: &[Folder]| Grants { files: files.to_vec(), ..Grants::default() };
        let parent = grants(&[folder("data", false), folder("data/out", true)]);
        for (child, expected) in [
            (folder("data", true), Some(folder("data", false))),
            (folder("data/in", true), Some(folder("data/in", false))),
            (folder("data/out", true), Some(folder("data/out", true))),
            (folder("data/out/x", false), Some(folder("data/out/x", false))),
            (folder("data2", false), None),
            (folder("data/../secret", false), None),
            (folder("", false), None),
        ] {
            let got = grants(std::slice::from_ref(&child)).within(&parent);
            assert_eq!(got.files, expected.clone().into_iter().collect::<Vec<_>>(), "{child:?}");
            assert_eq!(grants(std::slice::from_ref(&child)).is_within(&parent), expected == Some(child));
        }
    }

    #[test]
    fn control_within_control() {
        let list = |text| list(text);
        let all = Control { reload: list("*"), restart: list("*"), ps: list("*") };
        let some = Control { reload: list("shop*"), restart: list(""), ps: list("a b") };
        let grants = |control: &Control| Grants { control: control.clone(), ..Grants::default() };
        assert_eq!(grants(&all).within(&grants(&some)).control, some);
        assert!(grants(&some).is_within(&grants(&all)) && !grants(&all).is_within(&grants(&some)));
        let given = [("control.reload", "shop*".to_owned()), ("control.ps", "a, b".to_owned())];
        assert_eq!(grants(&some).given(), given);
    }

    #[test]
    fn what_is_on_by_itself_can_be_off_for_good() {
        let quiet = Grants { log: false, clock: false, ..Grants::default() };
        let got = Grants::all().within(&quiet);
        assert_eq!((got.log, got.clock, got.random), (false, false, true));
        assert!(!Grants::default().is_within(&quiet) && quiet.is_within(&Grants::default()));
        assert_eq!((quiet.withheld(), quiet.has("log"), quiet.has("random")), (vec!["clock", "log"], false, true));
        assert_eq!(Grants::all().within(&Grants::default()), Grants::default());
    }
}
