//! Every limit, grant and budget of app.toml has a hostile guest that goes against it: which test that is. The tests stand where
//! the table says; here it is held against the manual, so that a new key without such a test is noticed.

use std::collections::BTreeSet;
use std::path::Path;

/// The section of docs/manifest.md, the key, the file below the repository, and the test in it.
const TABLE: &[(&str, &str, &str, &str)] = &[
    ("Limits", "memory", "tests/it/hostile.rs", "memory_grows_to_the_limit_and_no_further"),
    ("Limits", "table", "tests/it/limits.rs", "tables"),
    ("Limits", "turn", "tests/it/limits.rs", "turns"),
    ("Limits", "cpu", "tests/it/limits.rs", "a_share_of_a_core"),
    ("Limits", "mailbox", "tests/it/mailbox.rs", "a_flood_is_refused_and_the_others_are_served"),
    ("Limits", "mailbox-bytes", "tests/it/limits.rs", "a_mailbox_of_bytes"),
    ("Limits", "mailbox-full", "tests/it/mailbox.rs", "drop_oldest_takes_the_newest_and_answers_dropped_requests"),
    ("Limits", "payload", "tests/it/limits.rs", "payloads"),
    ("Limits", "requests", "tests/it/limits.rs", "requests"),
    ("Limits", "timers", "tests/it/limits.rs", "timers_end_the_actor_which_has_no_other_way_to_hear_of_it"),
    ("Limits", "sockets", "tests/it/limits.rs", "sockets_of_its_own"),
    ("Limits", "children", "tests/it/limits.rs", "children"),
    ("Limits", "watches", "tests/it/limits.rs", "watches_end_the_actor_which_has_no_other_way_to_hear_of_it"),
    ("Limits", "links", "tests/it/limits.rs", "links"),
    ("Limits", "names", "tests/it/limits.rs", "names"),
    ("Limits", "files", "tests/it/wasi.rs", "as_many_files_as_it_may_hold"),
    ("Limits", "log", "tests/it/limits.rs", "lines_of_the_log"),
    ("Grants", "send", "tests/it/grants.rs", "without_grants_nothing_outward_works"),
    ("Grants", "names", "tests/it/grants.rs", "names_and_modules_are_granted_by_pattern"),
    ("Grants", "spawn", "tests/it/grants.rs", "names_and_modules_are_granted_by_pattern"),
    ("Grants", "kill", "tests/it/grants.rs", "without_grants_nothing_outward_works"),
    ("Grants", "listen", "tests/it/grants.rs", "addresses_are_granted_one_by_one"),
    ("Grants", "connect", "tests/it/grants.rs", "addresses_are_granted_one_by_one"),
    ("Grants", "env", "tests/it/grants.rs", "entries_of_env_are_granted_by_name"),
    ("Grants", "files", "tests/it/wasi.rs", "a_folder_cannot_be_left_by_any_way"),
    ("Grants", "control", "tests/it/operators.rs", "without_the_grant_nothing_happens_and_the_error_names_it"),
    ("Grants", "clock", "tests/it/grants.rs", "an_actor_without_clocks_and_entropy_sees_the_same_each_time"),
    ("Grants", "random", "tests/it/grants.rs", "an_actor_without_clocks_and_entropy_sees_the_same_each_time"),
    ("Grants", "log", "tests/it/grants.rs", "an_actor_that_may_not_log_writes_nothing"),
    ("[host]", "actors", "tests/it/limits.rs", "a_host_with_as_many_actors_and_sockets_as_it_may_have"),
    ("[host]", "sockets", "tests/it/limits.rs", "a_host_with_as_many_actors_and_sockets_as_it_may_have"),
    ("[host]", "memory", "tests/it/limits.rs", "a_host_at_its_memory_budget_refuses_and_lives"),
    ("[host]", "mailbox-bytes", "tests/it/limits.rs", "a_host_whose_mailboxes_hold_as_much_as_they_may"),
];

/// Keys of `[host]` that are no budgets.
const SETTINGS: [&str; 6] = ["workers", "call-timeout", "slice", "stop-timeout", "log", "log-file"];

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The keys of the first table of a section of the manual.
fn keys(manual: &str, section: &str) -> BTreeSet<String> {
    let heading = |line: &str| line.trim_start_matches('#').trim().split(',').next().unwrap_or("").to_owned();
    let lines = manual.lines().skip_while(|line| !line.starts_with("## ") || heading(line) != section).skip(1);
    let table = lines.take_while(|line| !line.starts_with('#')).skip_while(|line| !line.starts_with('|'));
    let first = table.take_while(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(1));
    first.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn each_has_a_hostile_guest() {
    let manual = read("docs/manifest.md");
    for section in ["Limits", "Grants", "[host]"] {
        let known = keys(&manual, section);
        assert!(known.len() > 5, "{section}: {known:?}");
        let settings = |key: &String| section == "[host]" && SETTINGS.contains(&&**key);
        let wanted: BTreeSet<String> = known.into_iter().filter(|key| !settings(key)).collect();
        let tested = TABLE.iter().filter(|row| row.0 == section).map(|row| row.1.to_owned()).collect();
        assert_eq!(wanted, tested, "{section}");
    }
    for (_, key, file, test) in TABLE {
        assert!(read(file).contains(&format!("#[test]\nfn {test}() {{")), "{key}: {file} has no test {test}");
    }
}
