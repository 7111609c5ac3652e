//! The owner of a socket: its death, and the way to another one.

use std::mem::swap;

use beam::message;
use rustler::types::LocalPid;
use rustler::{Env, Monitor};

use crate::socket::{Closed, Handle, Inner, Open};
use crate::{atoms, closer, table};

/// Closes the sockets of owners that are dead. The VM tells of a process' end at each of its links
/// and monitors, and here last of all.
pub(crate) fn close_orphans() {
    for socket in table::all() {
        // For good: only an owner that is alive gives its socket away.
        if socket.lock().is_ok_and(|open| !message::is_alive(&open.state.owner)) {
            socket.close_orphan();
        }
    }
}

/// A socket on its way to another owner. It delivers nothing: what it has delivered so far is to be
/// the first that the new owner gets.
///
/// The mode stays the socket's own, for all to change, and is in force again when this is over.
pub(crate) struct Handover {
    to: LocalPid,
    /// Counts that came to their end meanwhile, which is to be announced.
    pub(crate) ended: usize,
}

/// How a handover can begin.
pub(crate) enum Begun {
    Ready,
    Same,
    NotOwner,
    /// Dead, or on another node.
    Dead,
}

impl Inner {
    /// A monitored process is gone. Not the owner if it has given the socket away just now.
    pub(crate) fn down(&self, monitor: &Monitor) {
        let owner = self.state.lock().owner_monitor.take_if(|owner| owner == monitor);
        if owner.is_none() {
            return;
        }
        self.close_orphan();
    }

    /// Closes the socket of a dead owner: at once where it can be, who restarts it wants the port.
    fn close_orphan(&self) {
        if let Some((left, _)) = self.shut(atoms::normal()) {
            closer::close(left);
        }
    }

    /// Prepares to give the socket to `to`, a process of this node.
    pub(crate) fn handover(&self, env: Env, to: Option<LocalPid>) -> Result<Begun, Closed> {
        let mut open = self.lock()?;
        if to == Some(open.state.owner) {
            return Ok(Begun::Same);
        }
        if open.state.owner != env.pid() {
            return Ok(Begun::NotOwner);
        }
        let Some(to) = to.filter(message::is_alive) else { return Ok(Begun::Dead) };
        // An earlier one that was not completed has its end here.
        let ended = open.state.handover.as_ref().map_or(0, |earlier| earlier.ended);
        open.state.handover = Some(Handover { to, ended });
        Ok(Begun::Ready)
    }

    /// Completes [`Inner::handover`]: `to` owns the socket. False if it died in between; then
    /// nothing has changed. With the owner itself as `to` this takes the handover back.
    pub(crate) fn adopt(&self, env: Env, socket: &Handle, to: LocalPid) -> Result<bool, Closed> {
        let mut monitor = socket.monitor(env, &to);
        let adopted = self.lock().map(|mut open| {
            let adopted = open.adopt(socket, to, &mut monitor);
            (adopted, open.resume())
        });
        // Of the owner of before, or of who does not become the next one.
        if let Some(monitor) = monitor {
            socket.demonitor(env, &monitor);
        }
        // A loose anchor goes here, and the lock is released.
        adopted.map(|(adopted, _anchor)| adopted)
    }
}

impl Open<'_> {
    /// Exchanges the owner and its monitor, if there is a handover to `to` and it is alive.
    fn adopt(&mut self, socket: &Handle, to: LocalPid, monitor: &mut Option<Monitor>) -> bool {
        let state = &mut *self.state;
        // Its end may have been told before its monitor had a place. Whoever dies from here on is
        // told to `down`, which finds it.
        let handover = state
            .handover
            .take_if(|handover| (handover.to == to || state.owner == to) && message::is_alive(&to));
        let Some(handover) = handover else { return false };
        state.owner = to;
        swap(&mut state.owner_monitor, monitor);
        state.grant(0);
        self.hold(socket);
        (0..handover.ended).for_each(|_| self.announce_passive());
        true
    }
}
