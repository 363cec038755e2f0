//! The promises of ARCHITECTURE.md, kept by the built host, seen from outside.
//!
//! | file | promise | what |
//! |---|---|---|
//! | `order` | 1, 2 | messages arrive in the order sent; one actor, one turn at a time |
//! | `requests` | 3, 5, 6 | requests and the ways to answer, in both ways of waiting |
//! | `failures` | 3, 7 | each way in which a request fails, with its code |
//! | `faults` | 3, 7 | faults in the middle of a stop; a host that is killed |
//! | `deadlines` | 4 | deadlines, and that nested calls inherit them |
//! | `exclusive` | 5 | parking calls: what may not enter, cycles |
//! | `mailbox` | 8 | what happens at the bound |
//! | `timers` | 9 | never early, cancelled, in order |
//! | `lifecycle` | 3, 7 | birth, death, word of both, names, addresses |
//! | `crashes` | 7 | what a failed actor leaves, and `wasmactor crash` |
//! | `reload` | 10 | examples/kv over a thousand reloads, trials, failures, `--watch` |
//! | `exchange` | 10 | what one actor's reload may take |
//! | `supervision` | 7 | restarts by policy, what is kept over one, links |
//! | `signals` | | stop, subscribe, log files |
//! | `sockets` | 11 | real TCP clients |
//! | `slices` | | beside endless loops others go on |
//! | `hostile` | 11 | guests that lie, trap, spin, recurse and grow |
//! | `grants` | 11 | what was not granted |
//! | `operators` | 11 | what actors do to the host: reload, restart, list |
//! | `load` | | modules that do not fit, manifests that are wrong |
//! | `logs` | | what the log looks like |
//! | `wasi` | 11 | guests that use WASI |
//! | `scale` | | many actors |
//! | `stress` | 1, 3, 7, 9, 10 | all of it at once, by chance |
//! | `memory` | | how much of its memory an actor touches |
//! | `bounds` | 11 | which hostile guest goes against which limit and grant |
//! | `control` | | the commands for a running host |
//! | `live` | | the same, for what goes on: who waits, why, each turn |
//! | `endpoint` | | the control endpoint: where it is found, who may come in |
//! | `top` | | `top` and `ps` in a real terminal |
//! | `examples`, `kv` | | the examples, with their real clients |
//! | `project`, `watch` | | `new`, `build`, `run`; `run --watch` with crates |

mod bounds;
mod control;
mod crashes;
mod deadlines;
mod endpoint;
mod examples;
mod exchange;
mod exclusive;
mod failures;
mod faults;
mod grants;
mod hostile;
mod kv;
mod lifecycle;
mod limits;
mod live;
mod load;
mod logs;
mod mailbox;
mod memory;
mod operators;
mod order;
mod project;
mod reload;
mod requests;
mod scale;
mod signals;
mod slices;
mod sockets;
mod stress;
mod supervision;
mod timers;
mod top;
mod wasi;
mod watch;
