//! The processes that have selected at a socket, or stand in line to accept, each watched by the VM: a
//! socket is kept for those who wait for its message, but not for the dead.
//!
//! Who is watched once stays so until it is dead or the socket is gone: that is less work than to watch it
//! each time.

use rustler::{LocalPid, Monitor};

/// Each once, however often it waits.
#[derive(Default)]
pub(crate) struct Watched(Vec<(LocalPid, Monitor)>);

impl Watched {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn has(&self, pid: &LocalPid) -> bool {
        self.0.iter().any(|(known, _)| known == pid)
    }

    pub(crate) fn add(&mut self, pid: LocalPid, monitor: Monitor) {
        self.0.push((pid, monitor));
    }

    /// The process that this monitor has told of.
    pub(crate) fn remove(&mut self, monitor: &Monitor) -> Option<LocalPid> {
        let at = self.0.iter().position(|(_, known)| known == monitor)?;
        Some(self.0.swap_remove(at).0)
    }
}
