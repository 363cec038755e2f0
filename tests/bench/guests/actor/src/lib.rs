//! The other side of what is measured: it counts, echoes, hands tokens on, serves TCP. One module for all of it: an actor
//! does what it is asked.

use bench_protocol::{hop, kind, pack};
use wasmactor_sdk::exclusive::Actor;
use wasmactor_sdk::{Address, Reply, Result, Sender, Socket, SocketEvent, actor, done, exit, fail, reply_raw, socket};

#[derive(Default)]
struct Other {
    next: Option<Address>,
    bytes: usize,
}

impl Actor for Other {
    type Args = ();
    type Message = ();

    fn init((): ()) -> Result<Self> {
        Ok(Self::default())
    }

    fn handle(&mut self, (): (), _from: &Sender) -> Result<Reply> {
        fail!("the bench sends raw payloads")
    }

    fn raw(&mut self, kind: u32, mut payload: Vec<u8>, from: &Sender) -> Result<Reply> {
        match kind {
            kind::DATA => self.bytes += payload.len(),
            kind::ECHO => return reply_raw(payload),
            kind::NEXT => self.next = bench_protocol::unpack(&payload).first().map(|next| Address::from(*next)),
            kind::TOKEN => match (hop(&mut payload), self.next) {
                (Some(home), _) => Address::from(home).send_raw(kind::DONE, &[])?,
                (None, Some(next)) => next.send_raw(kind::TOKEN, &payload)?,
                (None, None) => fail!("a token came before the ring was closed"),
            },
            kind::LAST => {
                exit("it was the last message");
                return reply_raw(payload);
            }
            kind::LISTEN => return listen(),
            kind => fail!("no message of kind {kind} from {} is known here", from.address()),
        }
        done()
    }

    fn socket(&mut self, socket: Socket, event: SocketEvent) -> Result {
        match event {
            SocketEvent::Accepted { socket, .. } => socket.start()?,
            SocketEvent::Data(bytes) => {
                socket.write(&bytes)?;
            }
            SocketEvent::End => socket.close()?,
            _ => {}
        }
        Ok(())
    }
}

fn listen() -> Result<Reply> {
    let socket = socket::listen("127.0.0.1:0")?;
    let local = socket.local()?;
    let port = local.rsplit(':').next().and_then(|port| port.parse().ok());
    let Some(port) = port else { fail!("`{local}` has no port") };
    socket.start()?;
    reply_raw(pack(&[port]))
}

actor!(Other);
