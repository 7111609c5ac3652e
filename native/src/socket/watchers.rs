//! Who wants to hear of a socket's end, for `inet:monitor/1`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use beam::message;
use rustler::{Atom, Encoder, LocalPid, Monitor, ResourceArc};
use sctp::Token;

use crate::terms::atoms;

/// What Erlang's reference of a monitor refers to: it knows its socket, so that who takes it back need
/// not look for that.
pub(crate) struct Watch {
    pub(crate) token: Token,
    number: u64,
}

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

impl Watch {
    pub(crate) fn new(token: Token) -> Watch {
        Watch { token, number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed) }
    }
}

/// A process that wants to hear of the end.
pub(crate) struct Watcher {
    pub(crate) pid: LocalPid,
    /// The VM's, of that process.
    pub(crate) monitor: Monitor,
    pub(crate) reference: ResourceArc<Watch>,
}

/// All of them. To be dropped outside of locks, as references to resources are in it.
#[derive(Default)]
pub(crate) struct Watchers(BTreeMap<u64, Watcher>);

impl Watchers {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn insert(&mut self, watcher: Watcher) {
        self.0.insert(watcher.reference.number, watcher);
    }

    pub(crate) fn remove(&mut self, watch: &Watch) -> Option<Watcher> {
        self.0.remove(&watch.number)
    }

    /// Tells all of the socket's end, and why.
    pub(crate) fn tell(&self, socket: &impl Encoder, reason: Atom) {
        for Watcher { pid, reference, .. } in self.0.values() {
            message::send(pid, |env| {
                (atoms::down(), reference, atoms::socket(), socket, reason).encode(env)
            });
        }
    }
}
