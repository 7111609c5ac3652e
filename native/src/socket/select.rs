//! Processes that go on while they wait, or stand in line: each is told that there may be something for
//! it, and the VM tells of its end.

use rustler::{Env, Monitor};

use crate::socket::settle::{call_another, settle};
use crate::socket::state::{Handle, Socket, SocketRef};

impl Socket {
    /// Has the VM tell of the end of the caller, who selects or stands in line. Where that has been
    /// registered before it is soon enough: the caller cannot die during its own call.
    pub(crate) fn watch_waiting(&self, env: Env, socket: &SocketRef) {
        let pid = env.pid();
        let known = self.lock().map(|open| open.state.waiters.watched.has(&pid));
        if known != Ok(false) {
            return;
        }
        if let Some(monitor) = Handle::of(socket).monitor(env, &pid)
            && let Ok(mut open) = self.lock()
        {
            open.state.waiters.watched.add(pid, monitor);
        }
    }

    /// A process that was watched is gone.
    pub(crate) fn forget_waiting(&self, monitor: &Monitor) {
        let Ok(mut open) = self.lock() else { return };
        let Some(called) = open.state.waiters.gone(monitor) else { return };
        if called {
            call_another(&mut open);
        }
        settle(&mut open);
    }
}
