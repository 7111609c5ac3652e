//! Monitors of sockets come and go.

use rustler::{Env, LocalPid, Monitor, Resource, ResourceArc};

use crate::socket::state::{Handle, Socket};
use crate::socket::table;
use crate::socket::watchers::{Watch, Watcher};
use crate::terms::error::Error;

#[rustler::resource_impl]
impl Resource for Watch {
    const IMPLEMENTS_DOWN: bool = true;

    /// Who watched is gone.
    fn down<'a>(&'a self, _env: Env<'a>, _pid: LocalPid, _monitor: Monitor) {
        drop(take(self));
    }
}

/// Takes the registration back; false if there is none any more.
pub(crate) fn cancel(watch: &Watch, env: Env) -> bool {
    let Some(watcher) = take(watch) else { return false };
    env.demonitor(&watcher.reference, &watcher.monitor);
    true
}

fn take(watch: &Watch) -> Option<Watcher> {
    let socket = table::get(watch.token)?;
    let mut open = socket.lock().ok()?;
    let watcher = open.state.watchers.remove(watch);
    open.loosen();
    watcher
}

impl Socket {
    /// Registers the caller for a message at the socket's end.
    pub(crate) fn watch(&self, env: Env, socket: &Handle) -> Result<ResourceArc<Watch>, Error> {
        let watch = ResourceArc::new(Watch::new(self.token));
        let pid = env.pid();
        // None if the caller is dying: then nobody is there to be told.
        if let Some(monitor) = env.monitor(&watch, &pid) {
            let watcher = Watcher { pid, monitor, reference: watch.clone() };
            let mut open = self.lock()?;
            open.state.watchers.insert(watcher);
            open.hold(socket);
        }
        Ok(watch)
    }
}
