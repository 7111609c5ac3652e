//! The owner of a socket: its death, and the way to another one.

use std::mem::take;

use rustler::types::LocalPid;
use rustler::{Env, Monitor};
use sctp::active::Active;

use crate::handle::Handle;
use crate::socket::{Closed, Inner};
use crate::{atoms, closer, deliver, reactor};

/// Closes the sockets of owners that are dead. The VM tells of a process' end at each of its links
/// and monitors, and here last of all.
pub(crate) fn close_orphans() {
    for socket in reactor::sockets() {
        // For good: only an owner that is alive gives its socket away.
        if socket.lock().is_ok_and(|open| !deliver::is_alive(&open.state.owner)) {
            socket.close_orphan();
        }
    }
}

/// How a handover can begin.
pub(crate) enum Handover {
    Ready(Active),
    Same,
    NotOwner,
    /// Dead, or on another node.
    Dead,
}

impl Inner {
    /// A monitored process is gone: the owner, or the one about to become it.
    pub(crate) fn down(&self, monitor: &Monitor) {
        {
            let mut state = self.state.lock();
            if state.handover.as_ref().is_some_and(|(_, to)| to == monitor) {
                state.handover = None;
                return;
            }
            if state.owner_monitor.as_ref() != Some(monitor) {
                return;
            }
            state.owner_monitor = None;
        }
        self.close_orphan();
    }

    /// Closes the socket of a dead owner: at once where it can be, who restarts it wants the port.
    fn close_orphan(&self) {
        if let Some((left, _)) = self.shut(atoms::normal()) {
            closer::close(left);
        }
    }

    /// Prepares to give the socket to `to`, a process of this node: it is monitored, and the socket
    /// goes passive.
    pub(crate) fn handover(
        &self,
        env: Env,
        socket: &Handle,
        to: Option<LocalPid>,
    ) -> Result<Handover, Closed> {
        {
            let open = self.lock()?;
            if to == Some(open.state.owner) {
                return Ok(Handover::Same);
            }
            if open.state.owner != env.pid() {
                return Ok(Handover::NotOwner);
            }
        }
        let Some(to) = to else { return Ok(Handover::Dead) };
        let Some(monitor) = socket.monitor(env, &to) else { return Ok(Handover::Dead) };
        let anchor;
        let earlier;
        let active = {
            let mut open = match self.lock() {
                Ok(open) => open,
                Err(closed) => {
                    socket.demonitor(env, &monitor);
                    return Err(closed);
                }
            };
            // Its end may have been told before this monitor had a place. Whoever dies from here
            // on is told to `down`, which finds it.
            if !deliver::is_alive(&to) {
                return Ok(Handover::Dead);
            }
            earlier = open.state.handover.replace((to, monitor));
            let active = take(&mut open.state.active);
            anchor = open.loose_anchor();
            active
        };
        drop(anchor);
        if let Some((_, monitor)) = earlier {
            socket.demonitor(env, &monitor);
        }
        Ok(Handover::Ready(active))
    }

    /// Completes [`Inner::handover`]: `to` owns the socket and `active` is as it was before. False
    /// if `to` died in between; then the caller keeps the socket, and nothing has changed. With the
    /// owner itself as `to` this takes the handover back.
    pub(crate) fn adopt(
        &self,
        env: Env,
        socket: &Handle,
        to: LocalPid,
        active: Active,
    ) -> Result<bool, Closed> {
        let old_monitor;
        let anchors;
        {
            let mut open = self.lock()?;
            let state = &mut *open.state;
            match state.handover.take() {
                Some((pid, monitor)) if pid == to => {
                    state.owner = to;
                    state.grant(0);
                    old_monitor = state.owner_monitor.replace(monitor);
                }
                handover if state.owner == to => old_monitor = handover.map(|(_, monitor)| monitor),
                handover => {
                    state.handover = handover;
                    return Ok(false);
                }
            }
            anchors = (open.set_active(socket, active), open.resume());
        }
        drop(anchors);
        if let Some(monitor) = old_monitor {
            socket.demonitor(env, &monitor);
        }
        Ok(true)
    }
}
