//! Greets, ticks a few times, exits.

use serde::Deserialize;
use std::time::Duration;
use wasmactor_sdk::exclusive::Actor;
use wasmactor_sdk::{Reply, Result, Sender, Timer, actor, config, done, exit, info};

#[derive(Deserialize)]
struct Args {
    /// How often.
    ticks: u32,
    /// Milliseconds between two ticks.
    every: u64,
}

struct Hello {
    args: Args,
    ticked: u32,
}

impl Actor for Hello {
    type Args = Args;
    type Message = ();

    fn init(args: Args) -> Result<Self> {
        let greeting = config::env("GREETING").unwrap_or_else(|| "hello".to_owned());
        info!("{greeting} from {}", config::name());
        Timer::after(Duration::from_millis(args.every));
        Ok(Self { args, ticked: 0 })
    }

    fn handle(&mut self, (): (), _from: &Sender) -> Result<Reply> {
        done()
    }

    fn timeout(&mut self, _timer: Timer) -> Result {
        self.ticked += 1;
        info!("tick {}", self.ticked);
        if self.ticked < self.args.ticks {
            Timer::after(Duration::from_millis(self.args.every));
        } else {
            info!("bye");
            exit("done");
        }
        Ok(())
    }
}

actor!(Hello);
