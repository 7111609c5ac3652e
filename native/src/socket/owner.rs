//! The owner of a socket: its death, and the way to another one.

use std::sync::Arc;

use beam::message;
use rustler::{Env, LocalPid, Monitor};

use crate::socket::mode::resume;
use crate::socket::ownership::Adopted;
use crate::socket::state::{Handle, Socket, State};
use crate::socket::{owner_mail, table};
use crate::terms::error::Error;

/// Closes the sockets of owners that are dead. The VM tells of a process' end at each of its links
/// and monitors, and here last of all.
pub(crate) fn close_orphans() {
    for socket in table::all() {
        if socket.is_orphan() {
            socket.close_orphan();
        }
    }
}

/// How a handover can begin.
pub(crate) enum Begun {
    Ready,
    Same,
    NotOwner,
    /// Dead, or on another node.
    Dead,
}

impl Socket {
    /// A monitored process is gone.
    pub(crate) fn down(self: &Arc<Self>, monitor: &Monitor) {
        let over = {
            let mut state = self.lock_any();
            let closes = |state: &State| {
                state.lingering.as_ref().is_some_and(|it| it.is_watched_by(monitor))
            };
            state.ownership.is_over(monitor) || closes(&state)
        };
        if over {
            self.close_of_dead();
        } else {
            self.forget_waiting(monitor);
        }
    }

    /// Prepares to give the socket to `to`, a process of this node.
    pub(crate) fn handover(&self, env: Env, to: Option<LocalPid>) -> Result<Begun, Error> {
        let mut open = self.lock()?;
        let ownership = &mut open.state.ownership;
        if to == Some(ownership.owner()) {
            return Ok(Begun::Same);
        }
        if ownership.owner() != env.pid() {
            return Ok(Begun::NotOwner);
        }
        let Some(to) = to.filter(message::is_alive) else { return Ok(Begun::Dead) };
        ownership.begin(to);
        Ok(Begun::Ready)
    }

    /// Completes [`Socket::handover`]: `to` owns the socket. False if it died in between; then nothing
    /// has changed. With the owner itself as `to` this takes the handover back.
    pub(crate) fn adopt(&self, env: Env, socket: &Handle, to: LocalPid) -> Result<bool, Error> {
        let monitor = socket.monitor(env, &to);
        let (answer, monitor) = match self.lock() {
            Err(error) => (Err(error), monitor),
            Ok(mut open) => match open.state.ownership.complete(to, monitor) {
                Err(monitor) => (Ok(false), monitor),
                Ok(Adopted { monitor, ended }) => {
                    if let Some(limit) = &mut open.state.delivery.limit {
                        // What was granted was for another mailbox.
                        limit.answer(0);
                    }
                    open.hold(socket);
                    (0..ended).for_each(|_| owner_mail::passive(&mut open.state));
                    resume(&mut open);
                    (Ok(true), monitor)
                }
            },
        };
        // Of the owner of before, or of who does not become the next one.
        if let Some(monitor) = monitor {
            socket.demonitor(env, &monitor);
        }
        answer
    }
}
