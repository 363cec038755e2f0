//! Builds a ring of actors, sends a token around it, and says how far it came.

use serde::{Deserialize, Serialize};
use wasmactor_sdk::exclusive::{Actor, spawn};
use wasmactor_sdk::{Address, Reply, Result, Sender, Timer, actor, broadcast, debug, done, exit, fail, info, timer};

#[derive(Deserialize)]
struct Args {
    nodes: u32,
    rounds: u32,
}

/// What a node understands; see `node/`.
#[derive(Serialize)]
enum ToNode {
    Next(Address),
    Token { hops: u64, left: u64, home: Address },
    Stop,
}

/// The token came home after so many hops.
#[derive(Deserialize)]
struct Home {
    hops: u64,
}

struct Ring {
    args: Args,
    nodes: Vec<Address>,
    started: std::time::Duration,
}

impl Actor for Ring {
    type Args = Args;
    type Message = Home;

    fn init(args: Args) -> Result<Self> {
        if args.nodes == 0 || args.rounds == 0 {
            fail!("args: `nodes` and `rounds` must be at least 1");
        }
        // Waiting for children within `init` would make our own spawner wait for them; so the work starts by a timer.
        Timer::after(std::time::Duration::ZERO);
        Ok(Self { args, nodes: Vec::new(), started: timer::now() })
    }

    fn timeout(&mut self, _timer: Timer) -> Result {
        for _ in 0..self.args.nodes {
            self.nodes.push(spawn("node", None, &())?);
        }
        for (node, next) in self.nodes.iter().zip(self.nodes.iter().cycle().skip(1)) {
            node.call::<()>(&ToNode::Next(*next))?;
        }
        info!("{} nodes stand in a ring", self.args.nodes);
        self.started = timer::now();
        let left = u64::from(self.args.nodes) * u64::from(self.args.rounds);
        self.nodes[0].send(&ToNode::Token { hops: 0, left, home: Address::own() })?;
        Ok(())
    }

    fn handle(&mut self, home: Home, _from: &Sender) -> Result<Reply> {
        debug!("{:?} a hop", (timer::now() - self.started).div_f64(home.hops.max(1) as f64));
        info!("the token went round {} times, {} hops", self.args.rounds, home.hops);
        broadcast(&self.nodes, &ToNode::Stop)?;
        exit("done");
        done()
    }
}

actor!(Ring);
