//! `grants` from the outside: what means nothing is a fault.

use super::{APP, check_grants, first, good};
use crate::base::Pattern;

#[test]
fn grants_that_mean_nothing_are_faults() {
    check_grants(
        "spawn = [\"acount\"]",
        "app.toml:8:21: error: `spawn` grants `acount`, but there is no such module\n  hint: did you mean `account`?",
    );
    check_grants(
        "send = [\".alice\"]",
        "app.toml:8:20: error: `send` grants `.alice`, but there is no such actor or module\n  hint: write `alice`, without the dot",
    );
    check_grants(
        "kill = [\"x*\"]",
        "app.toml:8:20: error: `kill` grants `x*`, but there is no such actor or module\n  hint: there are account, alice",
    );
    check_grants(
        "env = [\"HOME\"]",
        "app.toml:8:19: error: `env` grants `HOME`, but there is no such key of [env]\n  hint: there are none",
    );
    check_grants(
        "names = [\"bank\"]",
        "app.toml:8:21: error: `names` cannot grant `bank`\n  hint: names start with a dot: \".bank\", \".bank*\", or \"*\" for all",
    );
    check_grants(
        "control = { reload = [\"acount\"] }",
        "app.toml:8:34: error: `reload` grants `acount`, but there is no such module\n  hint: did you mean `account`?",
    );
    check_grants(
        "control = { kill = [\"*\"] }",
        "app.toml:8:24: error: unknown key `kill` in `control` in the grants of actor `alice`\n  hint: keys here: reload, restart, ps",
    );
    check_grants(
        "control = [\"reload\"]",
        "app.toml:8:22: error: `control` in the grants of actor `alice` must be a table, not a list",
    );
    good(&format!("{APP}grants = {{ control = {{ reload = [\"*\"], restart = [\"ali*\"], ps = [\"account\"] }} }}\n"));
    good(&format!("{APP}grants = {{ names = [\".*\", \"*\"], send = [\"ali*\", \"*\"], env = [\"*\"] }}\n"));
}

#[test]
fn addresses_are_checked() {
    let hint = "  hint: write \"IP:PORT\" (\"127.0.0.1:7379\", \"[::1]:80\"), \"IP:*\" for all ports, or \"*\"";
    for bad in ["localhost:80", "127.0.0.1", "127.0.0.1:70000", "::1:*", "[127.0.0.1]:*", "1.2.*", "*:80", ""] {
        check_grants(
            &format!("listen = [\"{bad}\"]"),
            &format!("app.toml:8:22: error: `listen` cannot grant `{bad}`: not an address\n{hint}"),
        );
    }
    let manifest = good(&format!("{APP}grants = {{ connect = [\"[0::1]:80\", \"*\"] }}\n"));
    let grants = first(&manifest).grants.clone().expect("own grants");
    assert_eq!(grants.connect[0], Pattern::Exact("[::1]:80".to_owned()), "as addresses are printed");
}

#[test]
fn folders_must_be_there() {
    check_grants(
        "files = [{ host = \"gone\", guest = \"/a\" }, { host = \"data\", guest = \"b\" }, { hots = \"data\" }]",
        "app.toml:8:30: error: `gone` does not exist\n  hint: make it: mkdir -p gone\n\
         app.toml:8:79: error: `guest` must be an absolute path, not `b`\n  hint: write `/b`\n\
         app.toml:8:86: error: an entry of `files` has no `host`\n  hint: write files = [{ host = \"data\", guest = \"/data\", write = true }]\n\
         app.toml:8:86: error: an entry of `files` has no `guest`\n  hint: write files = [{ host = \"data\", guest = \"/data\", write = true }]\n\
         app.toml:8:88: error: unknown key `hots` in an entry of `files`\n  hint: did you mean `host`?",
    );
}
