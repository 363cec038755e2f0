//! All open sockets, by id and by owner. Read by workers at each operation, changed when a socket comes, goes or is
//! given.
//!
//! Must hold: the owner's list and the socket's own word for its owner are changed together, under the socket's locks,
//! and this lock is the innermost.

use std::collections::{HashMap, HashSet};

use crate::base::sync::atomic::{AtomicUsize, Ordering};
use crate::base::sync::{Arc, RwLock};
use crate::net::id::{GENERATIONS, SLOTS};
use crate::net::socket::Socket;
use crate::net::{Owner, SocketId};

/// A slab with generations, and an index by owner.
#[derive(Debug, Default)]
pub(super) struct Table {
    inner: RwLock<Inner>,
    /// How many are in it, readable without the lock; changed under it.
    count: AtomicUsize,
}

#[derive(Debug, Default)]
struct Inner {
    slots: Vec<Slot>,
    free: Vec<usize>,
    owners: HashMap<Owner, HashSet<SocketId>>,
}

#[derive(Debug)]
struct Slot {
    generation: u64,
    socket: Option<Arc<Socket>>,
}

impl Table {
    pub(super) fn get(&self, id: SocketId) -> Option<Arc<Socket>> {
        let inner = self.inner.read();
        let slot = inner.slots.get(id.slot())?;
        if slot.generation == id.generation() { slot.socket.clone() } else { None }
    }

    /// Puts in what `make` builds for a fresh id. None if all slots are taken.
    pub(super) fn insert(&self, owner: Owner, make: impl FnOnce(SocketId) -> Socket) -> Option<Arc<Socket>> {
        let mut inner = self.inner.write();
        let index = match inner.free.pop() {
            Some(index) => index,
            None if inner.slots.len() < SLOTS => {
                inner.slots.push(Slot { generation: 1, socket: None });
                inner.slots.len() - 1
            }
            None => return None,
        };
        let id = SocketId::new(inner.slots[index].generation, index);
        let socket = Arc::new(make(id));
        inner.slots[index].socket = Some(Arc::clone(&socket));
        inner.owners.entry(owner).or_default().insert(id);
        self.count.fetch_add(1, Ordering::Relaxed);
        Some(socket)
    }

    /// Takes a socket out; its id is dead from here on.
    pub(super) fn remove(&self, id: SocketId, owner: Owner) {
        let mut inner = self.inner.write();
        inner.disown(id, owner);
        let slot = &mut inner.slots[id.slot()];
        debug_assert_eq!(slot.generation, id.generation(), "removed once, by the poller");
        slot.socket = None;
        self.count.fetch_sub(1, Ordering::Relaxed);
        slot.generation += 1;
        if slot.generation < GENERATIONS {
            inner.free.push(id.slot());
        }
    }

    /// Moves a socket from one owner's list to another's.
    pub(super) fn give(&self, id: SocketId, from: Owner, to: Owner) {
        let mut inner = self.inner.write();
        inner.disown(id, from);
        inner.owners.entry(to).or_default().insert(id);
    }

    pub(super) fn owned_by(&self, owner: Owner) -> Vec<SocketId> {
        self.inner.read().owners.get(&owner).map(|ids| ids.iter().copied().collect()).unwrap_or_default()
    }

    pub(super) fn owns(&self, owner: Owner) -> usize {
        self.inner.read().owners.get(&owner).map_or(0, HashSet::len)
    }

    pub(super) fn all(&self) -> Vec<Arc<Socket>> {
        self.inner.read().slots.iter().filter_map(|slot| slot.socket.clone()).collect()
    }

    /// Relaxed: who must not miss a socket has made or removed it on its own thread.
    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Inner {
    fn disown(&mut self, id: SocketId, owner: Owner) {
        if let Some(ids) = self.owners.get_mut(&owner) {
            ids.remove(&id);
            if ids.is_empty() {
                self.owners.remove(&owner);
            }
        }
    }
}
