//! Monitors of sockets, for `inet:monitor/1`.
//!
//! The reference that Erlang gets is a resource that knows its socket, so that who takes it back
//! need not look for that.

use std::sync::atomic::{AtomicU64, Ordering};

use beam::message;
use rustler::{Atom, Encoder, Env, LocalPid, Monitor, Resource, ResourceArc};
use sctp::Token;

use crate::socket::{Closed, Handle, Inner, SocketRef, socket_term};
use crate::{atoms, table};

/// What Erlang's reference of a monitor refers to.
pub(crate) struct Watch {
    token: Token,
    number: u64,
}

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

/// A process that wants to hear of the socket's end.
///
/// Its message names the socket, so it keeps the socket from being collected.
pub(crate) struct Watcher {
    pid: LocalPid,
    /// The VM's, of that process.
    monitor: Monitor,
    reference: ResourceArc<Watch>,
}

#[rustler::resource_impl]
impl Resource for Watch {
    const IMPLEMENTS_DOWN: bool = true;

    /// Who watched is gone.
    fn down<'a>(&'a self, _env: Env<'a>, _pid: LocalPid, _monitor: Monitor) {
        drop(self.take());
    }
}

impl Watch {
    /// Takes the registration back; false if there is none any more.
    pub(crate) fn cancel(&self, env: Env) -> bool {
        let Some(watcher) = self.take() else { return false };
        env.demonitor(&watcher.reference, &watcher.monitor);
        true
    }

    fn take(&self) -> Option<Watcher> {
        let socket = table::get(self.token)?;
        let mut open = socket.lock().ok()?;
        let watcher = open.state.watchers.remove(&self.number);
        let anchor = open.loose_anchor();
        drop(open);
        drop(anchor);
        watcher
    }
}

impl Watcher {
    /// Tells of the socket's end, and why.
    pub(crate) fn tell(&self, socket: &SocketRef, reason: Atom) {
        message::send(&self.pid, |env| {
            let socket = socket_term(env, socket);
            (atoms::down(), &self.reference, atoms::socket(), socket, reason).encode(env)
        });
    }
}

impl Inner {
    /// Registers the caller for a message at the socket's end.
    pub(crate) fn watch(&self, env: Env, socket: &Handle) -> Result<ResourceArc<Watch>, Closed> {
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        let watch = ResourceArc::new(Watch { token: self.token, number });
        let pid = env.pid();
        // None if the caller is dying: then nobody is there to be told.
        if let Some(monitor) = env.monitor(&watch, &pid) {
            let watcher = Watcher { pid, monitor, reference: watch.clone() };
            let mut open = self.lock()?;
            open.state.watchers.insert(number, watcher);
            open.hold(socket);
        }
        Ok(watch)
    }
}
